/**
 * Owns: every metric of the service: its name, what it says, its labels and bounds. Nothing is measured under another
 * name, and dashboards and alert rules are checked against this table.
 * Does not own: where the values come from (`metrics.ts`, `../call-meter.ts`, `../media-meter.ts`).
 *
 * Names follow Prometheus' rules: base units, `_total` on counters, no label without a bound (Q1 in `kinds.ts`).
 */
import { entrySchemas } from '../../machines/entries.ts';
import {
  counter,
  gauge,
  histogram,
  recoverySeconds,
  requestSeconds,
  shortSeconds,
  toolSeconds,
  voiceSeconds,
} from './kinds.ts';

const directions = ['caller', 'agent'] as const;
const yesOrNo = ['yes', 'no'] as const;

/** Ends that somebody wanted, or calls that nobody answered: whoever was on the line was served to the end. */
export const servedReasons = [
  'agent.hungUp',
  'caller.hungUp',
  'operator.hungUp',
  'call.tooLong',
  'call.notAnswered',
  'call.transferred',
  'carrier.busy',
  'carrier.no-answer',
  'carrier.canceled',
] as const;

/** Reasons that are not ours, such as a carrier's new status, are counted as `other`. */
const endReasons = [
  ...servedReasons,
  'transfer.unknown',
  'stream.lost',
  'model.refused',
  'model.unavailable',
  'journal.lost',
  'declined',
  'carrier.failed',
] as const;

const dependencies = ['journal', 'model', 'carrierApi', 'webhooks', 'publicAddress', 'cluster'] as const;

/** What was lost and came back. `move` is a deploy, `rollOver` the session's own end: both are on purpose. */
export const rungs = ['model', 'rollOver', 'stream', 'process', 'move'] as const;
export type Rung = (typeof rungs)[number];

const calls = {
  callsLive: gauge('calls_live', 'Calls that live in this process now.', 'sum'),
  callsInState: gauge(
    'calls_in_state',
    'Live calls of this process by region of the chart and state.',
    'sum',
    {
      region: ['carrier', 'model', 'turn', 'media', 'tools', 'silence', 'farewell', 'call'],
      state: { atMost: 60 },
    },
  ),
  calls: counter(
    'calls',
    'Calls that ended here, by reason and by whether the caller was served to the end.',
    {
      reason: endReasons,
      served: yesOrNo,
    },
  ),
  callCompletion: gauge(
    'call_completion_ratio',
    'Share of the calls that ended here whose caller was served to the end; 1 before the first.',
    { counter: 'calls', label: ['served', 'yes'], ofNothing: 1 },
  ),
  callDuration: histogram(
    'call_duration_seconds',
    'From the first entry of a call to its last.',
    [5, 15, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200],
  ),
  callsDeclined: counter('calls_declined', 'New calls that were not taken, by cause.', {
    cause: ['starting', 'draining', 'journal', 'model', 'full', 'overloaded', 'agent'],
  }),
  callsPassedOn: counter(
    'calls_passed_on',
    'New calls with which the balancer was sent to another process, by cause.',
    { cause: ['starting', 'draining', 'journal', 'model', 'full', 'overloaded'] },
  ),
  capacityUsed: gauge(
    'capacity_used_ratio',
    'Live calls of this process that talk to the agent, by its limit: 1 is full; 0 without a limit.',
    'average',
  ),
  budgetUsed: gauge(
    'budget_used_ratio',
    'What is measured by its budget: beyond 1 for some seconds, no new call is taken; 0 where there is none.',
    'max',
    { budget: ['audio', 'eventLoop', 'memory', 'quality'] },
  ),
  entries: counter('entries', 'Entries of calls, by type.', { type: Object.keys(entrySchemas) }),
  turns: counter('turns', 'Turns of callers, by what became of them.', {
    outcome: ['answered', 'interrupted', 'unanswered'],
  }),
  transfers: counter('transfers', 'Callers handed on, by outcome.', {
    outcome: ['completed', 'busy', 'no-answer', 'failed', 'canceled', 'unknown'],
  }),
} as const;

const latency = {
  voiceToVoice: histogram(
    'voice_to_voice_seconds',
    'From the end of the caller’s last word to the first sound of the answer handed to the carrier.',
    voiceSeconds,
    { tool: yesOrNo },
  ),
  answer: histogram(
    'answer_seconds',
    'From the word of turn detection to the first sound: voice to voice without the silence that it waits for.',
    voiceSeconds,
    { tool: yesOrNo },
  ),
  endOfTurn: histogram(
    'end_of_turn_seconds',
    'From the end of the caller’s last word to the word of turn detection.',
    voiceSeconds,
  ),
  modelFirstAudio: histogram(
    'model_first_audio_seconds',
    'From the start of a reply at the model to its first sound handed to the carrier.',
    voiceSeconds,
  ),
  greeting: histogram(
    'greeting_seconds',
    'From the start of a call’s first stream to the first sound of the agent.',
    voiceSeconds,
  ),
  bargeIn: histogram(
    'barge_in_seconds',
    'From the model’s word that the caller speaks to the flushed line.',
    [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5],
  ),
  markRoundTrip: histogram(
    'mark_round_trip_seconds',
    'From the moment at which the audio before a mark should have been played to its echo.',
    [0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5],
  ),
  bridge: histogram(
    'bridge_seconds',
    'Time that this process takes for one piece of audio, sampled.',
    shortSeconds,
    { direction: directions },
  ),
  modelConnect: histogram(
    'model_connect_seconds',
    'From the decision to open a session to the opened session.',
    requestSeconds,
  ),
  tool: histogram('tool_seconds', 'From a tool’s request to its outcome.', toolSeconds, {
    tool: { atMost: 12 },
    outcome: ['completed', 'failed', 'timedOut', 'unknown'],
  }),
  journalAppend: histogram(
    'journal_append_seconds',
    'From an entry’s step to its durability.',
    requestSeconds,
    { outcome: ['durable', 'conflict', 'failed'] },
  ),
  webhook: histogram('webhook_seconds', 'Answers to the carrier’s requests.', requestSeconds, {
    route: { atMost: 8 },
    status: ['2xx', '4xx', '5xx'],
  }),
} as const;

const media = {
  frames: counter('media_frames', 'Pieces of audio, by whose voice.', { direction: directions }),
  gaps: counter('media_gaps', 'Steps in the line’s timestamps beyond the audio in between.'),
  gapSeconds: counter('media_gap_seconds', 'Audio of callers that is missing by the line’s timestamps.'),
  jitter: histogram(
    'media_jitter_seconds',
    'Interarrival jitter of callers’ audio (RFC 3550, section 6.4.1), once for each call and window of 5 s.',
    [0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2],
  ),
  underruns: counter('media_underruns', 'Times that the line ran dry inside a reply.'),
  underrunSeconds: counter('media_underrun_seconds', 'How long the line was dry inside replies.'),
  overflows: counter('media_overflows', 'Times that audio was lost because the far side took too little.', {
    direction: directions,
  }),
  lostSeconds: counter('media_lost_seconds', 'Audio that was lost in overflows.', { direction: directions }),
  windows: counter(
    'media_windows',
    'Windows of 5 s of calls with an open stream, by whether audio suffered.',
    {
      issue: yesOrNo,
    },
  ),
  mediaIssue: gauge(
    'media_issue_ratio',
    'Share of the windows of 5 s with a gap, an underrun or an overflow; 0 before the first.',
    { counter: 'media_windows', label: ['issue', 'yes'], ofNothing: 0 },
  ),
  estimatedMos: histogram(
    'estimated_mos',
    'Mean opinion score of our leg alone, estimated (ITU-T G.107), once for each call and window of 5 s.',
    [1, 2, 2.6, 3.1, 3.6, 4, 4.2, 4.3, 4.4, 4.5],
  ),
  playbackQueue: gauge(
    'playback_queue_seconds',
    'Longest queue of unplayed reply audio on any line now.',
    'max',
  ),
  interruptions: counter('interruptions', 'Replies that callers cut short.'),
  deadAirSeconds: counter(
    'dead_air_seconds',
    'Time of open lines beyond the patience of the configuration on which nobody was heard.',
  ),
  holdingSounds: counter('holding_sounds', 'Soft sounds played on silent lines.'),
} as const;

const recovery = {
  recovery: histogram(
    'recovery_seconds',
    'From the loss to the moment at which the call goes on, by what was lost.',
    recoverySeconds,
    { rung: rungs },
  ),
  losses: counter('losses', 'What calls lost, by what and why.', {
    rung: rungs,
    cause: { atMost: 40 },
  }),
  orphansAdopted: counter('orphans_adopted', 'Calls of dead processes that this one went on with.'),
  mediaStarved: counter('media_starved', 'Streams that looked alive and brought nothing.'),
  callsYielded: counter('calls_yielded', 'Calls that another process took over from this one.'),
} as const;

const model = {
  replies: counter(
    'replies',
    'Replies of the model that ended, by status; a completed one without sound is empty.',
    {
      status: ['completed', 'cancelled', 'incomplete', 'failed', 'empty'],
    },
  ),
  tokens: counter('model_tokens', 'Tokens as the model billed them.', {
    direction: ['input', 'output'],
    modality: ['text', 'audio'],
    cached: yesOrNo,
  }),
  cost: counter('model_cost_dollars', 'What the tokens cost by the configured prices.', {
    direction: ['input', 'output'],
    modality: ['text', 'audio'],
  }),
  modelCloses: counter('model_sessions_closed', 'Model sessions that ended, by what may help.', {
    reaction: ['retry', 'giveUp'],
  }),
  modelOddities: counter('model_oddities', 'What went wrong in a model session that went on.', {
    kind: { atMost: 30 },
  }),
} as const;

const runtime = {
  build: gauge('build_info', 'Always 1; the labels say what runs.', 'max', {
    version: { atMost: 2 },
    chart: { atMost: 2 },
  }),
  ready: gauge('ready', 'Whether this process has started and does not drain.', 'max'),
  admission: gauge(
    'admission_open',
    'Whether a new call would be taken now; of several workers, whether any of them takes one.',
    'max',
  ),
  dependencyUp: gauge(
    'dependency_up',
    'Whether a dependency is held to be up: one failed look alone does not say otherwise.',
    'min',
    {
      dependency: dependencies,
    },
  ),
  dependencySeconds: gauge(
    'dependency_latency_seconds',
    'How long the last answer of a dependency took.',
    'max',
    {
      dependency: dependencies,
    },
  ),
  openSockets: gauge('sockets_open', 'Sockets of calls that are open here, by whose they are.', 'sum', {
    peer: ['carrier', 'model'],
  }),
  openTimers: gauge('timers_open', 'Timers that the charts of live calls wait for.', 'sum'),
  journalQueue: gauge('journal_queue_entries', 'Entries of live calls that are not durable yet.', 'sum'),
  journalStalled: gauge(
    'journal_stalled_seconds',
    'How long the oldest entry has waited for the journal.',
    'max',
  ),
  loopDelay: histogram(
    'event_loop_delay_seconds',
    'How much later than asked a timer ran, sampled every 20 ms.',
    [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1],
  ),
  clockSkew: gauge('clock_skew_seconds', 'How far this host’s clock is from the journal’s.', 'average'),
  edgeEvents: counter('edge_events', 'What the carrier’s edge refused or noticed.', {
    event: { atMost: 60 },
  }),
  tracesDropped: counter('spans_dropped', 'Spans that no collector took.'),
  workerCalls: gauge(
    'worker_calls_live',
    'Live calls of each worker process, by the number in which its name as an instance ends.',
    'sum',
    { worker: { atMost: 64 } },
  ),
  workersLost: counter('workers_lost', 'Worker processes that ended by themselves and were started anew.'),
} as const;

/** By board: a metric belongs to the dashboard of its board. */
export const boards = { calls, latency, media, recovery, model, runtime } as const;

export const metrics = { ...calls, ...latency, ...media, ...recovery, ...model, ...runtime } as const;
export type MetricName = keyof typeof metrics;
