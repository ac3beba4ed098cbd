/**
 * Owns: the search for the most calls at which added latency stays within its bound.
 * Does not own: how a number of calls is tried.
 */

export interface Trial {
  calls: number;
  isWithin: boolean;
  /** The generator itself was late: what it measured is no longer the subject's. */
  isGeneratorLate: boolean;
}

export interface Found {
  /** The most calls that were within the bound; 0 where none were. */
  calls: number;
  /** The generator gave out first: the subject may carry more. */
  isLowerBound: boolean;
  trials: Trial[];
}

/** A neighbour's second on the machine spoils a window, and none makes one better. */
const mostTries = 3;

/** Doubles until the bound is passed, then halves the distance, to a tenth. A number that is beyond is tried again. */
export async function findMostCalls(
  first: number,
  most: number,
  attempt: (calls: number) => Promise<Trial>,
): Promise<Found> {
  const trials: Trial[] = [];
  let within = 0;
  let beyond = most + 1;
  let next = Math.min(first, most);
  while (next > within && next < beyond) {
    const tries = await tryNumber(() => attempt(next));
    trials.push(...tries);
    if (tries.some(({ isWithin }) => isWithin)) within = next;
    else beyond = next;
    const isBounded = beyond <= most;
    if (isBounded && beyond - within <= within / 10) break;
    next = isBounded ? Math.floor((within + beyond) / 2) : Math.min(2 * within, most);
  }
  const beyondTrial = trials.findLast(({ calls }) => calls === beyond);
  const isLowerBound = within === most || beyondTrial?.isGeneratorLate === true;
  return { calls: within, isLowerBound, trials };
}

async function tryNumber(attempt: () => Promise<Trial>): Promise<Trial[]> {
  const tries: Trial[] = [];
  while (tries.length < mostTries && !tries.some(({ isWithin }) => isWithin)) tries.push(await attempt());
  return tries;
}
