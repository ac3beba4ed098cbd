/**
 * Owns: choosing which pieces of audio are timed: one in so many, so that timing costs next to nothing.
 * Does not own: what is done with the times.
 */
import type { Clock } from '../runtime/ports/clock.ts';

export class FrameSampler {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #every: number;
  readonly #note: (ms: number) => void;
  #left: number;

  constructor(clock: Pick<Clock, 'monotonic'>, every: number, note: (ms: number) => void) {
    this.#clock = clock;
    this.#every = every;
    this.#note = note;
    this.#left = every;
  }

  /** To be given to `end`; NaN where this piece is not timed. */
  begin(): number {
    this.#left -= 1;
    if (this.#left > 0) return Number.NaN;
    this.#left = this.#every;
    return this.#clock.monotonic();
  }

  end(startedMs: number): void {
    if (!Number.isNaN(startedMs)) this.#note(this.#clock.monotonic() - startedMs);
  }
}
