/**
 * Owns: what happens to a simulated fleet, as plain data: how many instances and calls, and what strikes when. With its
 * seed it is all that a run depends on.
 * Does not own: making it happen (`fleet.ts`).
 */

import { seededRandom } from '../../../src/twin/random.ts';

/**
 * `kill`: the process dies, and its sockets are reset; `vanish`: so does its host, and nobody is told; `freeze`: SIGSTOP,
 * then SIGCONT; `cutOff`: the journal alone does not answer it; `outage`: the journal answers nobody; `restart`: one
 * instance after the other is replaced by a new one and drains.
 */
export type Strike = { atMs: number } & (
  | { strike: 'kill' }
  | { strike: 'vanish' }
  | { strike: 'freeze'; forMs: number }
  | { strike: 'cutOff'; forMs: number }
  | { strike: 'outage'; forMs: number }
  | { strike: 'restart'; drainMs: number }
);

export interface FleetPlan {
  seed: number;
  /** Each on a host of its own. */
  instances: number;
  calls: number;
  callEveryMs: number;
  strikes: readonly Strike[];
}

export interface FleetSize {
  seed: number;
  instances: number;
  calls: number;
}

/** The last of the strikes that come once; the replacement of all instances follows. */
const restartAtMs = 160_000;
const drainMs = 6_000;
/** From the start of one instance to that of the next, at most, while all are replaced. */
const replacedWithinMs = 9_000;

/** So that a strike falls anywhere between two beats. */
const jitterMs = 1_000;

/** Everything once, far enough apart that each shows by itself. Calls come evenly from the start to the end of it. */
export function planFor({ seed, instances, calls }: FleetSize): FleetPlan {
  const callEveryMs = Math.floor((restartAtMs + instances * replacedWithinMs) / calls);
  const random = seededRandom(seed);
  const near = (atMs: number): number => atMs + Math.floor(random() * jitterMs);
  const strikes: readonly Strike[] = [
    { strike: 'kill', atMs: near(40_000) },
    { strike: 'freeze', atMs: near(60_000), forMs: 8_000 },
    { strike: 'cutOff', atMs: near(85_000), forMs: 10_000 },
    { strike: 'vanish', atMs: near(112_000) },
    // It wakes after its calls were adopted, and before Twilio has been told of that.
    { strike: 'freeze', atMs: near(126_000), forMs: 3_000 },
    { strike: 'outage', atMs: near(140_000), forMs: 2_000 },
    { strike: 'restart', atMs: restartAtMs, drainMs },
  ];
  return { seed, instances, calls, callEveryMs, strikes };
}
