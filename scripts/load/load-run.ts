/**
 * Owns: one run under load: warm-up, ramp, window, hang-up, and the look at what is left.
 * Does not own: the calls (`src/twin/load`), what is under load (`target.ts`), the report's form.
 *
 * Invariants:
 * LR1. What is measured or the peers die: the run fails by it at once, whatever it waits for.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../../src/twin/load/caller-plan.ts';
import type { Leaks } from './leaks.ts';
import type { LoadReport, Sample } from './load-report.ts';
import { boundAt, type MetricsPage } from './metrics-page.ts';
import type { Peers, Told } from './peers.ts';
import type { Memory, Target } from './target.ts';
import { whileAlive } from './while-alive.ts';

export interface LoadOptions {
  title: string;
  calls: number;
  rampMs: number;
  /** From the end of the ramp. */
  windowMs: number;
  scenario: Scenario;
}

const warmUp = { calls: 10, rampMs: 500, lastsMs: 3_000 } as const;
const settleMs = 10_000;
const sampleMs = 1_000;
const leakLimitMs = 20_000;
const pollMs = 250;
const catchUpMs = 1_000;
const loopDelay = 'holdfast_event_loop_delay_seconds';

export class LoadRun {
  readonly #peers: Peers;
  readonly #target: Target;
  readonly #options: LoadOptions;
  readonly #onSample: (sample: Sample) => void;
  readonly #samples: Sample[] = [];
  #isSampling = true;
  #signal = new AbortController().signal;

  constructor(peers: Peers, target: Target, options: LoadOptions, onSample: (sample: Sample) => void) {
    this.#peers = peers;
    this.#target = target;
    this.#options = options;
    this.#onSample = onSample;
  }

  /** LR1. @throws Error that says who died */
  measure(): Promise<LoadReport> {
    return whileAlive([this.#target.died, this.#peers.died], async (signal) => {
      this.#signal = signal;
      return await this.#measure();
    });
  }

  async #measure(): Promise<LoadReport> {
    const { calls, rampMs, windowMs, scenario } = this.#options;
    const idle = await this.#warmUp();
    const [{ begun, told, ended }] = await Promise.all([this.#measureWindow(), this.#sample()]);
    const loaded = await this.#target.memory();
    // What was sent during the collection arrives yet.
    await this.#sleep(catchUpMs);
    const leaks = await this.#end(idle);
    const final = await this.#peers.roll();
    return {
      target: this.#options.title,
      ...{ scenario, calls, rampMs, windowMs },
      liveCalls: told.liveCalls,
      figures: told.figures,
      counts: final.counts,
      cpuSecondsPerCallMinute: cpuPerCallMinute(begun, ended, this.#callMinutes(begun, ended)),
      ...memoryPerCall(idle.memory, loaded, told.liveCalls),
      eventLoopDelayMs: delayBetween(begun.metrics, ended.metrics),
      generatorCpuShare: (ended.generatorCpuMs - begun.generatorCpuMs) / (ended.atMs - begun.atMs),
      leaks,
      samples: this.#samples,
    };
  }

  async #measureWindow(): Promise<{ begun: Mark; told: Told; ended: Mark }> {
    const { calls, rampMs, windowMs, scenario } = this.#options;
    await this.#peers.place({ address: this.#target.address, calls, rampMs, scenario });
    await this.#sleep(Math.min(settleMs, windowMs));
    const begun = await this.#mark();
    await this.#peers.startWindow();
    await this.#sleep(windowMs);
    const told = await this.#peers.window();
    const ended = await this.#mark();
    this.#isSampling = false;
    return { begun, told, ended };
  }

  async #sleep(forMs: number): Promise<void> {
    await sleep(forMs, undefined, { signal: this.#signal });
  }

  async #warmUp(): Promise<Idle> {
    const { calls, rampMs, lastsMs } = warmUp;
    await this.#peers.place({ address: this.#target.address, calls, rampMs, scenario: 'talk' });
    await this.#sleep(lastsMs);
    await this.#peers.hangUp();
    await this.#whenEmpty();
    await this.#peers.clear();
    return { memory: await this.#target.memory(), handles: this.#target.handles() };
  }

  async #sample(): Promise<void> {
    const startedAtMs = performance.now();
    let before = { atMs: startedAtMs, cpuMs: await this.#target.cpuMs(), generatorMs: this.#peers.cpuMs() };
    while (this.#isSampling) {
      await this.#sleep(sampleMs);
      const now = {
        atMs: performance.now(),
        cpuMs: await this.#target.cpuMs(),
        generatorMs: this.#peers.cpuMs(),
      };
      const lastedMs = now.atMs - before.atMs;
      const { liveCalls, liveSessions, figures } = await this.#peers.roll();
      const sample: Sample = {
        atMs: now.atMs - startedAtMs,
        liveCalls,
        liveSessions,
        figures,
        cpuShare: now.cpuMs === null || before.cpuMs === null ? null : (now.cpuMs - before.cpuMs) / lastedMs,
        residentBytes: await this.#target.residentBytes(),
        generatorCpuShare: (now.generatorMs - before.generatorMs) / lastedMs,
      };
      before = now;
      this.#samples.push(sample);
      this.#onSample(sample);
    }
  }

  async #mark(): Promise<Mark> {
    return {
      atMs: performance.now(),
      samples: this.#samples.length,
      cpuMs: await this.#target.cpuMs(),
      generatorCpuMs: this.#peers.cpuMs(),
      metrics: await this.#target.metrics(),
    };
  }

  /** Calls come and go: each second counts those that were live then. */
  #callMinutes(begun: Mark, ended: Mark): number {
    const within = this.#samples.slice(begun.samples, ended.samples);
    const mean = within.reduce((sum, { liveCalls }) => sum + liveCalls, 0) / within.length;
    return (mean * (ended.atMs - begun.atMs)) / 60_000;
  }

  async #end(idle: Idle): Promise<Leaks> {
    const startedAtMs = performance.now();
    await this.#peers.hangUp();
    const left = await this.#whenEmpty();
    const waitedMs = performance.now() - startedAtMs;
    const { liveBytes, residentBytes } = await this.#target.memory();
    return {
      ...left,
      waitedMs,
      handlesBefore: idle.handles,
      handlesAfter: this.#target.handles(),
      liveBytesBefore: idle.memory.liveBytes,
      liveBytesAfter: liveBytes,
      residentBytesBefore: idle.memory.residentBytes,
      residentBytesAfter: residentBytes,
      unseenBecause: await this.#target.unseenBecause(),
    };
  }

  /** Waits until nothing of a call is left. @returns what is left */
  async #whenEmpty(): Promise<Left> {
    const startedAtMs = performance.now();
    for (;;) {
      const left = await this.#left();
      const isEmpty = Object.values(left).every((count) => (count ?? 0) === 0);
      if (isEmpty || performance.now() - startedAtMs > leakLimitMs) return left;
      await this.#sleep(pollMs);
    }
  }

  async #left(): Promise<Left> {
    const metrics = await this.#target.metrics();
    const { liveSessions } = await this.#peers.roll();
    const ofPage = (name: string): number | null => metrics?.value(name) ?? null;
    return {
      liveCalls: ofPage('holdfast_calls_live'),
      liveSessions,
      openSockets: ofPage('holdfast_sockets_open'),
      openTimers: ofPage('holdfast_timers_open'),
    };
  }
}

type Left = Pick<Leaks, 'liveCalls' | 'liveSessions' | 'openSockets' | 'openTimers'>;

interface Idle {
  memory: Memory;
  handles: number | null;
}

interface Mark {
  atMs: number;
  samples: number;
  cpuMs: number | null;
  generatorCpuMs: number;
  metrics: MetricsPage | null;
}

export function cpuPerCallMinute(
  begun: { cpuMs: number | null },
  ended: { cpuMs: number | null },
  callMinutes: number,
): number | null {
  if (begun.cpuMs === null || ended.cpuMs === null) return null;
  return (ended.cpuMs - begun.cpuMs) / 1_000 / callMinutes;
}

export function memoryPerCall(
  idle: Memory,
  loaded: Memory,
  calls: number,
): Pick<LoadReport, 'liveBytesPerCall' | 'residentBytesPerCall'> {
  const each = (before: number | null, after: number | null): number | null =>
    before === null || after === null || calls === 0 ? null : (after - before) / calls;
  return {
    liveBytesPerCall: each(idle.liveBytes, loaded.liveBytes),
    residentBytesPerCall: each(idle.residentBytes, loaded.residentBytes),
  };
}

function delayBetween(before: MetricsPage | null, after: MetricsPage | null): LoadReport['eventLoopDelayMs'] {
  const at = (percent: number): number | null => {
    if (before === null || after === null) return null;
    const bound = boundAt(percent, before.buckets(loopDelay), after.buckets(loopDelay));
    return bound === null ? null : bound * 1_000;
  };
  return { p50: at(50), p99: at(99), max: at(100) };
}
