/**
 * Owns: chart 1's vocabulary: its context, events, guards, assignments and named delays. Frozen, never edited: it folds
 * the logs that chart 1 wrote.
 * Does not own: which state reacts to what (the region files beside it).
 *
 * Invariants:
 * M1. Guards, assignments and delays are functions of context and event alone; `event.at` is the only time.
 * M2. Context is plain JSON and bounded: open tool calls are the only list.
 */
import { assign, setup } from 'xstate';
import { commands, type ReplyPurpose } from './commands.ts';
import type { Fact, FactOf } from './facts.ts';
import type { Settings } from './settings.ts';

export const chartNumber = 1;

export interface CallContext {
  callId: string;
  startedAt: number;
  settings: Settings;
  /** The instance of the newest `owner.claimed`. */
  instance: string | null;
  /** The newest stream: `id` while it carries audio, `attempt` the last one started. */
  stream: { id: string | null; attempt: number };
  /** Questions put to the carrier since the stream was lost. */
  asks: number;
  model: { generation: number; sessionId: string | null; tries: number; backoffMs: number };
  /** What the agent owes the caller, should the session or the stream be replaced now. */
  owed: ReplyPurpose | null;
  reply: { id: string | null; active: boolean; voiced: boolean; tries: number };
  /** The caller has spoken and no reply has begun since. */
  callerTurnOpen: boolean;
  /** Tool calls without an outcome. */
  tools: string[];
  /** All tool outcomes are in, and no reply has begun since. */
  toolAnswerOwed: boolean;
  /** The model's own request to hang up, while its farewell is not over. */
  hangUpCall: string | null;
  endReason: string | null;
  /** The caller should hear an apology before the line closes. */
  apology: boolean;
}

/** An elapsed timer as XState names it. The runtime adds `at` to it as to every event. */
export interface TimerEvent {
  type: `xstate.after.${string}`;
  at: number;
}
export type CallEvent = Fact | TimerEvent;
export interface CallInput {
  callId: string;
  created: FactOf<'call.created'>;
}

/** Tool calls that a call may have open at once; the adapter answers further ones itself. */
export const openToolsLimit = 32;

/** The tool that every agent has: the call ends once the farewell was played. */
export const hangUpTool = 'hang_up';

export const initialContext = ({ input }: { input: CallInput }): CallContext => ({
  callId: input.callId,
  startedAt: input.created.at,
  settings: input.created.settings,
  instance: null,
  stream: { id: null, attempt: 0 },
  asks: 0,
  model: { generation: 0, sessionId: null, tries: 0, backoffMs: 0 },
  owed: 'greeting',
  reply: { id: null, active: false, voiced: false, tries: 0 },
  callerTurnOpen: false,
  tools: [],
  toolAnswerOwed: false,
  hangUpCall: null,
  endReason: null,
  apology: false,
});

const overStatuses: readonly string[] = ['completed', 'busy', 'failed', 'no-answer', 'canceled'];

/** Whether the carrier's word means that the call has ended for good. */
const isOver = (status: string): boolean => overStatuses.includes(status);

const noReply: CallContext['reply'] = { id: null, active: false, voiced: false, tries: 0 };

/** Exponential backoff with jitter between half and the whole step, never below what the far side asked for. */
function backoffMs({ model, settings }: CallContext, event: FactOf<'model.closed'>): number {
  const stepMs = Math.min(settings.modelBackoffLongestMs, settings.modelBackoffMs * 2 ** model.tries);
  return Math.round(Math.max(event.retryAfterMs ?? 0, stepMs * (0.5 + event.jitter / 2)));
}

const canSpeak = (context: CallContext): boolean =>
  context.stream.id !== null && context.model.sessionId !== null;

const triesLeft = ({ reply, settings }: CallContext): boolean => reply.tries < settings.replyTries;

const canAskAgain = (context: CallContext): boolean =>
  canSpeak(context) && !context.reply.active && triesLeft(context);

/** The caller has said something that neither has an answer nor can be told to another session in words. */
const awaitsAnswer = ({ callerTurnOpen, reply }: CallContext): boolean =>
  callerTurnOpen || (reply.active && !reply.voiced);

/** All of the reply has come, and the line plays it whatever becomes of the session. */
const isComplete = ({ reply }: CallContext): boolean => reply.voiced && !reply.active;

/** Part of the reply was heard, and more of it was to come, though the line may have nothing left to play. */
const isHalfSaid = ({ reply, callerTurnOpen }: CallContext): boolean =>
  reply.voiced && reply.active && !callerTurnOpen;

const isCurrentModel = (context: CallContext, event: CallEvent): boolean =>
  'generation' in event && event.generation === context.model.generation;

const isNewerStream = (context: CallContext, event: CallEvent): boolean =>
  event.type === 'stream.started' && event.attempt >= context.stream.attempt;

/** The event brings the second of the two sockets, and the agent owes something that no tool is still needed for. */
const canNowSpeak = (context: CallContext, event: CallEvent): boolean =>
  context.owed !== null &&
  context.tools.length === 0 &&
  ((isNewerStream(context, event) && context.model.sessionId !== null) ||
    (event.type === 'model.opened' && isCurrentModel(context, event) && context.stream.id !== null));

const isPlayedReply = ({ reply }: CallContext, event: CallEvent): boolean =>
  event.type === 'reply.played' && event.replyId === reply.id && reply.voiced;

/** A reply ended without a sound and without a tool call: the caller would hear nothing. */
const isEmptyReply = (context: CallContext, event: CallEvent): boolean =>
  event.type === 'reply.finished' &&
  event.replyId === context.reply.id &&
  !event.voiced &&
  event.toolCalls === 0 &&
  event.status !== 'cancelled';

/** Neither a turn of the caller nor a goodbye is about to cause a reply. */
const hasFreeFloor = (context: CallContext): boolean =>
  canSpeak(context) && !context.callerTurnOpen && context.hangUpCall === null;

const isLastTool = (context: CallContext, event: CallEvent): boolean =>
  event.type === 'tool.finished' && context.tools.length === 1 && context.tools[0] === event.toolCallId;

export const call = setup({
  types: {
    context: {} as CallContext,
    events: {} as CallEvent,
    input: {} as CallInput,
    tags: {} as 'streaming' | 'recovering' | 'conversation' | 'ending',
  },
  actions: {
    ...commands,
    noteClaim: assign(({ context, event }) =>
      event.type !== 'owner.claimed'
        ? {}
        : {
            instance: event.instance,
            stream: { ...context.stream, attempt: event.attempt ?? context.stream.attempt },
          },
    ),
    /** Everything that lived in the process that owned the call is gone. */
    forgetProcess: assign(({ context, event }) =>
      event.type !== 'owner.claimed'
        ? {}
        : {
            instance: event.instance,
            stream: { id: null, attempt: event.attempt ?? context.stream.attempt },
            asks: 0,
            model: { ...context.model, sessionId: null, tries: 0, backoffMs: 0 },
            reply: noReply,
            owed: awaitsAnswer(context) && context.owed === null ? ('repeat' as const) : context.owed,
            callerTurnOpen: false,
          },
    ),
    noteStream: assign(({ event }) =>
      event.type !== 'stream.started'
        ? {}
        : { stream: { id: event.streamId, attempt: event.attempt }, asks: 0 },
    ),
    forgetStream: assign(({ context }) => ({ stream: { ...context.stream, id: null } })),
    countAsk: assign(({ context }) => ({ asks: context.asks + 1 })),
    nextGeneration: assign(({ context }) => ({
      model: { ...context.model, generation: context.model.generation + 1, sessionId: null },
    })),
    noteModel: assign(({ context, event }) =>
      event.type !== 'model.opened'
        ? {}
        : { model: { ...context.model, sessionId: event.sessionId, backoffMs: 0 } },
    ),
    /** A session that ended, or that never came within its time. */
    loseModel: assign(({ context, event }) => ({
      model: {
        ...context.model,
        sessionId: null,
        tries: context.model.tries + 1,
        backoffMs: event.type === 'model.closed' ? backoffMs(context, event) : 0,
      },
      reply: isComplete(context) ? context.reply : noReply,
      owed: context.owed ?? (isHalfSaid(context) ? ('continuation' as const) : null),
      callerTurnOpen: false,
    })),
    noteCallerSpeaking: assign(() => ({ callerTurnOpen: true, owed: null })),
    closeCallerTurn: assign(() => ({ callerTurnOpen: false })),
    /** From here on a new session can be told in words what the caller said; before, only its audio can tell. */
    oweAnswer: assign(() => ({ owed: 'answer' as const })),
    freshReplyTries: assign(({ context }) => ({ reply: { ...context.reply, tries: 0 } })),
    noteReply: assign(({ context, event }) =>
      event.type !== 'reply.started'
        ? {}
        : {
            reply: { id: event.replyId, active: true, voiced: false, tries: context.reply.tries },
            toolAnswerOwed: false,
          },
    ),
    noteVoice: assign(({ context }) => ({
      owed: 'continuation' as const,
      reply: { ...context.reply, voiced: true, tries: 0 },
      // Only a session that speaks is a good one: a poisoned one opens as well.
      model: { ...context.model, tries: 0 },
    })),
    noteReplyFinished: assign(({ context, event }) =>
      event.type !== 'reply.finished' || event.replyId !== context.reply.id
        ? {}
        : { reply: { ...context.reply, active: false } },
    ),
    nothingOwed: assign(() => ({ owed: null })),
    countReplyTry: assign(({ context }) => ({ reply: { ...context.reply, tries: context.reply.tries + 1 } })),
    noteTool: assign(({ context, event }) =>
      event.type !== 'tool.requested'
        ? {}
        : { tools: [...context.tools, event.toolCallId], toolAnswerOwed: false },
    ),
    settleTool: assign(({ context, event }) => {
      if (event.type !== 'tool.finished') return {};
      const tools = context.tools.filter((open) => open !== event.toolCallId);
      const done = tools.length === 0;
      return { tools, toolAnswerOwed: done, owed: done ? ('answer' as const) : context.owed };
    }),
    noteHangUpCall: assign(({ context, event }) =>
      event.type !== 'tool.requested'
        ? {}
        : { hangUpCall: event.toolCallId, owed: context.owed ?? ('farewell' as const) },
    ),
    forgetHangUpCall: assign(() => ({ hangUpCall: null })),
    oweFarewell: assign(() => ({ owed: 'farewell' as const })),
    endBecause: assign((_, { reason }: { reason: string }) => ({ endReason: reason })),
    apologiseBecause: assign((_, { reason }: { reason: string }) => ({ endReason: reason, apology: true })),
    /** The carrier says that the call is over: why is what was decided here, else the carrier's word. */
    noteCarrierEnd: assign(({ context, event }) =>
      event.type !== 'carrier.reported'
        ? {}
        : {
            endReason:
              context.endReason ??
              (event.status === 'completed' ? 'caller.hungUp' : `carrier.${event.status}`),
          },
    ),
  },
  guards: {
    /** The call came to another process, or this one lost everything of it. */
    byAnother: ({ context, event }) =>
      event.type === 'owner.claimed' &&
      (event.instance !== context.instance || event.why === 'restarted' || event.why === 'orphan'),
    currentStream: ({ context, event }) => 'streamId' in event && event.streamId === context.stream.id,
    newerStream: ({ context, event }) => isNewerStream(context, event),
    asksLeft: ({ context }) => context.asks < context.settings.askCarrierTries,
    carrierEnded: ({ event }) => event.type === 'carrier.reported' && isOver(event.status),
    currentModel: ({ context, event }) => isCurrentModel(context, event),
    modelTriesLeft: ({ context }) => context.model.tries + 1 < context.settings.modelTries,
    finalRefusal: ({ context, event }) =>
      event.type === 'model.closed' && isCurrentModel(context, event) && event.reaction === 'giveUp',
    retryableLoss: ({ context, event }) =>
      event.type === 'model.closed' &&
      isCurrentModel(context, event) &&
      context.model.tries + 1 < context.settings.modelTries,
    canNowSpeak: ({ context, event }) => canNowSpeak(context, event),
    /** As `canNowSpeak`, for an answer that nobody has asked the model for. */
    toolAnswerNowPossible: ({ context, event }) =>
      canNowSpeak(context, event) && context.toolAnswerOwed && !context.reply.active,
    canSpeak: ({ context }) => canSpeak(context),
    /** Part of a reply, or a whole one that nobody has heard of yet, is lost with its session. */
    replyCut: ({ context, event }) =>
      isCurrentModel(context, event) && context.reply.id !== null && !isComplete(context),
    replyPlaysOn: ({ context, event }) => isCurrentModel(context, event) && isComplete(context),
    openTurnTranscribed: ({ context, event }) =>
      event.type === 'caller.transcribed' && event.transcript !== null && awaitsAnswer(context),
    playedReply: ({ context, event }) => isPlayedReply(context, event),
    playedBeforeToolAnswer: ({ context, event }) => isPlayedReply(context, event) && context.toolAnswerOwed,
    currentReply: ({ context, event }) => 'replyId' in event && event.replyId === context.reply.id,
    /** The reply that was played is over, and the one asked for after it has no sound yet. */
    earlierReply: ({ context, event }) =>
      event.type === 'reply.played' && event.replyId !== context.reply.id && !context.reply.voiced,
    emptyReply: ({ context, event }) => isEmptyReply(context, event),
    emptyReplyWithTriesLeft: ({ context, event }) =>
      isEmptyReply(context, event) && canSpeak(context) && triesLeft(context),
    canAskAgain: ({ context }) => canAskAgain(context),
    replyActive: ({ context }) => context.reply.active,
    voicedReplyActive: ({ context }) => context.reply.active && context.reply.voiced,
    /** No reply can begin: the model waits for a tool, or the sound of it for a line. */
    replyMustWait: ({ context }) => context.tools.length > 0 || context.stream.id === null,
    currentVoicedReply: ({ context, event }) =>
      event.type === 'reply.finished' && event.replyId === context.reply.id && event.voiced,
    cancelledReply: ({ context, event }) =>
      event.type === 'reply.finished' && event.replyId === context.reply.id && event.status === 'cancelled',
    hangUpTool: ({ event }) => event.type === 'tool.requested' && event.name === hangUpTool,
    lastTool: ({ context, event }) => isLastTool(context, event),
    openTool: ({ context, event }) =>
      event.type === 'tool.finished' && context.tools.includes(event.toolCallId),
    newTool: ({ context, event }) =>
      event.type === 'tool.requested' &&
      event.name !== hangUpTool &&
      !context.tools.includes(event.toolCallId) &&
      context.tools.length < openToolsLimit,
    /** The last outcome is in, and nothing else is about to cause a reply. */
    lastToolOnFreeFloor: ({ context, event }) =>
      isLastTool(context, event) && hasFreeFloor(context) && !context.reply.active,
    toolAnswerDue: ({ context, event }) =>
      event.type === 'reply.finished' &&
      event.replyId === context.reply.id &&
      context.toolAnswerOwed &&
      hasFreeFloor(context),
    apologyDue: ({ context }) => context.apology,
    hangUpFailed: ({ event }) => event.type === 'hangUp.finished' && event.outcome === 'unreachable',
  },
  delays: {
    longestCall: ({ context, event }) =>
      Math.max(0, context.startedAt + context.settings.longestCallMs - event.at),
    streamStart: ({ context }) => context.settings.streamStartMs,
    reattach: ({ context }) => context.settings.reattachMs,
    askCarrier: ({ context }) => context.settings.askCarrierMs,
    starved: ({ context }) => context.settings.starvedMs,
    modelConnect: ({ context }) => context.settings.modelConnectMs,
    modelBackoff: ({ context }) => context.model.backoffMs,
    replyStart: ({ context }) => context.settings.replyStartMs,
    playbackStall: ({ context }) => context.settings.playbackStallMs,
    farewell: ({ context }) => context.settings.farewellMs,
    ending: ({ context }) => context.settings.endingMs,
  },
});
