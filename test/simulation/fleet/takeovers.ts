/**
 * Owns: what became of the calls that an instance held when it was struck: until another one had claimed them, until the
 * caller had a stream there; and adoptions that were wrong.
 * Does not own: the strike (`machines.ts`).
 */
import type { Entry } from '../../../src/machines/entries.ts';
import type { TwinCall } from '../../../src/twin/twilio/call/call.ts';
import type { SimulatedLog } from '../check-log.ts';
import type { SimulatedProcess } from '../process.ts';
import type { World } from '../world.ts';
import type { Machines } from './machines.ts';

/** One strike at one instance, with the calls that lived there. Moments by the wall clock of the world. */
export interface Blow {
  name: string;
  at: number;
  instance: string;
  calls: ReadonlySet<string>;
  claimedMs: number[];
  reachedMs: number[];
  /** From the end of the old stream to the new one. */
  cutMs: number[];
  /** Calls that others adopted, and calls that a new stream brought elsewhere. */
  adopted: Map<string, number>;
  /** Calls that were over before anybody could take them. */
  ended: number;
}

export function blowAt(world: World, name: string, process: SimulatedProcess): Blow {
  const calls = new Set([...process.assembly.registry.calls()].map(({ callId }) => callId));
  const { instance } = process;
  const at = world.clock.now();
  return { name, at, instance, calls, claimedMs: [], reachedMs: [], cutMs: [], adopted: new Map(), ended: 0 };
}

/** Adds what the log tells of the call to the blow, where it concerns the call. */
export function addTo(blow: Blow, { events }: TwinCall, { callId, entries, timeOf }: SimulatedLog): void {
  if (!blow.calls.has(callId)) return;
  const claim = entries.find(
    (entry) => entry.type === 'owner.claimed' && timeOf(entry) > blow.at && entry.instance !== blow.instance,
  );
  if (claim?.type !== 'owner.claimed') {
    blow.ended += 1;
    return;
  }
  blow.claimedMs.push(timeOf(claim) - blow.at);
  if (claim.why === 'orphan') blow.adopted.set(claim.instance, (blow.adopted.get(claim.instance) ?? 0) + 1);
  const stream = entries.find((entry) => entry.type === 'stream.started' && entry.seq > claim.seq);
  if (stream === undefined) return;
  const reachedAt = timeOf(stream);
  const end = events.findLast((event) => event.event === 'streamEnded' && event.at <= reachedAt);
  blow.reachedMs.push(reachedAt - blow.at);
  blow.cutMs.push(reachedAt - (end?.at ?? blow.at));
}

/** Adoptions of a call whose owner was there and well, each in words. */
export function wrongAdoptions(
  world: World,
  machines: Machines,
  { callId, entries, timeOf }: SimulatedLog,
): string[] {
  const startedAt = world.clock.now() - world.clock.monotonic();
  let owner: string | null = null;
  return entries.flatMap((entry: Entry): string[] => {
    if (entry.type !== 'owner.claimed') return [];
    const before = world.processes.find(({ instance }) => instance === owner);
    owner = entry.instance;
    if (entry.why !== 'orphan' || before === undefined) return [];
    const isRight = machines.wasAway(before, timeOf(entry) - startedAt);
    return isRight ? [] : [`${entry.instance} adopted ${callId} from ${before.instance}, which was there`];
  });
}
