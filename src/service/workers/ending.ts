/**
 * Owns: the end of all workers together where one of them does not do as it was asked: it is killed, and the port does
 * not wait for it.
 * Does not own: asking them (`primary.ts`), what a worker does until its end (`../../machines/service.ts`).
 *
 * Invariants:
 * E8. A worker that has not ended `graceMs` after it should have is killed. One that stands still is so `graceMs` after a
 *     second request: it would not hear of it.
 * E9. While all that have not left the port stand still it is closed: whoever dials is answered by another service, or
 *     told at once that there is none. It opens again where one wakes up: its callers are still to be told to wait.
 * I4. After `stop` no timer is left.
 */
import { partingMs, stopMs } from '../../machines/service.ts';
import type { Clock, TimerHandle } from '../../runtime/ports/clock.ts';
import { silentLimitMs } from './shares.ts';

export const lookEveryMs = 250;
/** What comes late on a machine that has much to do does not hang. */
export const graceMs = 1_000;
/** If this process itself stood still, the first look comes before what was told meanwhile: what it sees counts at the next. */
const looksUntilClosed = 2;

export interface EndingWorker {
  /** For how long it has told nothing, milliseconds. */
  readonly silentMs: number;
  readonly isKilled: boolean;
  kill(): void;
}

export interface EndingOptions<Worker> {
  clock: Clock;
  workers(): Iterable<Worker>;
  entrance: {
    readonly isListening: boolean;
    /** A worker is at the port that does not stand still. */
    readonly isServed: boolean;
  };
  closeEntrance(): void;
  openEntrance(): void;
  onKill(worker: Worker): void;
}

export class Ending<Worker extends EndingWorker> {
  readonly #options: EndingOptions<Worker>;
  #begunAt: number | null = null;
  #hurriedAt: number | null = null;
  #drainMs = 0;
  #looksUnserved = 0;
  /** By the last look. */
  #overdue = new Set<Worker>();
  #timer: TimerHandle;

  constructor(options: EndingOptions<Worker>) {
    this.#options = options;
  }

  /** The workers were asked to drain, or, in a hurry, to stop. */
  begin(isHurried: boolean): void {
    const nowMs = this.#options.clock.monotonic();
    if (isHurried) this.#hurriedAt ??= nowMs;
    if (this.#begunAt === null) this.#lookLater();
    this.#begunAt ??= nowMs;
  }

  /** A worker has told how long its calls may go on. Where none has, they all stand still. */
  noteDrain(withinMs: number): void {
    this.#drainMs = Math.max(this.#drainMs, withinMs);
  }

  stop(): void {
    this.#options.clock.clearTimeout(this.#timer);
  }

  #lookLater(): void {
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#lookAtEntrance();
      this.#lookAtWorkers();
      this.#lookLater();
    }, lookEveryMs);
  }

  /** E9. */
  #lookAtEntrance(): void {
    const { entrance, closeEntrance, openEntrance } = this.#options;
    this.#looksUnserved = entrance.isServed ? 0 : this.#looksUnserved + 1;
    if (entrance.isServed && !entrance.isListening) openEntrance();
    else if (entrance.isListening && this.#looksUnserved >= looksUntilClosed) closeEntrance();
  }

  /** E8. */
  #lookAtWorkers(): void {
    const before = this.#overdue;
    this.#overdue = new Set([...this.#options.workers()].filter((worker) => this.#isOverdue(worker)));
    for (const worker of this.#overdue) {
      if (worker.isKilled || !before.has(worker)) continue;
      this.#options.onKill(worker);
      worker.kill();
    }
  }

  #isOverdue({ silentMs }: Worker): boolean {
    const nowMs = this.#options.clock.monotonic();
    const msSince = (at: number | null): number => (at === null ? 0 : nowMs - at);
    const closingMs = silentMs > silentLimitMs ? 0 : stopMs;
    return (
      msSince(this.#begunAt) > this.#drainMs + partingMs + stopMs + graceMs ||
      msSince(this.#hurriedAt) > closingMs + graceMs
    );
  }
}
