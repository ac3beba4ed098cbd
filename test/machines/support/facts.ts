/** Facts of a call in few words, for scenarios. Ids are what the reader sees: `stream1`, `reply1`, `tool1`. */
import { chartNumber } from '../../../src/machines/call/context.ts';
import { type Draft, type DraftOf, entryFormat } from '../../../src/machines/entries.ts';
import { type Settings, settingsSchema } from '../../../src/machines/settings.ts';

type Rest<Type extends Draft['type']> = Partial<Omit<DraftOf<Type>, 'type'>>;

export const created = (settings: Partial<Settings> = {}, rest: Rest<'call.created'> = {}): Draft => ({
  type: 'call.created',
  format: entryFormat,
  chart: chartNumber,
  agent: 'digest',
  direction: 'incoming',
  carrierCallId: 'CA1',
  from: { bytes: 12 },
  to: { bytes: 12 },
  traceId: 'a'.repeat(32),
  settings: settingsSchema.parse(settings),
  ...rest,
});

export const claimed = (instance: string, rest: Rest<'owner.claimed'> = {}): Draft => ({
  type: 'owner.claimed',
  instance,
  why: 'created',
  ...rest,
});
export const claimedByAnother = claimed('two', { why: 'orphan' });
export const answered: Draft = { type: 'call.answered', by: 'us' };
export const declined: Draft = { type: 'call.declined', cause: 'journal' };
export const journalLost: Draft = { type: 'journal.lost', queuedEntries: 1_001, stalledMs: 10 };

export const streamStarted = (attempt = 1): Draft => ({
  type: 'stream.started',
  streamId: `stream${attempt}`,
  attempt,
});
export const streamStopped = (attempt = 1): Draft => ({
  type: 'stream.stopped',
  streamId: `stream${attempt}`,
});
export const streamClosed = (attempt = 1): Draft => ({
  type: 'stream.closed',
  streamId: `stream${attempt}`,
  code: 1006,
});
export const streamFailed = (attempt = 1): Draft => ({
  type: 'stream.failed',
  streamId: `stream${attempt}`,
  error: '31921',
});
export const mediaStarved: Draft = { type: 'media.starved', streamId: 'stream1', silentMs: 1_500 };
export const mediaResumed: Draft = { type: 'media.resumed', streamId: 'stream1' };
export const carrierReported = (status: DraftOf<'carrier.reported'>['status']): Draft => ({
  type: 'carrier.reported',
  status,
  source: 'callback',
});
export const streamRequested = (attempt = 2): Draft => ({ type: 'stream.requested', attempt });
export const streamClosedInOrder = (attempt = 1): Draft => ({
  type: 'stream.closed',
  streamId: `stream${attempt}`,
  code: 1000,
});
export const redirectFinished = (
  outcome: DraftOf<'redirect.finished'>['outcome'],
  rest: Rest<'redirect.finished'> = {},
): Draft => ({ type: 'redirect.finished', outcome, ...rest });
export const moveRequested = (withinMs = 30_000): Draft => ({
  type: 'move.requested',
  by: 'drain',
  withinMs,
});
export const moveConfirmed = (attempt = 1): Draft => ({
  type: 'move.confirmed',
  streamId: `stream${attempt}`,
});
export const carrierUnreachable: Draft = { type: 'carrier.unreachable', cause: 'no answer' };

export const modelOpened = (generation = 1, rest: Rest<'model.opened'> = {}): Draft => ({
  type: 'model.opened',
  generation,
  sessionId: `session${generation}`,
  expiresAt: null,
  ...rest,
});
export const modelClosed = (generation = 1, rest: Rest<'model.closed'> = {}): Draft => ({
  type: 'model.closed',
  generation,
  code: 1006,
  cause: 'dropped',
  reaction: 'retry',
  retryAfterMs: null,
  jitter: 0.5,
  ...rest,
});
export const modelRefused = (generation = 1): Draft =>
  modelClosed(generation, { code: 401, cause: 'invalid key', reaction: 'giveUp' });

export const callerStarts: Draft = { type: 'caller.startedSpeaking', itemId: 'caller' };
export const callerStops: Draft = { type: 'caller.stoppedSpeaking', itemId: 'caller', silenceMs: 500 };
export const transcribed: Draft = {
  type: 'caller.transcribed',
  itemId: 'caller',
  transcript: { bytes: 20 },
};
export const transcriptMissing: Draft = { type: 'caller.transcribed', itemId: 'caller', transcript: null };

export const replyStarted = (replyId = 'reply1'): Draft => ({ type: 'reply.started', replyId });
export const replyVoiced = (replyId = 'reply1'): Draft => ({
  type: 'reply.voiced',
  replyId,
  itemId: `item of ${replyId}`,
});
export const replyExtended = (replyId = 'reply1'): Draft => ({ type: 'reply.extended', replyId });
export const replyProgressed = (replyId = 'reply1'): Draft => ({
  type: 'reply.progressed',
  itemId: `item of ${replyId}`,
  receivedMs: 2_000,
  playedMs: 1_000,
});
export const replyFinished = (replyId = 'reply1', rest: Rest<'reply.finished'> = {}): Draft => ({
  type: 'reply.finished',
  replyId,
  status: 'completed',
  cause: null,
  voiced: true,
  toolCalls: 0,
  usage: null,
  ...rest,
});
export const toolReplyFinished = (replyId = 'reply1', rest: Rest<'reply.finished'> = {}): Draft =>
  replyFinished(replyId, { voiced: false, toolCalls: 1, ...rest });
export const emptyReplyFinished = (replyId = 'reply1', rest: Rest<'reply.finished'> = {}): Draft =>
  replyFinished(replyId, { voiced: false, ...rest });
export const replyCancelled = (replyId = 'reply1'): Draft =>
  replyFinished(replyId, { status: 'cancelled', voiced: false });
export const replyPlayed = (replyId = 'reply1'): Draft => ({ type: 'reply.played', replyId });

export const toolRequested = (toolCallId = 'tool1', name = 'find_order'): Draft => ({
  type: 'tool.requested',
  toolCallId,
  replyId: 'reply1',
  name,
  effect: 'none',
  arguments: { bytes: 2 },
});
export const hangUpToolRequested = toolRequested('bye', 'hang_up');
export const toolFinished = (toolCallId = 'tool1', rest: Rest<'tool.finished'> = {}): Draft => ({
  type: 'tool.finished',
  toolCallId,
  outcome: 'completed',
  result: { bytes: 2 },
  ...rest,
});

export const transferTool = toolRequested('handOn', 'transfer_call');
export const transferByAgent: Draft = {
  type: 'transfer.requested',
  by: 'agent',
  destination: { bytes: 12 },
  toolCallId: 'handOn',
};
export const transferByOperator: Draft = { ...transferByAgent, by: 'operator', toolCallId: null };
export const transferFinished = (outcome: DraftOf<'transfer.finished'>['outcome']): Draft => ({
  type: 'transfer.finished',
  outcome,
});

export const hangUpRequested: Draft = { type: 'hangUp.requested', by: 'operator' };
export const hangUpFinished = (outcome: DraftOf<'hangUp.finished'>['outcome']): Draft => ({
  type: 'hangUp.finished',
  outcome,
});
export const callEnded: Draft = { type: 'call.ended', reason: 'caller.hungUp' };

/** The timer with this delay name elapses, at the moment when it is due. */
export const elapsed = (delay: string): { elapsed: string } => ({ elapsed: delay });

/** A call whose conversation is under way: both sockets are open, nobody speaks, nothing is owed. */
export const quietCall = (settings: Partial<Settings> = {}): Draft[] => [
  ...greetedBy(settings),
  replyStarted('greeting'),
  replyVoiced('greeting'),
  replyFinished('greeting'),
  replyPlayed('greeting'),
];

/** A call whose sockets are open: the greeting has been asked for. */
export const greetedBy = (settings: Partial<Settings> = {}): Draft[] => [
  created(settings),
  claimed('one'),
  answered,
  modelOpened(1),
  claimed('one', { why: 'stream', attempt: 1 }),
  streamStarted(1),
];
