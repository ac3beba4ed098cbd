import { expect, it } from 'vitest';
import { createMemoryStore, openMemoryJournal } from '../../src/adapters/journal/memory.ts';
import { RetryError } from '../../src/runtime/ports/errors.ts';
import type { Commit } from '../../src/runtime/ports/journal.ts';
import { FrameSampler } from '../../src/service/frame-sampler.ts';
import { askGauges } from '../../src/service/gauges.ts';
import { measureAppends } from '../../src/service/measured-journal.ts';
import { LoopMeter } from '../../src/telemetry/loop-meter.ts';
import { Metrics } from '../../src/telemetry/metrics/metrics.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import { callSid, Rig } from './rig.ts';

const samplesOf = async (metrics: Metrics): Promise<string[]> => (await metrics.text()).split('\n');

const commit = (callId: string): Commit => ({
  callId,
  entries: [{ seq: 1, at: 0, type: 'call.answered', by: 'us' }],
  payloads: [],
  row: {
    callId,
    carrierCallId: null,
    direction: 'incoming',
    owner: null,
    startedAt: 0,
    endedAt: null,
    endReason: null,
    lastSeq: 1,
    state: null,
  },
  checkpoint: null,
  taken: [],
});

it('each append is told with its time and outcome, and comes to what it came to before', async () => {
  const clock = new VirtualClock();
  const fates = ['store', 'store', 'refuse'] as const;
  let next = 0;
  const store = openMemoryJournal(createMemoryStore(), {
    clock,
    beforeAppend: () =>
      new Promise((resolve) => clock.setTimeout(() => resolve(fates[next++] ?? 'store'), 30)),
  });
  const told: [string, number][] = [];
  const journal = measureAppends(store, clock, {
    observe: (_, labels, seconds) =>
      void told.push([(labels as { outcome: string }).outcome, seconds * 1_000]),
  });
  const outcomes = [commit('a'), commit('a'), commit('b')].map((each) => journal.append(each));
  const settled = Promise.allSettled(outcomes);
  await clock.advance(1_000);
  expect((await settled).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  expect((await settled)[2]).toMatchObject({ reason: expect.any(RetryError) });
  expect(told.map(([outcome]) => outcome)).toEqual(['durable', 'conflict', 'failed']);
  for (const [, ms] of told) expect(ms).toBeGreaterThanOrEqual(30);
});

it('one piece of audio in so many is timed', () => {
  let nowMs = 0;
  const told: number[] = [];
  const sampler = new FrameSampler({ monotonic: () => nowMs }, 3, (ms) => told.push(ms));
  for (let frame = 1; frame <= 7; frame++) {
    const startedMs = sampler.begin();
    nowMs += frame;
    sampler.end(startedMs);
  }
  expect(told).toEqual([3, 6]);
});

it('the loop is measured by how late a timer runs, until it is stopped', async () => {
  const clock = new VirtualClock();
  const metrics = new Metrics();
  const meter = new LoopMeter(clock, metrics);
  meter.start();
  await clock.advance(500);
  meter.stop();
  await clock.advance(500);
  expect(await samplesOf(metrics)).toContain('holdfast_event_loop_delay_seconds_count 25');
  expect(await samplesOf(metrics)).toContain('holdfast_event_loop_delay_seconds_sum 0');
  expect(clock.pendingTimers).toBe(0);
});

it('a scrape tells what lives here now: calls by state, sockets, timers; and nothing before anything does', async () => {
  const rig = new Rig();
  const process = rig.open('one');
  const metrics = new Metrics();
  askGauges(
    metrics,
    () => process.assembly,
    () => undefined,
  );
  expect(await samplesOf(metrics)).toContain('holdfast_calls_live 0');
  await process.connect(await process.answer());
  await rig.settle();
  const samples = await samplesOf(metrics);
  expect(process.assembly.registry.get(callSid())).toBeDefined();
  expect(samples).toContain('holdfast_calls_live 1');
  expect(samples).toContain('holdfast_calls_in_state{region="carrier",state="streaming.steady"} 1');
  expect(samples).toContain('holdfast_calls_in_state{region="tools",state="idle"} 1');
  expect(samples).toContain('holdfast_sockets_open{peer="carrier"} 1');
  expect(samples).toContain('holdfast_sockets_open{peer="model"} 1');
  expect(samples).toContain('holdfast_journal_queue_entries 0');
  expect(samples).toContain('holdfast_ready 0');
});
