/**
 * Owns: the metrics of all workers as those of one service: it asks each for its readings and adds them up.
 * Does not own: adding up (`src/telemetry/metrics/sum.ts`), measuring.
 *
 * Invariants:
 * Q4. No count goes back: what a worker counted last is kept when it ends, and stands in for one that does not answer. So
 *     that little is lost with one that is killed, readings are taken every `readEveryMs` as well.
 */
import type { Clock, TimerHandle } from '../../runtime/ports/clock.ts';
import { type Reading, textOf } from '../../telemetry/metrics/reading.ts';
import { countsOf, sumOf } from '../../telemetry/metrics/sum.ts';
import type { WorkerProcess } from './worker-process.ts';

export const answerLimitMs = 1_000;
export const readEveryMs = 5_000;

type MeasuredWorker = Pick<WorkerProcess, 'tell'>;

interface Round<Worker> {
  missing: Set<Worker>;
  timer: TimerHandle;
  end(): void;
}

export class WorkerMetrics<Worker extends MeasuredWorker = WorkerProcess> {
  readonly #clock: Clock;
  readonly #own: () => Promise<Reading[]>;
  readonly #last = new Map<Worker, readonly Reading[]>();
  readonly #rounds = new Map<number, Round<Worker>>();
  #kept: readonly Reading[] = [];
  #lastKey = 0;
  #timer: TimerHandle;

  /** @param own what the primary itself measures */
  constructor(clock: Clock, own: () => Promise<Reading[]>) {
    this.#clock = clock;
    this.#own = own;
  }

  start(): void {
    this.#timer = this.#clock.setTimeout(() => {
      void this.#readAll();
      this.start();
    }, readEveryMs);
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
    for (const key of [...this.#rounds.keys()]) this.#endRound(key);
  }

  add(worker: Worker): void {
    this.#last.set(worker, []);
  }

  /** @param key of the round that asked; null of a worker's last word */
  take(worker: Worker, key: number | null, readings: readonly Reading[]): void {
    if (!this.#last.has(worker)) return;
    this.#last.set(worker, readings);
    if (key !== null) this.#strike(worker, key);
  }

  /** Q4: the worker has ended. */
  forget(worker: Worker): void {
    this.#kept = countsOf(sumOf([this.#kept, countsOf(this.#last.get(worker) ?? [])]));
    this.#last.delete(worker);
    for (const key of [...this.#rounds.keys()]) this.#strike(worker, key);
  }

  /** As OpenMetrics text. */
  async text(): Promise<string> {
    await this.#readAll();
    const own = await this.#own();
    return textOf(sumOf([own, this.#kept, ...this.#last.values()]));
  }

  /** Resolves when all have answered or `answerLimitMs` has passed. */
  #readAll(): Promise<void> {
    if (this.#last.size === 0) return Promise.resolve();
    this.#lastKey += 1;
    const key = this.#lastKey;
    return new Promise((resolve) => {
      const timer = this.#clock.setTimeout(() => this.#endRound(key), answerLimitMs);
      this.#rounds.set(key, { missing: new Set(this.#last.keys()), timer, end: resolve });
      for (const worker of this.#last.keys()) worker.tell({ type: 'readMetrics', key });
    });
  }

  #strike(worker: Worker, key: number): void {
    const round = this.#rounds.get(key);
    round?.missing.delete(worker);
    if (round?.missing.size === 0) this.#endRound(key);
  }

  #endRound(key: number): void {
    const round = this.#rounds.get(key);
    if (!round) return;
    this.#rounds.delete(key);
    this.#clock.clearTimeout(round.timer);
    round.end();
  }
}
