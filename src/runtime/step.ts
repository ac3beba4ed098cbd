/**
 * Owns: the pure step and fold of a call: what an entry makes of a state, and what it asks for.
 * Does not own: time, the journal, the performing of commands (`call.ts`), xstate's ways (`stepper.ts`).
 *
 * Invariants:
 * I1. Same log, same state, always: context, state value, timers.
 * S2. A timer that was never armed cannot elapse: the chart has changed under its log.
 * S3. After a final state nothing moves and nothing is asked for.
 * C1. A log folds by the chart that it names. From `chart.changed` on it folds by the chart that took over, from what was
 *     carried alone: the older chart is needed no more.
 */
import type { SnapshotFrom } from 'xstate';
import type { CallEvent } from '../machines/call/context.ts';
import type { callMachine } from '../machines/call/machine.ts';
import type { Carried } from '../machines/charts/chart.ts';
import { current } from '../machines/charts/table.ts';
import type { Command } from '../machines/commands.ts';
import type { DraftOf, Entry, EntryOf } from '../machines/entries.ts';
import { changeFrom, chartOf, keptChart, type SteppedChart } from './charts.ts';
import { GiveUpError } from './ports/errors.ts';
import type { Json } from './ports/journal.ts';

export type CallSnapshot = SnapshotFrom<typeof callMachine>;

export interface CallState {
  callId: string;
  /** Number of the chart that the log names. */
  chart: number;
  snapshot: CallSnapshot;
  /** Timer name to the moment it is due, milliseconds since the Unix epoch. */
  due: ReadonlyMap<string, number>;
  /** The last entry's. */
  seq: number;
  at: number;
}

/** An entry as its chart takes it in. */
export const eventOf = (entry: Entry): CallEvent =>
  entry.type === 'timer.elapsed' ? { type: entry.timer as `xstate.after.${string}`, at: entry.at } : entry;

function begin(callId: string, entry: Entry): [CallState, Command[]] {
  if (entry.type === 'chart.changed') return [change(callId, entry), []];
  if (entry.type !== 'call.created' || entry.seq !== 1) {
    throw new GiveUpError('log.invalid', `a log begins with call.created, not with ${entry.type}`);
  }
  const { stepper, number: chart } = chartOf(callId, entry.chart, entry.format);
  const snapshot = stepper.begin({ callId, created: entry });
  const due = new Map<string, number>();
  const asked = stepper.settle(due, entry.at);
  return [{ callId, chart, snapshot, due, seq: 1, at: entry.at }, asked];
}

function advance(state: CallState, entry: Entry): [CallState, Command[]] {
  const { callId, chart } = state;
  const { seq, at } = entry;
  if (seq !== state.seq + 1) {
    throw new GiveUpError('log.invalid', `entry ${seq} follows ${state.seq}: the log has a hole`);
  }
  if (state.snapshot.status !== 'active') return [{ ...state, seq, at }, []];
  if (entry.type === 'chart.changed') {
    if (entry.from === chart) return [change(callId, entry), []];
    throw new GiveUpError('log.invalid', `the chart changed from ${entry.from}, and it was ${chart}`);
  }
  const due = new Map(state.due);
  if (entry.type === 'timer.elapsed' && !due.delete(entry.timer)) {
    throw new GiveUpError('log.invalid', `${entry.timer} elapsed but was never armed`);
  }
  const { stepper } = chartOf(callId, chart, 0);
  const snapshot = stepper.advance(state.snapshot, eventOf(entry));
  const asked = stepper.settle(due, at);
  if (snapshot.status !== 'active') due.clear();
  return [{ callId, chart, snapshot, due, seq, at }, asked];
}

/** C1. The state of another chart: what was carried over, and nothing of what was before. */
function change(callId: string, entry: EntryOf<'chart.changed'>): CallState {
  const { stepper, number: chart } = chartOf(callId, entry.to, entry.format);
  const { seq, at, carried } = entry;
  const snapshot = resolve(stepper, carried as Carried);
  return { callId, chart, snapshot, due: stepper.arm(snapshot, entry as CallEvent, at), seq, at };
}

function resolve(stepper: SteppedChart['stepper'], carried: Carried): CallSnapshot {
  try {
    return stepper.resolve(carried as never);
  } catch (cause) {
    throw new GiveUpError('log.invalid', 'what was carried over is no state of the chart', { cause });
  }
}

/**
 * The state after `entry`, and the commands that it asks for.
 * @throws GiveUpError `log.invalid`, `journal.future`, `journal.past`
 */
export const step = (callId: string, state: CallState | null, entry: Entry): [CallState, Command[]] =>
  state === null ? begin(callId, entry) : advance(state, entry);

/** @throws as `step` */
export function fold(
  callId: string,
  entries: Iterable<Entry>,
  from: CallState | null = null,
): CallState | null {
  let state = from;
  for (const entry of entries) [state] = step(callId, state, entry);
  return state;
}

/** The whole state as JSON: a checkpoint, and what replays are compared by. */
export function freeze({ chart, snapshot, due, seq, at }: CallState): Json {
  const { value, context, status } = snapshot;
  const frozen: Frozen = {
    chart,
    value,
    context,
    status: status as Frozen['status'],
    due: [...due].sort(),
    seq,
    at,
  };
  return JSON.parse(JSON.stringify(frozen));
}

interface Frozen {
  chart: number;
  value: CallSnapshot['value'];
  context: CallSnapshot['context'];
  status: 'active' | 'done';
  due: [string, number][];
  seq: number;
  at: number;
}

/** The state of a checkpoint, or null where its chart is not kept: a checkpoint is only a cache. */
export function thaw(callId: string, checkpoint: Json): CallState | null {
  const { chart, value, context, status, due, seq, at } = checkpoint as unknown as Frozen;
  const snapshot = keptChart(chart)?.stepper.resolve({ value, context, status });
  return snapshot ? { callId, chart, snapshot, due: new Map(due), seq, at } : null;
}

/** The entry that must come before a claim of this call by this version, or null where it is of the present chart. */
export function chartChange({ chart, snapshot }: CallState): DraftOf<'chart.changed'> | null {
  if (chart === current.number || snapshot.status !== 'active') return null;
  return changeFrom(chart, { value: snapshot.value, context: { ...snapshot.context } });
}

/** The state as the present chart would take it over now; nobody has claimed it for that. */
export function asCurrent(state: CallState): CallState {
  const entry = chartChange(state);
  if (!entry) return state;
  const { callId, seq, at, snapshot } = state;
  const context = { ...entry.carried.context, instance: snapshot.context.instance };
  return change(callId, { ...entry, carried: { ...entry.carried, context }, seq, at });
}
