/**
 * Owns: measuring how late the event loop runs timers, as often as a call's frames come. The figure of the metrics
 * library forgets at every scrape, so two scrapers would each see half of it.
 *
 * Whatever comes to a socket waits as long as a timer that is due at the same moment: both wait for the turn that is
 * under way. The moments are those of a fixed grid, so that a long turn is met at any place in it. It counts once,
 * however many moments it covered: by the first, which waited longest.
 */
import type { Clock, TimerHandle } from '../runtime/ports/clock.ts';
import { DelayWindow } from './delay-window.ts';
import type { Metrics } from './metrics/metrics.ts';

const everyMs = 20;

export class LoopMeter {
  readonly delays = new DelayWindow(1);
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  #lastDelayMs = 0;
  #timer: TimerHandle;

  constructor(clock: Clock, metrics: Metrics) {
    this.#clock = clock;
    this.#metrics = metrics;
  }

  /** How late the last timer was: as late is what came from a socket in the same turn. */
  get lastDelayMs(): number {
    return this.#lastDelayMs;
  }

  start(): void {
    this.#arm(this.#clock.monotonic() + everyMs);
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
  }

  #arm(dueMs: number): void {
    // Node.js cuts fractions off: the timer would come early.
    const delayMs = Math.ceil(dueMs - this.#clock.monotonic());
    this.#timer = this.#clock.setTimeout(() => this.#note(dueMs), delayMs);
  }

  #note(dueMs: number): void {
    const delayMs = Math.max(0, this.#clock.monotonic() - dueMs);
    this.#lastDelayMs = delayMs;
    this.delays.note(delayMs);
    this.#metrics.observe('loopDelay', {}, delayMs / 1_000);
    this.#arm(dueMs + everyMs * (Math.floor(delayMs / everyMs) + 1));
  }
}
