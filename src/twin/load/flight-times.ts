/**
 * Owns: when the pieces of audio of one direction of one call were sent, by their numbers, until they arrive.
 * Does not own: the stamps that carry the numbers (`frame-stamp.ts`).
 *
 * Invariants:
 * T1. The last `kept` pieces are known, older ones are not: a piece that took longer counts as lost.
 */

export class FlightTimes {
  readonly #sentAtMs: Float64Array;
  #sent = 0;

  /** @param kept a power of two */
  constructor(kept: number) {
    this.#sentAtMs = new Float64Array(kept);
  }

  /** @returns the piece's number */
  depart(nowMs: number): number {
    const number = this.#sent++;
    this.#sentAtMs[number & (this.#sentAtMs.length - 1)] = nowMs;
    return number;
  }

  /** Milliseconds on the way; null where the number is not known (any more). */
  arrive(number: number, nowMs: number): number | null {
    if (number >= this.#sent || number < this.#sent - this.#sentAtMs.length) return null;
    return nowMs - (this.#sentAtMs[number & (this.#sentAtMs.length - 1)] ?? nowMs);
  }
}
