/**
 * Owns: how each fact changes what the call chart remembers.
 * Does not own: when (the region files), what is remembered (`context.ts`).
 *
 * Invariants:
 * M1. An assignment is a function of context and event alone; `event.at` is the only time.
 */
import type { FixedWords } from '../commands.ts';
import type { DraftOf } from '../entries.ts';
import {
  awaitsAnswer,
  type CallContext,
  isBrokenOff,
  isComplete,
  isCutOff,
  isHalfSaid,
  lifeOf,
  noReply,
  type Scope,
} from './context.ts';

type Change = Partial<CallContext>;

/** WebSocket close codes of an orderly end (RFC 6455 section 7.4.1): 1005 stands for a frame without a code. */
const orderlyCodes: ReadonlySet<number> = new Set([1000, 1005]);

// Who owns the call, and its stream

export const noteClaim = ({ context, event }: Scope): Change =>
  event.type !== 'owner.claimed'
    ? {}
    : {
        instance: event.instance,
        stream: { ...context.stream, attempt: event.attempt ?? context.stream.attempt },
      };

/** Everything that lived in the process that owned the call is gone. */
export const forgetProcess = ({ context, event }: Scope): Change =>
  event.type !== 'owner.claimed'
    ? {}
    : {
        instance: event.instance,
        stream: {
          ...context.stream,
          id: null,
          attempt: event.attempt ?? context.stream.attempt,
          // A first stream may have begun and died with the process before anybody could write it down.
          cut: context.stream.cut || context.stream.id !== null || context.stream.attempt === 0,
        },
        asks: 0,
        move: null,
        model: { ...context.model, sessionId: null, life: null, tries: 0, backoffMs: 0 },
        reply: noReply,
        filler: 'none',
        owed: awaitsAnswer(context) && context.owed === null ? 'repeat' : context.owed,
        callerTurnOpen: false,
      };

export const noteStream = ({ context, event }: Scope): Change =>
  event.type !== 'stream.started'
    ? {}
    : {
        stream: { id: event.streamId, attempt: event.attempt, tries: context.stream.tries, cut: false },
        asks: 0,
        move: null,
      };

export const loseStream = ({ context, event }: Scope): Change => {
  const isCut = event.type === 'stream.failed' || (event.type === 'stream.closed' && !isOrderly(event));
  return { stream: { ...context.stream, id: null, cut: context.stream.cut || isCut } };
};

const isOrderly = ({ code }: DraftOf<'stream.closed'>): boolean => orderlyCodes.has(code);

/** We end the stream ourselves: should the carrier end the call for it, the caller has not hung up. */
export const cutStream = ({ context: { stream } }: Scope): Change => ({
  stream: { ...stream, cut: stream.cut || stream.id !== null },
});

/** The carrier was told to end it: should the call end now, it did not for that. */
export const giveUpStream = ({ context: { stream } }: Scope): Change => ({
  stream: { ...stream, id: null, cut: false },
});

/** It never was one: should the carrier end the call for it, the caller has not hung up. */
export const failStream = ({ context: { stream } }: Scope): Change => ({ stream: { ...stream, cut: true } });

export const settleStream = ({ context }: Scope): Change => ({ stream: { ...context.stream, tries: 0 } });

export const countStreamTry = ({ context: { stream, settings } }: Scope): Change => ({
  stream: { ...stream, tries: Math.min(settings.streamTries, stream.tries + 1) },
});

export const forgetStreamTry = ({ context: { stream } }: Scope): Change => ({
  stream: { ...stream, tries: Math.max(0, stream.tries - 1) },
});

export const countAsk = ({ context }: Scope): Change => ({ asks: context.asks + 1 });

export const forgetAsks = (): Change => ({ asks: 0 });

/** Of two deadlines the earlier one holds. */
export const noteMove = ({ context: { move }, event }: Scope): Change => {
  if (event.type !== 'move.requested') return {};
  const dueAt = event.at + event.withinMs;
  return move !== null && move.dueAt <= dueAt ? {} : { move: { by: event.by, dueAt } };
};

// The model's sessions

/** Exponential backoff with jitter between half and the whole step, never below what the far side asked for. */
function backoffMs({ model, settings }: CallContext, event: DraftOf<'model.closed'>): number {
  const stepMs = Math.min(settings.modelBackoffLongestMs, settings.modelBackoffMs * 2 ** model.tries);
  return Math.round(Math.max(event.retryAfterMs ?? 0, stepMs * (0.5 + event.jitter / 2)));
}

export const nextGeneration = ({ context: { model } }: Scope): Change => ({
  model: {
    ...model,
    generation: model.newest + 1,
    newest: model.newest + 1,
    sessionId: null,
    life: null,
    next: null,
  },
});

/** The session that serves stays; another one is opened beside it. */
export const addGeneration = ({ context: { model } }: Scope): Change => ({
  model: { ...model, newest: model.newest + 1 },
});

export const noteModel = ({ context, event }: Scope): Change =>
  event.type !== 'model.opened'
    ? {}
    : {
        model: {
          ...context.model,
          generation: event.generation,
          sessionId: event.sessionId,
          life: lifeOf(event),
          backoffMs: 0,
        },
      };

export const noteNextModel = ({ context: { model }, event }: Scope): Change =>
  event.type !== 'model.opened'
    ? {}
    : { model: { ...model, next: { sessionId: event.sessionId, life: lifeOf(event) } } };

/** From here on the session that stood by serves. */
export const takeNextModel = ({ context: { model } }: Scope): Change => ({
  model: {
    ...model,
    generation: model.newest,
    sessionId: model.next?.sessionId ?? null,
    life: model.next?.life ?? null,
    next: null,
    backoffMs: 0,
  },
});

export const forgetNextModel = ({ context: { model } }: Scope): Change => ({
  model: { ...model, next: null },
});

/** A session that ended, or that never came within its time. */
export const loseModel = ({ context, event }: Scope): Change => ({
  model: {
    ...context.model,
    sessionId: null,
    life: null,
    tries: context.model.tries + 1,
    backoffMs: event.type === 'model.closed' ? backoffMs(context, event) : 0,
  },
  reply: isComplete(context) ? context.reply : noReply,
  filler: 'none',
  owed: context.owed ?? (isHalfSaid(context) ? 'continuation' : null),
  callerTurnOpen: false,
});

// The turns

export const noteCallerSpeaking = ({ context }: Scope): Change => ({
  callerTurnOpen: true,
  owed: null,
  fixedWords: null,
  filler: 'none',
  announcement: context.announcement === 'asked' ? 'waiting' : context.announcement,
});

export const closeCallerTurn = (): Change => ({ callerTurnOpen: false });

/** From here on a new session can be told in words what the caller said; before, only its audio can tell. */
export const oweAnswer = (): Change => ({ owed: 'answer' });

/** The line was dead for so long that the caller may have spoken in vain. */
export const oweRepeat = ({ context: { owed, stream } }: Scope): Change =>
  owed === null && stream.attempt > 0 ? { owed: 'repeat' } : {};

export const oweContinuation = (): Change => ({ owed: 'continuation' });

export const nothingOwed = (): Change => ({ owed: null });

export const freshReplyTries = ({ context }: Scope): Change => ({ reply: { ...context.reply, tries: 0 } });

/** The sentence that bridges a wait answers no tool. */
export const noteReply = ({ context, event }: Scope): Change =>
  event.type !== 'reply.started'
    ? {}
    : {
        reply: { ...noReply, id: event.replyId, active: true, tries: context.reply.tries },
        toolAnswerOwed: context.filler === 'requested' && context.toolAnswerOwed,
        filler: context.filler === 'none' ? 'none' : 'begun',
      };

export const noteVoice = ({ context }: Scope): Change => ({
  owed: context.toolAnswerOwed ? 'answer' : 'continuation',
  fixedWords: fixedWordsOf(context),
  reply: { ...context.reply, voiced: true },
  announcement: context.announcement === 'asked' ? 'none' : context.announcement,
  // Only a session that speaks is a good one: a poisoned one opens as well.
  model: { ...context.model, tries: 0 },
});

/** Of the reply that begins to sound. */
function fixedWordsOf({ owed, announcement, fixedWords }: CallContext): FixedWords | null {
  if (owed === 'greeting') return owed;
  if (owed === 'announcement' && announcement === 'asked') return owed;
  return owed === 'continuation' ? fixedWords : null;
}

export const noteReplyFinished = ({ context, event }: Scope): Change =>
  event.type !== 'reply.finished' || event.replyId !== context.reply.id
    ? {}
    : {
        reply: {
          ...context.reply,
          active: false,
          // A sentence that only bridges a wait is not gone on with.
          broken: context.reply.voiced && isBrokenOff(context, event) && context.filler !== 'begun',
        },
        toolAnswerOwed: context.toolAnswerOwed || callsNobodyRuns(context, event),
      };

/** Its tool calls were answered where the session is spoken to, and another reply is on its way. */
const callsNobodyRuns = (context: CallContext, event: DraftOf<'reply.finished'>): boolean =>
  event.status === 'completed' &&
  event.toolCalls > 0 &&
  context.tools.length === 0 &&
  context.hangUpCall === null &&
  !context.callerTurnOpen;

export const countReplyTry = ({ context }: Scope): Change => ({
  reply: { ...context.reply, tries: context.reply.tries + 1 },
});

export const forgetReply = ({ context }: Scope): Change => ({
  reply: { ...noReply, tries: context.reply.tries },
});

// Tools

export const noteTool = ({ context, event }: Scope): Change =>
  event.type !== 'tool.requested'
    ? {}
    : {
        tools: [...context.tools, event.toolCallId],
        toolAnswerOwed: false,
        filler: unbegun(context),
      };

export const settleTool = ({ context, event }: Scope): Change => {
  if (event.type !== 'tool.finished') return {};
  const tools = context.tools.filter((open) => open !== event.toolCallId);
  if (tools.length > 0) return { tools };
  return { tools, toolAnswerOwed: true, owed: 'answer', filler: unbegun(context) };
};

/** A sentence that was asked for comes all the same. */
const unbegun = ({ filler }: CallContext): CallContext['filler'] =>
  filler === 'requested' ? filler : 'none';

export const noteFiller = (): Change => ({ filler: 'requested' });

/** The words that were said before are known to nobody any more. */
export const awaitAnnouncement = ({ context: { fixedWords } }: Scope): Change => ({
  announcement: 'waiting',
  fixedWords: fixedWords === 'announcement' ? null : fixedWords,
});

export const oweAnnouncement = (): Change => ({ announcement: 'asked', owed: 'announcement' });

// Handing on and hanging up

export const noteHangUpCall = ({ context, event }: Scope): Change =>
  event.type !== 'tool.requested' ? {} : { hangUpCall: event.toolCallId, owed: context.owed ?? 'farewell' };

export const forgetHangUpCall = (): Change => ({ hangUpCall: null });

/** From here on the only reply is the goodbye: nothing bridges a wait any more. */
export const oweFarewell = (): Change => ({ owed: 'farewell', filler: 'none' });

export const noteTransfer = ({ event }: Scope): Change =>
  event.type !== 'transfer.requested' ? {} : { transfer: { by: event.by, toolCallId: event.toolCallId } };

/** While the caller talks to somebody else there is neither a stream nor a session. */
export const leaveConversation = ({ context }: Scope): Change => ({
  stream: { ...context.stream, id: null },
  asks: 0,
  model: { ...context.model, sessionId: null, life: null, next: null, tries: 0, backoffMs: 0 },
  reply: noReply,
  filler: 'none',
  announcement: 'none',
  owed: null,
  fixedWords: null,
  callerTurnOpen: false,
  move: null,
});

/** The caller comes back, and hears that nobody could be reached. The agent's own request is told by its tool call. */
export const returnToConversation = ({ context }: Scope): Change => ({
  stream: { ...context.stream, tries: 0, cut: false },
  owed: context.transfer?.toolCallId ? null : 'return',
});

export const forgetTransfer = (): Change => ({ transfer: null });

export const endBecause = (_: Scope, { reason }: { reason: string }): Change => ({ endReason: reason });

export const apologiseBecause = (_: Scope, { reason }: { reason: string }): Change => ({
  endReason: reason,
  apology: true,
});

export const fallBackBecause = (_: Scope, { reason }: { reason: string }): Change => ({
  endReason: reason,
  transfer: { by: 'fallback', toolCallId: null },
});

export const apologise = (): Change => ({ apology: true });

/** The carrier says that the call is over: why is what was decided here, else the carrier's word. */
export const noteCarrierEnd = ({ context, event }: Scope): Change =>
  event.type !== 'carrier.reported' ? {} : { endReason: context.endReason ?? reasonOf(context, event) };

function reasonOf(context: CallContext, { status }: DraftOf<'carrier.reported'>): string {
  if (status !== 'completed') return `carrier.${status}`;
  return isCutOff(context) ? 'stream.lost' : 'caller.hungUp';
}
