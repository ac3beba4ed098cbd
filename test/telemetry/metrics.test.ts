import { expect, test } from 'vitest';
import type { Entry } from '../../src/machines/entries.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { metrics as names } from '../../src/telemetry/names.ts';

const entry = (draft: object): Entry => ({ seq: 1, at: 1, ...draft }) as Entry;

const open = () =>
  new Metrics({
    liveCalls: () => 3,
    journalStalledMs: () => 1_500,
    edgeEvents: () => [['webhook.unsigned', 2]],
  });

test('entries are counted by type, ends by reason, and what is live is asked at the scrape', async () => {
  const metrics = open();
  metrics.observe(entry({ type: 'call.ended', reason: 'agent.hungUp' }));
  metrics.observe(entry({ type: 'reply.finished', status: 'failed' }));
  metrics.observe(entry({ type: 'model.closed', reaction: 'retry' }));
  metrics.countOddity('unknownEvent');
  const text = await metrics.text();
  expect(text).toContain('holdfast_calls_total{reason="agent.hungUp"} 1');
  expect(text).toContain('holdfast_entries_total{type="call.ended"} 1');
  expect(text).toContain('holdfast_entries_total{type="stream.started"} 0');
  expect(text).toContain('holdfast_replies_total{status="failed"} 1');
  expect(text).toContain('holdfast_model_sessions_closed_total{reaction="retry"} 1');
  expect(text).toContain('holdfast_model_oddities_total{kind="unknownEvent"} 1');
  expect(text).toContain('holdfast_calls_live 3');
  expect(text).toContain('holdfast_journal_stalled_seconds 1.5');
  expect(text).toContain('holdfast_edge_events_total{event="webhook.unsigned"} 2');
});

test('a second scrape counts no edge event twice', async () => {
  const metrics = open();
  await metrics.text();
  expect(await metrics.text()).toContain('holdfast_edge_events_total{event="webhook.unsigned"} 2');
});

test.each(['call.transferred', 'transfer.unknown', 'stream.lost'])(
  'an end for the reason %s has a label',
  async (reason) => {
    const metrics = open();
    metrics.observe(entry({ type: 'call.ended', reason }));
    expect(await metrics.text()).toContain(`holdfast_calls_total{reason="${reason}"} 1`);
  },
);

test('a reason that is not ours makes no label of its own', async () => {
  const metrics = open();
  metrics.observe(entry({ type: 'call.ended', reason: 'carrier.something-new' }));
  expect(await metrics.text()).toContain('holdfast_calls_total{reason="other"} 1');
});

test('every metric in the table is exposed under the prefix of the project', async () => {
  const text = await open().text();
  for (const { name } of Object.values(names)) {
    expect(name).toMatch(/^holdfast_[a-z_]+$/);
    expect(text).toContain(`# TYPE ${name} `);
  }
});
