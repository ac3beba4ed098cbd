/** Frozen with chart 1: every fact that could meet a call of it, with the ids that matter there. */
import type { Draft } from '../../src/machines/entries.ts';
import type { CallState } from '../../src/runtime/step.ts';

const settings = {
  longestCallMs: 120_000,
  streamStartMs: 15_000,
  reattachMs: 6_000,
  askCarrierMs: 3_000,
  askCarrierTries: 2,
  streamTries: 4,
  starvedMs: 8_000,
  modelConnectMs: 10_000,
  modelBackoffMs: 250,
  modelBackoffLongestMs: 5_000,
  modelTries: 3,
  replyStartMs: 6_000,
  replyTries: 1,
  playbackStallMs: 5_000,
  farewellMs: 15_000,
  endingMs: 10_000,
};

export const created = {
  type: 'call.created',
  format: 1,
  chart: 1,
  agent: 'digest',
  direction: 'incoming',
  carrierCallId: 'CA1',
  from: null,
  to: null,
  traceId: 'a'.repeat(32),
  settings,
} as Draft;

const closed = (generation: number, reaction: 'retry' | 'giveUp'): Draft => ({
  type: 'model.closed',
  generation,
  code: 1006,
  cause: 'dropped',
  reaction,
  retryAfterMs: null,
  jitter: 0.5,
});

const finished = (
  replyId: string,
  voiced: boolean,
  toolCalls: number,
  status: 'completed' | 'cancelled',
): Draft => ({
  type: 'reply.finished',
  replyId,
  status,
  cause: null,
  voiced,
  toolCalls,
  usage: null,
});

function streamFacts({ snapshot }: CallState): Draft[] {
  const { stream } = snapshot.context;
  const streamId = stream.id ?? 'none';
  const next = stream.attempt + 1;
  const started: Draft[] =
    next > 3
      ? []
      : [
          { type: 'owner.claimed', instance: 'one', why: 'stream', attempt: next },
          {
            type: 'stream.started',
            streamId: `stream${stream.attempt}`,
            attempt: Math.max(1, stream.attempt),
          },
        ];
  return [
    ...started,
    { type: 'stream.stopped', streamId },
    { type: 'stream.closed', streamId, code: 1006 },
    { type: 'stream.failed', streamId, error: 'broken' },
    { type: 'media.starved', streamId, silentMs: 1_500 },
    { type: 'media.resumed', streamId },
    { type: 'carrier.reported', status: 'completed', source: 'callback' },
    { type: 'carrier.reported', status: 'in-progress', source: 'fetch' },
    { type: 'carrier.reported', status: 'failed', source: 'fetch' },
    { type: 'carrier.unreachable', cause: 'refused' },
  ];
}

function modelFacts({ snapshot }: CallState): Draft[] {
  const { generation } = snapshot.context.model;
  return [
    { type: 'model.opened', generation: Math.max(1, generation), sessionId: 'session', expiresAt: null },
    closed(Math.max(1, generation), 'retry'),
    closed(Math.max(1, generation), 'giveUp'),
  ];
}

function turnFacts({ snapshot }: CallState): Draft[] {
  const replyId = snapshot.context.reply.id ?? 'reply';
  const other = replyId === 'reply' ? 'other' : 'reply';
  return [
    { type: 'caller.startedSpeaking', itemId: 'caller' },
    { type: 'caller.stoppedSpeaking', itemId: 'caller', silenceMs: 500 },
    { type: 'caller.transcribed', itemId: 'caller', transcript: { bytes: 3 } },
    { type: 'reply.started', replyId: other },
    { type: 'reply.voiced', replyId, itemId: 'item' },
    { type: 'reply.progressed', itemId: 'item', receivedMs: 200, playedMs: 100 },
    { type: 'reply.played', replyId },
    finished(replyId, true, 0, 'completed'),
    // A reply that asks to hang up has a tool call.
    ...(snapshot.matches({ live: { farewell: 'announced' } })
      ? []
      : [finished(replyId, false, 0, 'completed')]),
    finished(replyId, false, 1, 'completed'),
    finished(replyId, false, 0, 'cancelled'),
  ];
}

const toolFacts: Draft[] = [
  {
    type: 'tool.requested',
    toolCallId: 'tool',
    replyId: 'reply',
    name: 'find',
    effect: 'none',
    arguments: { bytes: 2 },
  },
  {
    type: 'tool.requested',
    toolCallId: 'bye',
    replyId: 'reply',
    name: 'hang_up',
    effect: 'none',
    arguments: { bytes: 2 },
  },
  { type: 'tool.finished', toolCallId: 'tool', outcome: 'completed', result: { bytes: 2 } },
  { type: 'hangUp.requested', by: 'operator' },
  { type: 'hangUp.finished', outcome: 'completed' },
  { type: 'hangUp.finished', outcome: 'unreachable' },
  { type: 'call.ended', reason: 'done' },
  { type: 'journal.lost', queuedEntries: 1_001, stalledMs: 10 },
];

/** The facts that can come next. At most one tool call is open: a second adds states, not behaviour. */
export function factsAt(state: CallState): Draft[] {
  if (state.snapshot.value === 'ringing') {
    return [
      { type: 'owner.claimed', instance: 'one', why: 'created' },
      { type: 'call.answered', by: 'us' },
      { type: 'carrier.reported', status: 'completed', source: 'callback' },
      ...timers(state),
    ];
  }
  const open = state.snapshot.context.tools.length;
  return [
    { type: 'owner.claimed', instance: 'two', why: 'orphan' },
    ...streamFacts(state),
    ...modelFacts(state),
    ...turnFacts(state),
    ...toolFacts.filter((fact) => open === 0 || fact.type !== 'tool.requested' || fact.name === 'hang_up'),
    ...timers(state),
  ];
}

const timers = ({ due }: CallState): Draft[] =>
  [...due.keys()].map((timer) => ({ type: 'timer.elapsed', timer }));
