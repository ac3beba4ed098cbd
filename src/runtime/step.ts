/**
 * Owns: the pure step and fold of a call: what an entry makes of a state, and what it asks for.
 * Does not own: time, the journal, the performing of commands (`call.ts`).
 *
 * Invariants:
 * I1. Same log, same state, always: context, state value, timers.
 * S1. A timer is data: its name and the moment it is due. XState's own scheduler is never used.
 * S2. A timer that was never armed cannot elapse: the chart has changed under its log.
 * S3. After a final state nothing moves and nothing is asked for.
 */
import { type ActorScope, createActor, type SnapshotFrom } from 'xstate';
import { callMachine } from '../machines/call/machine.ts';
import type { CallEvent, CallInput } from '../machines/call/setup.ts';
import { chartNumber } from '../machines/call/setup.ts';
import { type Command, commands } from '../machines/commands.ts';
import { type Entry, entryFormat } from '../machines/entries.ts';
import { GiveUpError } from './ports/errors.ts';
import type { Json } from './ports/journal.ts';

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

interface RawAction {
  type: string;
  params?: Record<string, unknown>;
}

/**
 * `transition()` of xstate builds a throw-away actor on each call. One inert scope that is used again and again does
 * the same at a fifth of the cost; `test/runtime/step.test.ts` holds the two together.
 */
const noInput: CallInput = {
  callId: '',
  created: {
    type: 'call.created',
    seq: 1,
    at: 0,
    format: entryFormat,
    chart: chartNumber,
    agent: '',
    direction: 'incoming',
    carrierCallId: null,
    from: null,
    to: null,
    traceId: '',
    settings: {} as CallInput['created']['settings'],
  },
};
const nothing = (): void => undefined;
const inert = createActor(callMachine, { input: noInput });
let collected: RawAction[] = [];
const scope = {
  self: inert,
  system: inert.system,
  id: '',
  sessionId: '',
  logger: nothing,
  defer: nothing,
  emit: nothing,
  stopChild: nothing,
  actionExecutor: (action: RawAction) => {
    collected.push(action);
  },
} as unknown as ActorScope<CallSnapshot, CallEvent>;

const isCommand = (type: string): type is Command['type'] => Object.hasOwn(commands, type);

/** Sorts what xstate collected into armed timers, cancelled timers and commands. */
function settle(due: Map<string, number>, at: number): Command[] {
  const asked: Command[] = [];
  for (const { type, params } of collected) {
    if (type === 'xstate.raise') {
      if (typeof params?.delay === 'number') due.set(String(params.id), at + params.delay);
    } else if (type === 'xstate.cancel') {
      due.delete(String(params?.sendId));
    } else if (isCommand(type)) {
      asked.push({ type, params } as Command);
    } else if (type.startsWith('xstate.')) {
      throw new GiveUpError('log.invalid', `${type}: a call may only assign, wait and name commands`);
    }
  }
  return asked;
}

const eventOf = (entry: Entry): CallEvent =>
  entry.type === 'timer.elapsed' ? { type: entry.timer as `xstate.after.${string}`, at: entry.at } : entry;

function begin(callId: string, entry: Entry): [CallState, Command[]] {
  if (entry.type !== 'call.created' || entry.seq !== 1) {
    throw new GiveUpError('log.invalid', `a log begins with call.created, not with ${entry.type}`);
  }
  if (entry.format > entryFormat || entry.chart > chartNumber) {
    throw new GiveUpError(
      'journal.future',
      `the log of this call has entry format ${entry.format} and chart ${entry.chart}; this version knows ${entryFormat} and ${chartNumber}`,
    );
  }
  const snapshot = callMachine.getInitialSnapshot(scope, { callId, created: entry });
  const due = new Map<string, number>();
  const asked = settle(due, entry.at);
  return [{ callId, snapshot, due, seq: 1, at: entry.at }, asked];
}

function advance(state: CallState, entry: Entry): [CallState, Command[]] {
  if (entry.seq !== state.seq + 1) {
    throw new GiveUpError('log.invalid', `entry ${entry.seq} follows ${state.seq}: the log has a hole`);
  }
  const { callId, seq, at } = { callId: state.callId, seq: entry.seq, at: entry.at };
  if (state.snapshot.status !== 'active') return [{ ...state, seq, at }, []];
  const due = new Map(state.due);
  if (entry.type === 'timer.elapsed' && !due.delete(entry.timer)) {
    throw new GiveUpError('log.invalid', `${entry.timer} elapsed but was never armed`);
  }
  const snapshot = callMachine.transition(state.snapshot, eventOf(entry), scope);
  if (snapshot.status === 'error') throw snapshot.error;
  const asked = settle(due, at);
  if (snapshot.status !== 'active') due.clear();
  return [{ callId, snapshot, due, seq, at }, asked];
}

/**
 * The state after `entry`, and the commands that it asks for.
 * @throws GiveUpError `log.invalid`, `journal.future`
 */
export function step(callId: string, state: CallState | null, entry: Entry): [CallState, Command[]] {
  collected = [];
  return state === null ? begin(callId, entry) : advance(state, entry);
}

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
  return JSON.parse(
    JSON.stringify({ chart: chartNumber, value, context, status, due: [...due].sort(), seq, at }),
  );
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
