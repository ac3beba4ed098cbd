/**
 * Owns: one timer for all phone lines, so that hundreds of calls cost one wake-up a frame.
 * Does not own: what a line does with a tick, including making up for a late one.
 *
 * Invariants:
 * T1. No timer is set while there is nothing to tick.
 * T2. Ticks do not drift: a late one does not delay those after it.
 */
import type { Clock } from '../../../runtime/ports/clock.ts';
import { frameMs } from '../../caller/voice.ts';

export interface Ticking {
  /** @param now by the monotonic clock */
  tick(now: number): void;
}

export class Ticker {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #members = new Set<Ticking>();
  #nextAt = 0;
  #isRunning = false;

  constructor(clock: Clock, intervalMs = frameMs) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  add(member: Ticking): void {
    this.#members.add(member);
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#nextAt = this.#clock.monotonic();
    this.#schedule();
  }

  remove(member: Ticking): void {
    this.#members.delete(member);
  }

  #schedule(): void {
    const now = this.#clock.monotonic();
    this.#nextAt = Math.max(this.#nextAt + this.#intervalMs, now);
    this.#clock.setTimeout(() => this.#tick(), this.#nextAt - now);
  }

  #tick(): void {
    const now = this.#clock.monotonic();
    for (const member of this.#members) member.tick(now);
    this.#isRunning = this.#members.size > 0;
    if (this.#isRunning) this.#schedule();
  }
}
