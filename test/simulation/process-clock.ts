/**
 * Owns: the clock of one simulated process: the time of all, a wall clock that may be wrong, and timers that die with
 * the process.
 *
 * Invariants:
 * C1. After `die` no timer of the process fires, those set later included.
 */
import type { Clock, TimerHandle } from '../../src/runtime/ports/clock.ts';

export class ProcessClock implements Clock {
  readonly #clock: Clock;
  /** Asked before each timer fires: false where the process died of it. */
  readonly #admit: () => boolean;
  readonly #timers = new Set<TimerHandle>();
  #offsetMs = 0;
  #isDead = false;

  constructor(clock: Clock, admit: () => boolean) {
    this.#clock = clock;
    this.#admit = admit;
  }

  /** Timers that are set and have neither run nor been cleared. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#clock.now() + this.#offsetMs;
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  setTimeout(callback: () => void, delayMs: number): TimerHandle {
    if (this.#isDead) return undefined;
    const handle = this.#clock.setTimeout(() => {
      this.#timers.delete(handle);
      if (this.#admit()) callback();
    }, delayMs);
    this.#timers.add(handle);
    return handle;
  }

  clearTimeout(handle: TimerHandle): void {
    this.#timers.delete(handle);
    this.#clock.clearTimeout(handle);
  }

  /** Moves this process's wall clock alone. */
  jump(ms: number): void {
    this.#offsetMs += ms;
  }

  die(): void {
    this.#isDead = true;
    for (const handle of this.#timers) this.#clock.clearTimeout(handle);
    this.#timers.clear();
  }
}
