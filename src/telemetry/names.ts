/**
 * Owns: every metric of the service: its name, what it says, its labels. Nothing is measured under another name.
 * Does not own: where the values come from (`metrics.ts`).
 *
 * Names follow Prometheus' rules: base units, `_total` on counters, no label without a bound.
 */
export const metrics = {
  liveCalls: { name: 'holdfast_calls_live', help: 'Calls that live in this process now.', labels: [] },
  journalStalled: {
    name: 'holdfast_journal_stalled_seconds',
    help: 'How long the oldest entry has waited for the journal.',
    labels: [],
  },
  calls: { name: 'holdfast_calls_total', help: 'Calls that ended here, by reason.', labels: ['reason'] },
  entries: { name: 'holdfast_entries_total', help: 'Entries of calls, by type.', labels: ['type'] },
  replies: {
    name: 'holdfast_replies_total',
    help: 'Replies of the model that ended, by status.',
    labels: ['status'],
  },
  modelCloses: {
    name: 'holdfast_model_sessions_closed_total',
    help: 'Model sessions that ended, by what may help.',
    labels: ['reaction'],
  },
  edgeEvents: {
    name: 'holdfast_edge_events_total',
    help: 'What the carrier’s edge refused or noticed.',
    labels: ['event'],
  },
  modelOddities: {
    name: 'holdfast_model_oddities_total',
    help: 'What went wrong in a model session that went on.',
    labels: ['kind'],
  },
} as const;
