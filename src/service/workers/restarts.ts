/**
 * Owns: how long a worker that ended by itself stays away: the longer the oftener it does.
 * Does not own: starting it (`primary.ts`).
 */

/**
 * Its siblings take its calls over first: a process that starts takes what the machine has, and each of these calls would be
 * silent for a second longer.
 */
const takeoverMs = 3_000;

const firstPauseMs = 1_000;
const longestPauseMs = 30_000;

/** A worker that ran for so long may be started at once again. */
export const soundAfterMs = 60_000;

export class Restarts {
  #ends = 0;

  /**
   * @param ranMs how long the worker ran that has ended now
   * @param isAlone nobody is there to take its calls
   * @returns how long to wait, milliseconds
   */
  pauseAfter(ranMs: number, isAlone: boolean): number {
    this.#ends = ranMs >= soundAfterMs ? 1 : this.#ends + 1;
    const growing = this.#ends === 1 ? 0 : firstPauseMs * 2 ** (this.#ends - 2);
    return Math.min(longestPauseMs, Math.max(growing, isAlone ? 0 : takeoverMs));
  }
}
