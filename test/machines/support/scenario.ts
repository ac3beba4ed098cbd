/**
 * Given some facts, when another one comes, the call is in these states and asks for these commands.
 *
 *     given(...quietCall()).when(callerStarts).leadsTo({ states: { turn: 'callerSpeaking' }, commands: ['interruptReply'] });
 *
 * A command is written as its type and its parameters: `createReply greeting`, `closeStream stream1`.
 */
import { expect } from 'vitest';
import type { CallContext } from '../../../src/machines/call/context.ts';
import type { Command } from '../../../src/machines/commands.ts';
import { type Draft, type Entry, entryFault } from '../../../src/machines/entries.ts';
import { type CallState, step } from '../../../src/runtime/step.ts';

export type Fact = Draft | { elapsed: string };

export interface Expected {
  /** Regions of a live call and their states, or the name of a state that is not live. */
  states?: Record<string, string> | string;
  /** All commands of the last fact, in order. */
  commands?: string[];
  context?: Shape<CallContext>;
}

/** Some of it: as `toMatchObject` takes it. */
type Shape<Whole> = {
  [Key in keyof Whole]?: Whole[Key] extends readonly unknown[]
    ? Whole[Key]
    : Whole[Key] extends object | null
      ? Shape<Whole[Key]> | Extract<Whole[Key], null>
      : Whole[Key];
};

const secondMs = 1_000;

/** Facts come a second apart; a timer comes when it is due. */
export class Scenario {
  readonly #state: CallState | null;
  readonly #commands: readonly Command[];

  constructor(state: CallState | null = null, commands: readonly Command[] = []) {
    this.#state = state;
    this.#commands = commands;
  }

  get state(): CallState {
    if (!this.#state) throw new Error('nothing is given');
    return this.#state;
  }

  get commands(): string[] {
    return this.#commands.map(inWords);
  }

  when(...facts: Fact[]): Scenario {
    let scenario: Scenario = this;
    for (const fact of facts) scenario = scenario.#next(fact);
    return scenario;
  }

  /** As `when`: it reads better where several facts lead up to the one that matters. */
  and(...facts: Fact[]): Scenario {
    return this.when(...facts);
  }

  leadsTo({ states, commands, context }: Expected): Scenario {
    if (states !== undefined) expect(this.#statesLike(states)).toEqual(states);
    if (commands !== undefined) expect(this.commands).toEqual(commands);
    if (context !== undefined) expect(this.state.snapshot.context).toMatchObject(context);
    return this;
  }

  /** Names of the delays that are being waited for. */
  get waits(): string[] {
    return [...this.state.due.keys()].map(delayOf).sort();
  }

  /** What is left of a delay, milliseconds. */
  remainingMs(delay: string): number {
    return (this.state.due.get(this.#timer(delay)) ?? Number.NaN) - this.state.at;
  }

  #next(fact: Fact): Scenario {
    const before = this.#state;
    const entry = { ...this.#draftOf(fact), seq: (before?.seq ?? 0) + 1, at: this.#momentOf(fact) } as Entry;
    const fault = entryFault(entry);
    if (fault !== null) throw new Error(`${entry.type} is no valid entry: ${fault}`);
    return new Scenario(...step('call1', before, entry));
  }

  #draftOf(fact: Fact): Draft {
    return 'elapsed' in fact ? { type: 'timer.elapsed', timer: this.#timer(fact.elapsed) } : fact;
  }

  #momentOf(fact: Fact): number {
    if ('elapsed' in fact) return this.state.due.get(this.#timer(fact.elapsed)) ?? Number.NaN;
    return (this.#state?.at ?? 0) + secondMs;
  }

  #timer(delay: string): string {
    const timer = [...this.state.due.keys()].find((name) => delayOf(name) === delay);
    if (timer === undefined) throw new Error(`${delay} is not waited for, but ${this.waits.join(', ')}`);
    return timer;
  }

  #statesLike(expected: Record<string, string> | string): unknown {
    const { value } = this.state.snapshot;
    if (typeof expected === 'string') return typeof value === 'string' ? value : Object.keys(value)[0];
    if (typeof value === 'string') return value;
    const regions: Record<string, unknown> = 'live' in value ? { ...value.live } : { ...value };
    return Object.fromEntries(
      Object.entries(expected).map(([region, state]) => [region, placeIn(regions[region], state)]),
    );
  }
}

/** `streaming.leaving` for `{ streaming: 'leaving' }`; `streaming` where no more is expected. */
function placeIn(value: unknown, expected: string): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const [state = '', inner] = Object.entries(value)[0] ?? [];
  return expected.includes('.') ? `${state}.${inner}` : state;
}

/** `xstate.after.replyStart.call.live.turn.thinking` waits for `replyStart`. */
const delayOf = (timer: string): string => timer.split('.')[2] ?? timer;

const inWords = ({ type, params }: Command): string => [type, ...Object.values(params)].join(' ');

export const given = (...facts: Fact[]): Scenario => new Scenario().when(...facts);
