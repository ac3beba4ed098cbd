/**
 * Owns: the pure step and fold of a call: what an entry makes of a state, and what it asks for.
 * Does not own: time, the journal, the performing of commands (`call.ts`), xstate's ways (`stepper.ts`).
 *
 * Invariants:
 * I1. Same log, same state, always: context, state value, timers.
 * S2. A timer that was never armed cannot elapse: the chart has changed under its log.
 * S3. After a final state nothing moves and nothing is asked for.
 */
import type { SnapshotFrom } from 'xstate';
import { callMachine } from '../machines/call/machine.ts';
import { type CallEvent, chartNumber } from '../machines/call/setup.ts';
import { type Command, commands } from '../machines/commands.ts';
import { type Entry, type EntryOf, entryFormat } from '../machines/entries.ts';
import { settingsSchema } from '../machines/settings.ts';
import { GiveUpError } from './ports/errors.ts';
import type { Json } from './ports/journal.ts';
import { createStepper } from './stepper.ts';

export type CallSnapshot = SnapshotFrom<typeof callMachine>;

export interface CallState {
  callId: string;
  snapshot: CallSnapshot;
  /** Timer name to the moment it is due, milliseconds since the Unix epoch. */
  due: ReadonlyMap<string, number>;
  /** The last entry's. */
  seq: number;
  at: number;
}

const anyCreated: EntryOf<'call.created'> = {
  type: 'call.created',
  seq: 1,
  at: 0,
  format: entryFormat,
  chart: chartNumber,
  agent: 'none',
  direction: 'incoming',
  carrierCallId: null,
  from: null,
  to: null,
  traceId: '0'.repeat(32),
  settings: settingsSchema.parse({}),
};

const stepper = createStepper<typeof callMachine, Command>(callMachine, commands, {
  callId: '',
  created: anyCreated,
});

const eventOf = (entry: Entry): CallEvent =>
  entry.type === 'timer.elapsed' ? { type: entry.timer as `xstate.after.${string}`, at: entry.at } : entry;

function begin(callId: string, entry: Entry): [CallState, Command[]] {
  if (entry.type !== 'call.created' || entry.seq !== 1) {
    throw new GiveUpError('log.invalid', `a log begins with call.created, not with ${entry.type}`);
  }
  if (entry.format > entryFormat || entry.chart > chartNumber) {
    throw new GiveUpError(
      'journal.future',
      `call ${callId} has entry format ${entry.format} and chart ${entry.chart}; this version knows ${entryFormat} and ${chartNumber}`,
    );
  }
  const snapshot = stepper.begin({ callId, created: entry });
  const due = new Map<string, number>();
  const asked = stepper.settle(due, entry.at);
  return [{ callId, snapshot, due, seq: 1, at: entry.at }, asked];
}

function advance(state: CallState, entry: Entry): [CallState, Command[]] {
  const { callId } = state;
  const { seq, at } = entry;
  if (seq !== state.seq + 1) {
    throw new GiveUpError('log.invalid', `entry ${seq} follows ${state.seq}: the log has a hole`);
  }
  if (state.snapshot.status !== 'active') return [{ ...state, seq, at }, []];
  const due = new Map(state.due);
  if (entry.type === 'timer.elapsed' && !due.delete(entry.timer)) {
    throw new GiveUpError('log.invalid', `${entry.timer} elapsed but was never armed`);
  }
  const snapshot = stepper.advance(state.snapshot, eventOf(entry));
  const asked = stepper.settle(due, at);
  if (snapshot.status !== 'active') due.clear();
  return [{ callId, snapshot, due, seq, at }, asked];
}

/**
 * The state after `entry`, and the commands that it asks for.
 * @throws GiveUpError `log.invalid`, `journal.future`
 */
export const step = (callId: string, state: CallState | null, entry: Entry): [CallState, Command[]] =>
  state === null ? begin(callId, entry) : advance(state, entry);

/** @throws GiveUpError `log.invalid`, `journal.future` */
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
export function freeze({ snapshot, due, seq, at }: CallState): Json {
  const { value, context, status } = snapshot;
  const frozen: Frozen = {
    chart: chartNumber,
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

/** The state of a checkpoint, or null where another chart wrote it: a checkpoint is only a cache. */
export function thaw(callId: string, checkpoint: Json): CallState | null {
  const frozen = checkpoint as unknown as Frozen;
  if (frozen.chart !== chartNumber) return null;
  const { value, context, status, due, seq, at } = frozen;
  const snapshot = callMachine.resolveState({ value, context, status });
  return { callId, snapshot: snapshot as CallSnapshot, due: new Map(due), seq, at };
}
