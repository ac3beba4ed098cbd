/**
 * Owns: measuring how late the event loop runs timers. The figure of the metrics library forgets at every scrape, so two
 * scrapers would each see half of it.
 */
import type { Clock, TimerHandle } from '../runtime/ports/clock.ts';
import type { Metrics } from './metrics/metrics.ts';

const everyMs = 50;

export class LoopMeter {
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  #timer: TimerHandle;

  constructor(clock: Clock, metrics: Metrics) {
    this.#clock = clock;
    this.#metrics = metrics;
  }

  start(): void {
    const dueAt = this.#clock.monotonic() + everyMs;
    this.#timer = this.#clock.setTimeout(() => {
      this.#metrics.observe('loopDelay', {}, Math.max(0, this.#clock.monotonic() - dueAt) / 1_000);
      this.start();
    }, everyMs);
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
  }
}
