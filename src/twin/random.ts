/** Owns: chance that can be repeated. One seed gives one sequence, so that a run of the twin can be run again. */

/** The next number of a sequence, at least 0 and below 1. */
export type Random = () => number;

/** The generator "mulberry32": 32 bits of state, good enough for identifiers and jitter, not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
