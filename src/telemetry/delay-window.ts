/**
 * Owns: how long something took in the last seconds, and a percentile of it.
 * Does not own: what was timed, when a second is over (`roll` is told).
 *
 * The worst seconds are left out: one long pause (a collection of garbage, a process that was frozen) with what had to be
 * caught up on after it says nothing of the load. Load is there in every second.
 *
 * Invariants:
 * I9. Memory is that of the window, whatever is noted.
 */

const secondsKept = 10;
const worstSecondsLeftOut = 2;

/** A class is a tenth wider than the one before it. */
const classesPerDecade = 24;
const leastMs = 0.1;
const decades = 6;
const classes = classesPerDecade * decades + 1;

const classOf = (ms: number): number =>
  ms <= leastMs ? 0 : Math.min(Math.ceil(Math.log10(ms / leastMs) * classesPerDecade - 1e-9), classes - 1);

const upperBoundMs = (index: number): number => leastMs * 10 ** (index / classesPerDecade);

export class DelayWindow {
  readonly #fewest: number;
  readonly #seconds = Array.from({ length: secondsKept }, () => new Uint32Array(classes));
  #current = new Uint32Array(classes);

  /** @param fewest from so many values on a percentile is told */
  constructor(fewest: number) {
    this.#fewest = fewest;
  }

  note(ms: number): void {
    const index = classOf(ms);
    this.#current[index] = (this.#current[index] ?? 0) + 1;
  }

  /** A second is over: what was noted since the last one is its own, and the oldest second is forgotten. */
  roll(): void {
    this.#seconds.push(this.#current);
    this.#current = this.#seconds.shift() ?? new Uint32Array(classes);
    this.#current.fill(0);
  }

  /** Upper bound of the class of the percentile (0 to 1), of the seconds that are over; null where there were too few. */
  percentile(share: number): number | null {
    const worstLast = this.#seconds
      .map((counts) => ({ counts, at: placeOf(share, [counts]) }))
      .sort((one, other) => one.at - other.at);
    const kept = worstLast.slice(0, secondsKept - worstSecondsLeftOut).map(({ counts }) => counts);
    if (totalOf(kept) < this.#fewest) return null;
    return upperBoundMs(placeOf(share, kept));
  }
}

function totalOf(seconds: readonly Uint32Array[]): number {
  let total = 0;
  for (const counts of seconds) for (const count of counts) total += count;
  return total;
}

/** The class below or in which the share lies; -1 where nothing was noted. */
function placeOf(share: number, seconds: readonly Uint32Array[]): number {
  const total = totalOf(seconds);
  if (total === 0) return -1;
  let below = 0;
  for (let index = 0; index < classes; index++) {
    for (const counts of seconds) below += counts[index] ?? 0;
    if (below >= share * total) return index;
  }
  return classes - 1;
}
