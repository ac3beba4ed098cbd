/** A process in a test: a registry on a shared store, which notes all that its calls do. */
import {
  type MemoryJournalOptions,
  type MemoryStore,
  openMemoryJournal,
} from '../../../src/adapters/journal/memory.ts';
import { type Command, reflexes } from '../../../src/machines/commands.ts';
import type { Entry } from '../../../src/machines/entries.ts';
import { Call, type ObservedStep, type World } from '../../../src/runtime/call.ts';
import type { Journal } from '../../../src/runtime/ports/journal.ts';
import type { Signal } from '../../../src/runtime/ports/signal.ts';
import { Registry } from '../../../src/runtime/registry.ts';
import type { WrittenLog } from '../../../src/runtime/writer.ts';
import type { VirtualClock } from '../../../src/twin/virtual-clock.ts';
import { answered, claimed, created } from '../../machines/support/facts.ts';

export interface Performed {
  call: Call;
  command: Command;
  key: string;
}

/** What calls did, in the order in which they did it. */
export class Diary {
  readonly performed: Performed[] = [];
  readonly observed: ObservedStep[] = [];
  readonly lost: Call[] = [];
  readonly over: Call[] = [];
  readonly refused: string[] = [];
  /** Called with every command that is performed: a test's own performer. */
  onPerform: (performed: Performed) => void = () => undefined;
  /** Told of every step: a test's own observer. */
  onObserve: (step: ObservedStep) => void = () => undefined;

  world(clock: VirtualClock): Omit<World, 'log'> {
    return {
      clock,
      perform: (call, command, key) => {
        this.performed.push({ call, command, key });
        this.onPerform({ call, command, key });
      },
      observe: (step) => {
        this.observed.push(step);
        this.onObserve(step);
      },
      lost: (call) => this.lost.push(call),
      over: (call) => this.over.push(call),
      refused: (_, fault) => this.refused.push(fault),
    };
  }

  get entries(): Entry[] {
    return this.observed.map(({ entry }) => entry);
  }

  /** `joinStream call1/6/0` for each command. */
  get commands(): string[] {
    return this.performed.map(({ command, key }) => `${command.type} ${key}`);
  }

  get reflexes(): string[] {
    return this.performed
      .filter(({ command }) => reflexes.has(command.type))
      .map(({ command }) => command.type);
  }
}

export interface Process {
  name: string;
  journal: Journal;
  registry: Registry;
  diary: Diary;
}

export function startProcess(
  name: string,
  store: MemoryStore,
  clock: VirtualClock,
  beforeAppend?: MemoryJournalOptions['beforeAppend'],
): Process {
  const diary = new Diary();
  const journal = openMemoryJournal(store, { clock, ...(beforeAppend && { beforeAppend }) });
  const registry = new Registry(name, journal, diary.world(clock));
  return { name, journal, registry, diary };
}

export const createdSignal = (rest: Parameters<typeof created>[1] = {}): Signal => ({
  entry: created({}, { carrierCallId: null, ...rest }),
});

/** A new call without a registry. */
export function newCall(log: WrittenLog, clock: VirtualClock, diary: Diary, callId = 'call1'): Call {
  return new Call(callId, { ...diary.world(clock), log }, null, null);
}

export const firstSignals: readonly Signal[] = [
  createdSignal(),
  { entry: claimed('one') },
  { entry: answered },
];
