/** Owns: what must hold of the log of any simulated call: that it replays (I1), and that one process at a time wrote it (I2). */
import type { Entry } from '../../src/machines/entries.ts';
import type { ObservedStep } from '../../src/runtime/call.ts';
import { replay } from '../../src/runtime/history.ts';
import { type CallState, freeze, step } from '../../src/runtime/step.ts';
import { isSameData } from './same-data.ts';
import { demand } from './violation.ts';
import type { World } from './world.ts';

/** Entries of a call's log beyond which it is not bounded any more (I9): an ordinary call of a minute has eighty. */
const mostEntries = 3_000;

/** A prefix in so many is also compared after a JSON round trip of its state, and so is the whole log. */
const frozenEvery = 20;

/** A call's log as the journal has it, beside what the processes stepped of it. */
export interface SimulatedLog {
  callId: string;
  entries: readonly Entry[];
  /** All steps of all processes, by the entry's seq: those that could not be written as well. */
  steps: ReadonlyMap<number, readonly ObservedStep[]>;
  /** When an entry was made by the clock of the world. */
  timeOf(entry: Entry): number;
}

export async function readLog(world: World, callId: string): Promise<SimulatedLog> {
  const { commits } = await world.journal.read(callId, { fromStart: true });
  const own = world.steps.filter(({ call }) => call.callId === callId);
  const steps = Map.groupBy(own, ({ entry }) => entry.seq);
  return {
    callId,
    entries: commits.flatMap(({ entries }) => entries) as unknown as Entry[],
    steps,
    timeOf({ seq, type, at }) {
      const made = steps.get(seq)?.find(({ entry }) => entry.type === type && entry.at === at);
      return (made && world.steppedBy.get(made)?.at) ?? at;
    },
  };
}

/**
 * I1: for every prefix of the log, the fold equals the state that the process had which wrote it, after a JSON round
 * trip. What a process stepped and could not write is in no log.
 */
export async function checkReplay(world: World, { callId, entries, steps }: SimulatedLog): Promise<void> {
  let state: CallState | null = null;
  for (const entry of entries) {
    [state] = step(callId, state, entry);
    const written = steps.get(entry.seq)?.find((other) => isSameData(plain(other.entry), entry));
    demand(written !== undefined, 'I1', () => `entry ${entry.seq} (${entry.type}) was stepped by nobody`);
    const isFrozen = entry.seq % frozenEvery === 0 || entry.seq === entries.length;
    demand(
      isFrozen ? isSameData(freeze(written.after), freeze(state)) : isSameState(written.after, state),
      'I1',
      () => `after entry ${entry.seq} (${entry.type}) the fold differs from what was live`,
    );
  }
  if (world.level === 'spans') return;
  const mismatch = (await replay(world.journal, callId)).find(({ matches }) => !matches);
  demand(mismatch === undefined, 'I1', () => `the state stored with entry ${mismatch?.entry.seq} differs`);
}

/** As JSON has it: without what is undefined. */
const plain = (entry: Entry): Entry =>
  Object.values(entry).includes(undefined) ? (JSON.parse(JSON.stringify(entry)) as Entry) : entry;

const isSameState = (one: CallState, other: CallState): boolean =>
  one.snapshot.status === other.snapshot.status &&
  isSameData(one.snapshot.value, other.snapshot.value) &&
  isSameData(one.snapshot.context, other.snapshot.context) &&
  isSameData(one.due, other.due);

/**
 * I2: the seq is dense and rising, `at` never goes back, each entry was written by the process that the log names as
 * the owner, and nobody else has told the carrier what to do with the call.
 */
export function checkOneWriter(world: World, { callId, entries, steps }: SimulatedLog): void {
  demand(entries.length < mostEntries, 'I9', () => `the log has ${entries.length} entries`);
  let owner: string | null = null;
  for (const [index, entry] of entries.entries()) {
    demand(entry.seq === index + 1, 'I2', () => `entry ${entry.seq} stands at place ${index + 1}`);
    demand(entry.at >= (entries[index - 1]?.at ?? 0), 'I2', () => `entry ${entry.seq} goes back in time`);
    if (entry.type === 'owner.claimed') owner = entry.instance;
    const isWritten = owner === null || writersOf(world, steps.get(entry.seq), entry).includes(owner);
    demand(isWritten, 'I2', () => `entry ${entry.seq} (${entry.type}) of ${owner}'s call is another's`);
  }
  const stray = world.orders.find(
    (order) => order.callId === callId && order.owner !== null && order.owner !== order.process.instance,
  );
  const words = () =>
    `${stray?.process.instance} told the carrier what to do with the call of ${stray?.owner}`;
  demand(stray === undefined, 'I2', words);
}

const writersOf = (world: World, steps: readonly ObservedStep[] = [], { type, at }: Entry): string[] =>
  steps
    .filter(({ entry }) => entry.type === type && entry.at === at)
    .map((other) => world.steppedBy.get(other)?.process.instance ?? 'nobody');
