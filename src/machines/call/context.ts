/**
 * Owns: what the call chart remembers between entries, and what can be read from it.
 * Does not own: how it changes (`assignments.ts`), what follows from it (the region files).
 *
 * Invariants:
 * M2. Context is plain JSON and bounded: open tool calls are the only list.
 */
import type { FixedWords, ReplyPurpose, TransferOutcome } from '../commands.ts';
import type { Draft, DraftOf, EntryOf } from '../entries.ts';
import { type Settings, settingsSchema } from '../settings.ts';

/** Number of this chart. A changed configuration without a new number fails a test. */
export const chartNumber = 2;

/** From the opening of a session to the end that it announced. */
export interface SessionLife {
  openedAt: number;
  expiresAt: number;
}

export interface CallContext {
  callId: string;
  startedAt: number;
  settings: Settings;
  /** The instance of the newest `owner.claimed`. */
  instance: string | null;
  /**
   * The newest stream: `id` while it carries audio, `attempt` the last one started, `tries` the new ones asked for since
   * one was good, `cut` whether the last one ended otherwise than by the carrier's own `stop`.
   */
  stream: { id: string | null; attempt: number; tries: number; cut: boolean };
  /** Questions put to the carrier without an answer since the stream was lost. */
  asks: number;
  /** The call is to leave this process: by then at the latest. */
  move: { by: 'operator' | 'drain'; dueAt: number } | null;
  /**
   * `generation` the session that serves, `newest` the last one opened: the two differ while one is to take over, and `next`
   * is what it told when it opened.
   */
  model: {
    generation: number;
    newest: number;
    sessionId: string | null;
    life: SessionLife | null;
    next: { sessionId: string; life: SessionLife | null } | null;
    tries: number;
    backoffMs: number;
  };
  /** What the agent owes the caller, should the session or the stream be replaced now. */
  owed: ReplyPurpose | null;
  /** What the agent says, or said last, word for word; null where the words are the model's own, or the caller has spoken since. */
  fixedWords: FixedWords | null;
  /** `broken`: the model failed in the middle of it, or was cut short. */
  reply: { id: string | null; active: boolean; voiced: boolean; broken: boolean; tries: number };
  /** The caller has spoken and no reply has begun since. */
  callerTurnOpen: boolean;
  /** Tool calls without an outcome. */
  tools: string[];
  /** All tool outcomes are in, also those that no tool was run for, and no reply has begun since. */
  toolAnswerOwed: boolean;
  /** The sentence that bridges the wait for a tool: asked for, begun, or not needed yet. */
  filler: 'none' | 'requested' | 'begun';
  /** Words that an operator wants said: wait for a free floor, or the model was asked and has no sound yet. */
  announcement: 'none' | 'waiting' | 'asked';
  /** The model's own request to hang up, while its farewell is not over. */
  hangUpCall: string | null;
  /** The caller is being handed on, or has been. */
  transfer: { by: DraftOf<'transfer.requested'>['by']; toolCallId: string | null } | null;
  endReason: string | null;
  /** The caller should hear an apology before the line closes. */
  apology: boolean;
}

/** An elapsed timer as XState names it. The runtime adds `at` to it as to every event. */
export interface TimerEvent {
  type: `xstate.after.${string}`;
  at: number;
}
export type CallEvent = (Draft & { at: number }) | TimerEvent;
export interface CallInput {
  callId: string;
  created: EntryOf<'call.created'>;
}
export interface Scope {
  context: CallContext;
  event: CallEvent;
}

/** Tool calls that a call may have open at once; the adapter answers further ones itself. */
export const openToolsLimit = 32;

/** The tool that every agent has: the call ends once the farewell was played. */
export const hangUpTool = 'hang_up';

export const noReply: CallContext['reply'] = {
  id: null,
  active: false,
  voiced: false,
  broken: false,
  tries: 0,
};

export const initialContext = ({ input }: { input: CallInput }): CallContext => ({
  callId: input.callId,
  startedAt: input.created.at,
  // A log of before a bound was there has that bound's default.
  settings: settingsSchema.parse(input.created.settings),
  instance: null,
  stream: { id: null, attempt: 0, tries: 0, cut: false },
  asks: 0,
  move: null,
  model: {
    generation: 0,
    newest: 0,
    sessionId: null,
    life: null,
    next: null,
    tries: 0,
    backoffMs: 0,
  },
  owed: 'greeting',
  fixedWords: null,
  reply: noReply,
  callerTurnOpen: false,
  tools: [],
  toolAnswerOwed: false,
  filler: 'none',
  announcement: 'none',
  hangUpCall: null,
  transfer: null,
  endReason: null,
  apology: false,
});

/** The first new stream comes at once, the next ones after growing pauses. */
export const pauseMsBefore = (triesSpent: number): number => triesSpent * 1_000;

/** From the loss, or from the request for a new stream, until the carrier is asked. */
export function reattachMs({ stream, settings }: CallContext, event: CallEvent): number {
  // A dead process is found after a while, in which the carrier would have brought a new stream.
  if (event.type === 'owner.claimed') return settings.reattachMs / 2;
  return stream.tries === 0 ? settings.reattachMs : 2 * settings.reattachMs + pauseMsBefore(stream.tries - 1);
}

/** Sessions of less would follow one another while nobody is served. */
const leastLifeMs = 10_000;

/** Null where no end was announced, or one that is past or all but past: that tells of the clocks, not of the session. */
export const lifeOf = ({ at, expiresAt }: DraftOf<'model.opened'> & { at: number }): SessionLife | null =>
  expiresAt === null || expiresAt - at < leastLifeMs ? null : { openedAt: at, expiresAt };

const lastsMs = ({ openedAt, expiresAt }: SessionLife): number => expiresAt - openedAt;

/** A session that announces no end has a day. */
const farMs = 86_400_000;

/** Before its announced end a session is taken leave of in any case, unless the agent is in the middle of a sentence. */
const lastTakeOverMs = 5_000;

/** Until the next session is to be opened. A life too short for the usual time ahead of its end is halved. */
export function rollOverMs({ model: { life }, settings }: CallContext, { at }: CallEvent): number {
  if (life === null) return farMs;
  const serviceMs = Math.max(lastsMs(life) - settings.rollOverMs, Math.floor(lastsMs(life) / 2));
  return Math.max(0, life.openedAt + serviceMs - at);
}

/** Until the turn is broken off that the next session waits for. An end that has passed by itself was none. */
export function takeLeaveMs({ model: { life }, settings }: CallContext, { at }: CallEvent): number {
  if (life === null || life.expiresAt <= at) return farMs;
  // Of a short life a quarter: the next session has the quarter before it to wait for the end of a turn.
  const aheadMs = Math.min(lastTakeOverMs, settings.rollOverMs / 2, Math.floor(lastsMs(life) / 4));
  return Math.max(0, life.expiresAt - aheadMs - at);
}

/** Both sockets are there. */
export const canSpeak = (context: CallContext): boolean =>
  context.stream.id !== null && context.model.sessionId !== null;

/** The model asks for a longer pause than all tries would take: nobody is to wait for that on the line. */
export const isAwayForLong = ({ settings }: CallContext, event: CallEvent): boolean =>
  event.type === 'model.closed' &&
  (event.retryAfterMs ?? 0) > settings.modelTries * settings.modelBackoffLongestMs;

export const triesLeft = ({ reply, settings }: CallContext): boolean => reply.tries < settings.replyTries;

/** The caller has said something that neither has an answer nor can be told to another session in words. */
export const awaitsAnswer = ({ callerTurnOpen, reply, owed }: CallContext): boolean =>
  callerTurnOpen || (reply.active && !reply.voiced) || (owed === null && isAskedAgain(reply));

/** The caller has spoken, and the model needs no request to answer. */
export const isAnsweredByModel = ({ callerTurnOpen, toolAnswerOwed }: CallContext): boolean =>
  callerTurnOpen && !toolAnswerOwed;

/** A reply came to nothing, and the model was asked for another one, of which nothing is heard yet. */
const isAskedAgain = ({ tries, voiced }: CallContext['reply']): boolean => tries > 0 && !voiced;

/** More of the reply was meant: the model failed, or was cut short. That may happen again and again, in any session. */
export const isBrokenOff = (
  context: CallContext,
  { status, toolCalls }: DraftOf<'reply.finished'>,
): boolean => status === 'failed' || (status === 'incomplete' && toolCalls === 0 && triesLeft(context));

/** All of the reply has come, and the line plays it whatever becomes of the session. */
export const isComplete = ({ reply }: CallContext): boolean => reply.voiced && !reply.active && !reply.broken;

/** Part of the reply was heard, and more of it was to come, though the line may have nothing left to play. */
export const isHalfSaid = ({ reply, callerTurnOpen }: CallContext): boolean =>
  reply.voiced && (reply.active || reply.broken) && !callerTurnOpen;

/** The carrier ended the call while nobody had told that the caller had gone. */
export const isCutOff = ({ stream, settings }: CallContext): boolean =>
  stream.id === null && (stream.cut || stream.tries >= settings.streamTries);

/** The call came to another process, or its own lost everything of it. */
export const isByAnother = (instance: string | null, claim: DraftOf<'owner.claimed'>): boolean =>
  claim.instance !== instance || claim.why === 'restarted' || claim.why === 'orphan';

export const isCurrentModel = (context: CallContext, event: CallEvent): boolean =>
  'generation' in event && event.generation === context.model.generation;

/** The session that is to take over. */
export const isNextModel = ({ model }: CallContext, event: CallEvent): boolean =>
  'generation' in event && event.generation === model.newest && model.newest !== model.generation;

export const isNewerStream = (context: CallContext, event: CallEvent): boolean =>
  event.type === 'stream.started' && event.attempt >= context.stream.attempt;

/** The event brings the second of the two sockets, and the agent owes something that no tool is still needed for. */
export const canNowSpeak = (context: CallContext, event: CallEvent): boolean =>
  context.owed !== null &&
  context.tools.length === 0 &&
  ((isNewerStream(context, event) && context.model.sessionId !== null) ||
    (event.type === 'model.opened' && isCurrentModel(context, event) && context.stream.id !== null));

/** The session that serves is lost, and another one may serve. */
export const isReplaceableLoss = (context: CallContext, event: CallEvent): boolean =>
  event.type === 'model.closed' && isCurrentModel(context, event) && event.reaction !== 'giveUp';

/** It is, and the agent owes something that no tool is still needed for. */
export const canSpeakAfterLoss = (context: CallContext, event: CallEvent): boolean =>
  isReplaceableLoss(context, event) &&
  (context.owed !== null || isHalfSaid(context)) &&
  context.tools.length === 0 &&
  context.stream.id !== null;

/** The carrier's answer to one of these requests, or to one that does not say which it was. */
export const wasTold = (
  event: CallEvent,
  told: readonly DraftOf<'redirect.finished'>['told'][],
): event is DraftOf<'redirect.finished'> & { at: number } =>
  event.type === 'redirect.finished' && (event.told === undefined || told.includes(event.told));

/** A reply has begun and is not over, or a sentence was asked for that bridges the wait for a tool. */
export const isReplyUnderWay = ({ reply, filler }: CallContext): boolean =>
  reply.active || filler === 'requested';

export const isPlayedReply = ({ reply }: CallContext, event: CallEvent): boolean =>
  event.type === 'reply.played' && event.replyId === reply.id && reply.voiced;

/** A reply ended without a sound and without a tool call: the caller would hear nothing. */
export const isEmptyReply = (context: CallContext, event: CallEvent): boolean =>
  event.type === 'reply.finished' &&
  event.replyId === context.reply.id &&
  !event.voiced &&
  event.toolCalls === 0 &&
  event.status !== 'cancelled';

/** Neither a turn of the caller nor a goodbye is about to cause a reply. */
export const hasFreeFloor = (context: CallContext): boolean =>
  canSpeak(context) && !context.callerTurnOpen && context.hangUpCall === null;

export const isLastTool = (context: CallContext, event: CallEvent): boolean =>
  event.type === 'tool.finished' && context.tools.length === 1 && context.tools[0] === event.toolCallId;

/** What the model is told became of its request to hand the caller on. */
export const transferOutcomeOf = (event: CallEvent): TransferOutcome =>
  event.type === 'transfer.finished' && event.outcome !== 'unknown' ? event.outcome : null;
