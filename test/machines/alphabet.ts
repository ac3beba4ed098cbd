/**
 * Every fact that can meet a call, with the ids that matter in its state: the edges of the state graph.
 * `factsAt` goes further than the far sides ever would; `likelyFactsAt` leaves out what only an open session tells.
 */
import type { AnyStateNode } from 'xstate';
import { type CallContext, chartNumber } from '../../src/machines/call/context.ts';
import { callMachine } from '../../src/machines/call/machine.ts';
import { type Draft, type DraftOf, entryFormat } from '../../src/machines/entries.ts';
import { type Settings, settingsSchema } from '../../src/machines/settings.ts';
import type { CallState } from '../../src/runtime/step.ts';
import { nodesOf } from './support/configuration.ts';
import { placesOf } from './support/places.ts';

/** Small limits keep the graph small; no behaviour hangs on their size. */
export const smallSettings: Settings = settingsSchema.parse({
  longestCallMs: 120_000,
  streamTries: 2,
  askCarrierTries: 1,
  modelTries: 2,
  replyTries: 1,
  transferLimitMs: 240_000,
});

/** Attempts of streams are only compared. */
const mostAttempts = 3;

export const created: DraftOf<'call.created'> = {
  type: 'call.created',
  format: entryFormat,
  chart: chartNumber,
  agent: 'digest',
  direction: 'incoming',
  carrierCallId: 'CA1',
  from: null,
  to: null,
  traceId: 'a'.repeat(32),
  settings: smallSettings,
};

/** What an edge hangs on. */
export interface Sight {
  context: CallContext;
  /** `ringing`, `live`, `transferring.dialing`. */
  top: string;
  /** `streaming.steady`, for a region of a live call. */
  placeIn(region: string): string;
  isArmed(timer: string): boolean;
}

type Edge = (sight: Sight) => Draft | null;

const live =
  (edge: Edge): Edge =>
  (sight) =>
    sight.top === 'ringing' ? null : edge(sight);

const always =
  (fact: Draft): Edge =>
  () =>
    fact;

const streamIdOf = ({ stream }: CallContext): string => stream.id ?? 'none';
const replyIdOf = ({ reply }: CallContext): string => reply.id ?? 'reply';
const otherReplyIdOf = (context: CallContext): string => (replyIdOf(context) === 'reply' ? 'other' : 'reply');

const ownership: Record<string, Edge> = {
  'claimed by the first process': (sight) =>
    sight.top === 'ringing' ? { type: 'owner.claimed', instance: 'one', why: 'created' } : null,
  'claimed by its own process for a stream': live(({ context }) =>
    context.stream.attempt >= mostAttempts
      ? null
      : {
          type: 'owner.claimed',
          instance: context.instance ?? 'one',
          why: 'stream',
          attempt: context.stream.attempt + 1,
        },
  ),
  'claimed by another process for a stream': live(({ context }) =>
    context.stream.attempt >= mostAttempts
      ? null
      : {
          type: 'owner.claimed',
          instance: context.instance === 'two' ? 'three' : 'two',
          why: 'stream',
          attempt: context.stream.attempt + 1,
        },
  ),
  'claimed as an orphan': live(always({ type: 'owner.claimed', instance: 'two', why: 'orphan' })),
  // Whoever writes the first entry claims the call with it.
  'answered by us': ({ top, context }) =>
    top === 'ringing' && context.instance !== null ? { type: 'call.answered', by: 'us' } : null,
  'move requested': live(always({ type: 'move.requested', by: 'drain', withinMs: 30_000 })),
};

const started = (attempt: number): Draft => ({
  type: 'stream.started',
  streamId: `stream${attempt}`,
  attempt,
});

const streams: Record<string, Edge> = {
  'stream requested': live(({ context }) => ({
    type: 'stream.requested',
    attempt: context.stream.attempt + 1,
  })),
  'stream misdirected': live(({ context }) => ({
    type: 'stream.misdirected',
    attempt: context.stream.attempt + 1,
  })),
  'stream started': live(({ context }) => started(Math.max(1, context.stream.attempt))),
  'older stream started': live(({ context }) =>
    context.stream.attempt < 2 ? null : started(context.stream.attempt - 1),
  ),
  'move confirmed': live(({ context }) => ({ type: 'move.confirmed', streamId: streamIdOf(context) })),
  'stream stopped': live(({ context }) => ({ type: 'stream.stopped', streamId: streamIdOf(context) })),
  'stream closed': live(({ context }) => ({
    type: 'stream.closed',
    streamId: streamIdOf(context),
    code: 1006,
  })),
  'stream closed in order': live(({ context }) => ({
    type: 'stream.closed',
    streamId: streamIdOf(context),
    code: 1000,
  })),
  'stream failed': live(({ context }) => ({
    type: 'stream.failed',
    streamId: streamIdOf(context),
    error: 'broken',
  })),
  'other stream closed': live(always({ type: 'stream.closed', streamId: 'another', code: 1006 })),
  'media starved': live(({ context }) => ({
    type: 'media.starved',
    streamId: streamIdOf(context),
    silentMs: 1_500,
  })),
  'media resumed': live(({ context }) => ({ type: 'media.resumed', streamId: streamIdOf(context) })),
};

const redirectFinished = (outcome: DraftOf<'redirect.finished'>['outcome']): Edge =>
  live(always({ type: 'redirect.finished', outcome }));

const carrier: Record<string, Edge> = {
  'carrier: completed': always({ type: 'carrier.reported', status: 'completed', source: 'callback' }),
  'carrier: in progress': live(always({ type: 'carrier.reported', status: 'in-progress', source: 'fetch' })),
  'carrier: failed': live(always({ type: 'carrier.reported', status: 'failed', source: 'fetch' })),
  'carrier unreachable': live(always({ type: 'carrier.unreachable', cause: 'refused' })),
  redirected: redirectFinished('redirected'),
  'redirect refused': redirectFinished('refused'),
  'redirect unreachable': redirectFinished('unreachable'),
};

const opened = (generation: number): Draft => ({
  type: 'model.opened',
  generation: Math.max(1, generation),
  sessionId: 'session',
  expiresAt: 1_200_000,
});

const closed = (generation: number, reaction: 'retry' | 'giveUp'): Draft => ({
  type: 'model.closed',
  generation: Math.max(1, generation),
  code: 1006,
  cause: 'dropped',
  reaction,
  retryAfterMs: null,
  jitter: 0.5,
});

const ofNewest = (edge: (generation: number) => Draft): Edge =>
  live(({ context: { model } }) => (model.newest === model.generation ? null : edge(model.newest)));

const model: Record<string, Edge> = {
  'session opened': live(({ context }) => opened(context.model.generation)),
  'session closed': live(({ context }) => closed(context.model.generation, 'retry')),
  'session refused': live(({ context }) => closed(context.model.generation, 'giveUp')),
  'next session opened': ofNewest(opened),
  'next session closed': ofNewest((generation) => closed(generation, 'retry')),
  'next session refused': ofNewest((generation) => closed(generation, 'giveUp')),
};

const finished = (
  replyId: string,
  voiced: boolean,
  toolCalls: number,
  status: DraftOf<'reply.finished'>['status'] = 'completed',
): Draft => ({ type: 'reply.finished', replyId, status, cause: null, voiced, toolCalls, usage: null });

const ofReply = (edge: (replyId: string) => Draft): Edge => live(({ context }) => edge(replyIdOf(context)));

const turns: Record<string, Edge> = {
  'caller starts': live(always({ type: 'caller.startedSpeaking', itemId: 'caller' })),
  'caller stops': live(always({ type: 'caller.stoppedSpeaking', itemId: 'caller', silenceMs: 500 })),
  'caller transcribed': live(
    always({ type: 'caller.transcribed', itemId: 'caller', transcript: { bytes: 3 } }),
  ),
  'reply started': live(({ context }) => ({ type: 'reply.started', replyId: otherReplyIdOf(context) })),
  'reply extended': ofReply((replyId) => ({ type: 'reply.extended', replyId })),
  'reply voiced': ofReply((replyId) => ({ type: 'reply.voiced', replyId, itemId: 'item' })),
  'reply progressed': live(
    always({ type: 'reply.progressed', itemId: 'item', receivedMs: 200, playedMs: 100 }),
  ),
  'reply played': ofReply((replyId) => ({ type: 'reply.played', replyId })),
  'earlier reply played': live(({ context }) => ({ type: 'reply.played', replyId: otherReplyIdOf(context) })),
  'reply finished with sound': ofReply((replyId) => finished(replyId, true, 0)),
  // A reply that asks to hang up has a tool call.
  'reply finished empty': live((sight) =>
    sight.top === 'live' && sight.placeIn('farewell') === 'announced'
      ? null
      : finished(replyIdOf(sight.context), false, 0),
  ),
  'reply finished with a tool call': ofReply((replyId) => finished(replyId, false, 1)),
  'reply cancelled': ofReply((replyId) => finished(replyId, false, 0, 'cancelled')),
  'reply failed': live((sight) =>
    sight.top === 'live' && sight.placeIn('farewell') === 'announced'
      ? null
      : finished(replyIdOf(sight.context), false, 0, 'failed'),
  ),
  'reply failed after sound': ofReply((replyId) => finished(replyId, true, 0, 'failed')),
  'reply cut short after sound': ofReply((replyId) => ({
    ...finished(replyId, true, 0, 'incomplete'),
    cause: 'max_output_tokens',
  })),
};

const asked = (toolCallId: string, name: string): Draft => ({
  type: 'tool.requested',
  toolCallId,
  replyId: 'reply',
  name,
  effect: 'none',
  arguments: { bytes: 2 },
});

const handOn = (toolCallId: string): Draft => ({
  type: 'transfer.requested',
  by: 'agent',
  destination: { bytes: 3 },
  toolCallId,
});

const transferFinished = (outcome: DraftOf<'transfer.finished'>['outcome']): Edge =>
  live(always({ type: 'transfer.finished', outcome }));

const tools: Record<string, Edge> = {
  'tool requested': live(({ context: { tools } }) => (tools.length > 0 ? null : asked('tool1', 'find'))),
  // More of them add states, not behaviour: the chart asks only for none, the last one, and one of them.
  'second tool requested': live(({ context: { tools } }) =>
    tools.length === 1 ? asked(tools.includes('tool1') ? 'tool2' : 'tool1', 'find') : null,
  ),
  // The tool call of a transfer that is being carried out has no result before the outcome.
  'tool finished': live(({ context: { transfer, tools } }) => {
    const toolCallId = tools.find((open) => open !== transfer?.toolCallId);
    return toolCallId === undefined
      ? null
      : { type: 'tool.finished', toolCallId, outcome: 'completed', result: { bytes: 2 } };
  }),
  'unknown tool finished': live(
    always({ type: 'tool.finished', toolCallId: 'unknown', outcome: 'failed', result: { bytes: 2 } }),
  ),
  'agent asks to hang up': live(always(asked('bye', 'hang_up'))),
  // Its tool call is open.
  'agent asks to hand on': live(({ context: { transfer, tools } }) => {
    const toolCallId = transfer?.toolCallId ?? tools[0];
    return toolCallId === undefined ? null : handOn(toolCallId);
  }),
  'agent asks to hand on once more': live((sight) =>
    sight.top === 'live' && sight.placeIn('farewell') === 'none' ? null : handOn('another'),
  ),
  'operator asks to hand on': live(
    always({ type: 'transfer.requested', by: 'operator', destination: { bytes: 3 }, toolCallId: null }),
  ),
  'transfer completed': transferFinished('completed'),
  'transfer not answered': transferFinished('no-answer'),
};

const ends: Record<string, Edge> = {
  'announcement requested': live(
    always({ type: 'announcement.requested', by: 'operator', words: { bytes: 3 } }),
  ),
  'operator hangs up': live(always({ type: 'hangUp.requested', by: 'operator' })),
  'hung up': live(always({ type: 'hangUp.finished', outcome: 'completed' })),
  'hang-up refused': live(always({ type: 'hangUp.finished', outcome: 'refused' })),
  'hang-up unreachable': live(always({ type: 'hangUp.finished', outcome: 'unreachable' })),
  'call ended': live(always({ type: 'call.ended', reason: 'done' })),
  'call declined': live(always({ type: 'call.declined', cause: 'journal' })),
  'journal lost': live(always({ type: 'journal.lost', queuedEntries: 1_001, stalledMs: 10 })),
};

/** Every timer of the chart. */
const timers: Record<string, Edge> = Object.fromEntries(
  nodesOf(callMachine.root as AnyStateNode)
    .flatMap(({ after }) => after.map(({ eventType }) => eventType))
    .map((timer) => [timer, ({ isArmed }) => (isArmed(timer) ? { type: 'timer.elapsed', timer } : null)]),
);

/** Every edge by its name. */
export const edges: Record<string, Edge> = {
  ...ownership,
  ...streams,
  ...carrier,
  ...model,
  ...turns,
  ...tools,
  ...ends,
  ...timers,
};

export function sightOf({ snapshot, due }: CallState): Sight {
  const { top, regions } = placesOf(snapshot.value);
  return {
    context: snapshot.context,
    top,
    placeIn: (region) => regions[region] ?? '',
    isArmed: (timer) => due.has(timer),
  };
}

/** The facts that can come next. */
export function factsAt(state: CallState): Draft[] {
  const sight = sightOf(state);
  return Object.values(edges).flatMap((edge) => edge(sight) ?? []);
}

const toldBySession = /^(caller\.|reply\.(started|extended|finished)|tool\.requested)/;

/** A session that is not open tells nothing (`src/runtime/ports/model.ts`, L1). Once a call ends nobody asks. */
export const isLikely = ({ top, context }: Sight, { type }: Draft): boolean =>
  top !== 'live' || !toldBySession.test(type) || context.model.sessionId !== null;

export function likelyFactsAt(state: CallState): Draft[] {
  const sight = sightOf(state);
  return factsAt(state).filter((fact) => isLikely(sight, fact));
}
