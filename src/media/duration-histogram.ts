/**
 * Owns: durations in a few fixed classes, so that a median costs no memory per value.
 * Does not own: what was timed.
 */

const upperBoundsMs = [2, 5, 10, 20, 30, 50, 75, 100, 150, 200, 300, 500, 750, 1_000, 2_000, 5_000];

export class DurationHistogram {
  readonly #counts = new Array<number>(upperBoundsMs.length + 1).fill(0);
  #count = 0;
  #longestMs = 0;

  get count(): number {
    return this.#count;
  }

  get longestMs(): number {
    return this.#longestMs;
  }

  /** Upper bound of the class that holds the median, at most the longest value; 0 without values. */
  get medianMs(): number {
    let below = 0;
    for (const [index, boundMs] of upperBoundsMs.entries()) {
      below += this.#counts[index] ?? 0;
      if (below * 2 >= this.#count) return Math.min(boundMs, this.#longestMs);
    }
    return this.#longestMs;
  }

  record(durationMs: number): void {
    const index = upperBoundsMs.findIndex((boundMs) => durationMs <= boundMs);
    const place = index < 0 ? upperBoundsMs.length : index;
    this.#counts[place] = (this.#counts[place] ?? 0) + 1;
    this.#count++;
    this.#longestMs = Math.max(this.#longestMs, durationMs);
  }
}
