/** The metrics of all workers, whoever ends or does not answer (Q4). */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ToWorker } from '../../../src/service/workers/messages.ts';
import { PrimaryMeter } from '../../../src/service/workers/primary-meter.ts';
import { answerLimitMs, readEveryMs, WorkerMetrics } from '../../../src/service/workers/worker-metrics.ts';
import { Metrics } from '../../../src/telemetry/metrics/metrics.ts';
import { VirtualClock } from '../../../src/twin/virtual-clock.ts';

const servedCall = { reason: 'caller.hungUp', served: 'yes' } as const;

class Worker {
  readonly metrics = new Metrics();
  readonly #all: () => WorkerMetrics<Worker>;
  isSilent = false;
  asked = 0;

  constructor(all: () => WorkerMetrics<Worker>) {
    this.#all = all;
  }

  tell(message: ToWorker): void {
    if (message.type !== 'readMetrics') return;
    this.asked += 1;
    if (!this.isSilent) void this.answer(message.key);
  }

  async answer(key: number | null): Promise<void> {
    this.#all().take(this, key, await this.metrics.read());
  }
}

let clock: VirtualClock;
let all: WorkerMetrics<Worker>;

beforeEach(() => {
  clock = new VirtualClock();
  all = new WorkerMetrics(clock, async () => []);
});
afterEach(() => {
  all.stop();
  expect(clock.pendingTimers).toBe(0);
});

function start(): Worker {
  const worker = new Worker(() => all);
  all.add(worker);
  return worker;
}

async function calls(): Promise<number> {
  const text = all.text();
  await clock.advance(answerLimitMs);
  const [, value] =
    /^holdfast_calls_total\{reason="caller.hungUp",served="yes"\} (\d+)$/m.exec(await text) ?? [];
  return Number(value ?? 0);
}

describe('what all workers counted', () => {
  it('is the sum of what each says when it is asked', async () => {
    const [one, two] = [start(), start()];
    one.metrics.count('calls', servedCall, 2);
    two.metrics.count('calls', servedCall, 3);
    expect(await calls()).toBe(5);
    two.metrics.count('calls', servedCall);
    expect(await calls()).toBe(6);
  });

  it('stays when a worker ends and its successor begins at zero', async () => {
    const [one, two] = [start(), start()];
    one.metrics.count('calls', servedCall, 2);
    two.metrics.count('calls', servedCall, 3);
    await calls();
    all.forget(one);
    expect(await calls()).toBe(5);
    const successor = start();
    expect(await calls()).toBe(5);
    successor.metrics.count('calls', servedCall);
    expect(await calls()).toBe(6);
    all.forget(successor);
    expect(await calls()).toBe(6);
  });

  it('holds the last word of a worker that ends by itself', async () => {
    const one = start();
    one.metrics.count('calls', servedCall, 4);
    await one.answer(null);
    all.forget(one);
    await one.answer(null);
    expect(await calls()).toBe(4);
  });

  it('is noted from time to time, so that little is lost with one that is killed', async () => {
    const one = start();
    all.start();
    one.metrics.count('calls', servedCall, 4);
    await clock.advance(readEveryMs);
    all.forget(one);
    expect(await calls()).toBe(4);
  });

  it('waits for nobody who does not answer or has ended', async () => {
    const [one, two] = [start(), start()];
    one.metrics.count('calls', servedCall, 2);
    two.metrics.count('calls', servedCall, 3);
    await calls();
    one.isSilent = true;
    expect(await calls()).toBe(5);
    const text = all.text();
    all.forget(one);
    expect(await text).toContain('holdfast_calls_total{reason="caller.hungUp",served="yes"} 5');
  });

  it('never goes back, whatever happens to workers', async () => {
    const act = fc.constantFrom('count', 'die', 'fork', 'fall silent', 'speak');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(act, fc.nat(2)), { maxLength: 15 }), async (acts) => {
        clock = new VirtualClock();
        all = new WorkerMetrics(clock, async () => []);
        const workers = [start(), start(), start()];
        let before = 0;
        for (const [what, index] of acts) {
          const worker = workers[index % workers.length];
          if (what === 'fork') workers.push(start());
          else if (worker) play(what, worker, workers);
          const now = await calls();
          expect(now).toBeGreaterThanOrEqual(before);
          before = now;
        }
        all.stop();
      }),
      { numRuns: 30 },
    );
  });
});

function play(what: 'count' | 'die' | 'fall silent' | 'speak', worker: Worker, workers: Worker[]): void {
  if (what === 'count') worker.metrics.count('calls', servedCall);
  else if (what === 'die') {
    all.forget(worker);
    workers.splice(workers.indexOf(worker), 1);
  } else worker.isSilent = what === 'fall silent';
}

it('the primary adds its own process, which worker is which, and how many were lost; of calls it says nothing', async () => {
  const meter = new PrimaryMeter(() => [
    { number: 1, isOpen: true, calls: 4 },
    { number: 2, isOpen: false, calls: 0 },
  ]);
  meter.countLost();
  const readings = await meter.read();
  const valuesOf = (name: string) => readings.find((reading) => reading.name.startsWith(name))?.values;
  expect(valuesOf('holdfast_worker_calls_live')).toEqual([{ labels: { worker: '1' }, value: 4 }]);
  expect(valuesOf('holdfast_workers_lost')).toEqual([{ labels: {}, value: 1 }]);
  expect(readings.find(({ name }) => name === 'process_start_time_seconds')?.aggregator).toBe('first');
  expect(readings.filter(({ name }) => /^holdfast_(calls|ready)|^nodejs/.test(name))).toEqual([]);
});
