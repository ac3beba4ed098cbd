/** The step reuses one inert scope, which XState does not know of. This holds the two together. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AnyStateMachine,
  and,
  assign,
  fromCallback,
  initialTransition,
  not,
  raise,
  setup,
  stateIn,
  transition,
} from 'xstate';
import { type CallEvent, chartNumber } from '../../src/machines/call/context.ts';
import { callMachine } from '../../src/machines/call/machine.ts';
import { commands } from '../../src/machines/commands.ts';
import { type Draft, type Entry, entryFormat } from '../../src/machines/entries.ts';
import { lightened } from '../../src/runtime/light-machine.ts';
import { type CallState, fold, step } from '../../src/runtime/step.ts';
import { createStepper } from '../../src/runtime/stepper.ts';
import { created, factsAt } from '../machines/alphabet.ts';
import { created as createdFact } from '../machines/support/facts.ts';

interface Raw {
  type: string;
  params?: unknown;
}

/** What XState's own functions make of an event, told as the step tells it. */
function told(actions: readonly Raw[], due: Map<string, number>, at: number): unknown[] {
  for (const { type, params } of actions) {
    const { id, sendId, delay } = (params ?? {}) as { id?: string; sendId?: string; delay?: number };
    if (type === 'xstate.cancel') due.delete(String(sendId));
    if (type === 'xstate.raise' && delay !== undefined) due.set(String(id), at + delay);
  }
  return actions.filter(({ type }) => type in commands).map(({ type, params }) => ({ type, params }));
}

const first = { ...created, seq: 1, at: 1_000 } as Entry & { type: 'call.created' };

/** The same call twice: stepped by us, and moved by XState. */
class Twins {
  state: CallState;
  #snapshot: ReturnType<typeof initialTransition<typeof callMachine>>[0];
  #due = new Map<string, number>();

  constructor() {
    const [state, asked] = step('call1', null, first);
    const [snapshot, actions] = initialTransition(callMachine, { callId: 'call1', created: first });
    this.state = state;
    this.#snapshot = snapshot;
    expect(asked).toEqual(told(actions, this.#due, first.at));
  }

  move(fact: Draft, at: number): void {
    const entry = { ...fact, seq: this.state.seq + 1, at } as Entry;
    const isTimer = fact.type === 'timer.elapsed';
    const event = (isTimer ? { type: fact.timer, at } : entry) as CallEvent;
    if (isTimer) this.#due.delete(fact.timer);
    const [state, asked] = step('call1', this.state, entry);
    const [snapshot, actions] = transition(callMachine, this.#snapshot, event);
    expect(asked).toEqual(told(actions, this.#due, at));
    if (snapshot.status !== 'active') this.#due.clear();
    this.state = state;
    this.#snapshot = snapshot;
  }

  compare(): void {
    const { snapshot, due } = this.state;
    expect(snapshot.value).toEqual(this.#snapshot.value);
    expect(snapshot.context).toEqual(this.#snapshot.context);
    expect(snapshot.status).toBe(this.#snapshot.status);
    expect([...snapshot.tags]).toEqual([...this.#snapshot.tags]);
    expect([...due].sort()).toEqual([...this.#due].sort());
  }
}

describe('a step', () => {
  it('gives the state, the context, the timers and the commands of the transition function of xstate', () => {
    let steps = 0;
    const walks = fc.array(fc.nat(9_999), { minLength: 1, maxLength: 50, size: 'max' });
    fc.assert(
      fc.property(walks, (numbers) => {
        const twins = new Twins();
        for (const number of numbers) {
          if (twins.state.snapshot.status !== 'active') break;
          const facts = factsAt(twins.state);
          twins.move(facts[number % facts.length] as Draft, twins.state.at + (number % 500));
          twins.compare();
          steps++;
        }
      }),
      { numRuns: 400 },
    );
    expect(steps).toBeGreaterThan(2_000);
  });
});

describe('a chart that says it in other ways than ours', () => {
  type Event = { type: 'go' | 'other' | 'ask'; at: number };
  const machine = setup({
    types: { context: {} as { seen: number; asked: string[] }, events: {} as Event },
    actions: {
      /** Each field by itself. */
      see: assign({ seen: ({ context }) => context.seen + 1 }),
      note: assign(({ context }, where: string) => ({ asked: [...context.asked, where] })),
    },
    guards: { seenAny: ({ context }) => context.seen > 0 },
  }).createMachine({
    context: { seen: 0, asked: [] },
    type: 'parallel',
    states: {
      /** Takes everything. */
      counter: { initial: 'on', states: { on: { on: { '*': { actions: 'see' } } } } },
      walker: {
        initial: 'here',
        states: {
          here: { on: { go: 'there' } },
          there: { id: 'walking', initial: 'inside', on: { go: 'here' }, states: { inside: {} } },
        },
      },
      asker: {
        on: {
          ask: [
            { guard: stateIn({ walker: { there: 'outside' } }), actions: { type: 'note', params: 'never' } },
            { guard: stateIn({ walker: { here: 'inside' } }), actions: { type: 'note', params: 'never' } },
            { guard: stateIn('#walking'), actions: { type: 'note', params: 'by its identifier' } },
            {
              guard: and(['seenAny', not(stateIn({ walker: 'there' }))]),
              actions: { type: 'note', params: 'here' },
            },
          ],
          other: [
            {
              guard: and([stateIn({ walker: 'there.inside' }), stateIn({ walker: 'there.outside' })]),
              actions: { type: 'note', params: 'never' },
            },
            {
              guard: and([stateIn({ walker: { there: 'inside' } }), stateIn({ walker: 'there.inside' })]),
              actions: { type: 'note', params: 'inside' },
            },
          ],
        },
      },
    },
  });

  it('is spared what xstate does in vain', () => {
    const [heavy, light] = [machine as AnyStateMachine, lightened(machine as AnyStateMachine)];
    const resolveOf = ({ implementations }: AnyStateMachine) =>
      (implementations.actions.note as unknown as { resolve: unknown }).resolve;
    expect(resolveOf(light)).not.toBe(resolveOf(heavy));
    const placeOf = ({ root }: AnyStateMachine) =>
      root.states.asker?.transitions.get('ask')?.[0]?.guard as unknown as { check: unknown };
    expect(placeOf(light).check).not.toBe(placeOf(heavy).check);
    expect(Object.hasOwn(light.root.states.walker as object, 'next')).toBe(true);
  });

  it('is stepped as xstate moves it', () => {
    const stepper = createStepper(machine as AnyStateMachine, {}, undefined);
    let [expected] = initialTransition(machine);
    let snapshot = stepper.begin(undefined);
    for (const type of ['ask', 'other', 'go', 'ask', 'other', 'go', 'other', 'ask'] as const) {
      [expected] = transition(machine, expected, { type, at: 1 });
      snapshot = stepper.advance(snapshot, { type, at: 1 });
      expect([snapshot.value, snapshot.context]).toEqual([expected.value, expected.context]);
    }
    expect(expected.context).toEqual({ seen: 8, asked: ['by its identifier', 'inside', 'here'] });
  });
});

describe('a log that cannot be', () => {
  const [state] = step('call1', null, first);
  const next = (draft: Draft, seq = 2): Entry => ({ ...draft, seq, at: 2_000 }) as Entry;

  it('begins with something else than its creation', () => {
    expect(() => step('call1', null, next({ type: 'call.answered', by: 'us' }, 1))).toThrow(
      /begins with call.created/,
    );
    expect(() => step('call1', null, { ...first, seq: 2 })).toThrow(/begins with call.created/);
  });

  it('has a hole, or an entry twice', () => {
    for (const seq of [1, 3]) {
      expect(() => step('call1', state, next({ type: 'call.answered', by: 'us' }, seq))).toThrow(
        /has a hole/,
      );
    }
  });

  it('has a timer elapse that was never armed (S2)', () => {
    expect(() =>
      step('call1', state, next({ type: 'timer.elapsed', timer: 'xstate.after.farewell.x' })),
    ).toThrow(/never armed/);
  });

  it('was written by a newer version', () => {
    const newer = { ...createdFact(), seq: 1, at: 1 } as Entry & { type: 'call.created' };
    const codes = [
      { ...newer, format: entryFormat + 1 },
      { ...newer, chart: chartNumber + 1 },
    ].map((entry) => {
      try {
        step('call1', null, entry);
        return null;
      } catch (error) {
        return (error as { code: string }).code;
      }
    });
    expect(codes).toEqual(['journal.future', 'journal.future']);
  });

  it('is nothing to fold where it is empty', () => {
    expect(fold('call1', [])).toBeNull();
  });
});

describe('a call that is over', () => {
  it('still counts its entries, and asks for nothing (S3)', () => {
    const over = { ...step('call1', null, first)[0] };
    const facts: Draft[] = [
      { type: 'carrier.reported', status: 'completed', source: 'callback' },
      { type: 'call.ended', reason: 'x' },
      { type: 'call.answered', by: 'us' },
    ];
    const end = facts.reduce<CallState>(
      (current, fact) =>
        step('call1', current, { ...fact, seq: current.seq + 1, at: current.at } as Entry)[0],
      over,
    );
    expect(end.snapshot.value).toBe('ended');
    expect(end.seq).toBe(4);
    expect(end.due.size).toBe(0);
    expect(step('call1', end, { type: 'call.answered', by: 'us', seq: 5, at: end.at })[1]).toEqual([]);
  });
});

describe('a chart that does more than assign, wait and name commands (S4)', () => {
  const { createMachine } = setup({
    types: { events: {} as { type: 'go'; at: number } },
    actors: { somebody: fromCallback(() => undefined) },
    actions: { phoneHome: () => undefined },
    guards: {
      broken: () => {
        throw new Error('no clock here');
      },
    },
  });

  const settled = (machine: AnyStateMachine): unknown => {
    const stepper = createStepper(machine, {}, undefined);
    stepper.begin(undefined);
    return stepper.settle(new Map(), 0);
  };

  it('is refused', () => {
    const invoking = createMachine({ initial: 'a', states: { a: { invoke: { src: 'somebody' } } } });
    const acting = createMachine({ initial: 'a', states: { a: { entry: 'phoneHome' } } });
    for (const machine of [invoking, acting]) {
      expect(() => settled(machine)).toThrow(/only assign, wait and name commands/);
    }
  });

  it('is not one that raises an event at once: that was taken within the step', () => {
    const raising = createMachine({
      initial: 'a',
      states: { a: { entry: raise({ type: 'go', at: 0 }), on: { go: 'b' } }, b: {} },
    });
    expect(settled(raising)).toEqual([]);
  });

  it('fails with the error that reached the chart', () => {
    const simple = createMachine({ initial: 'a', states: { a: {} } });
    const stepper = createStepper(simple as AnyStateMachine, {}, undefined);
    const error = new Error('no such tool');
    const event = { type: 'xstate.error.actor.somebody', error, at: 1 };
    expect(() => stepper.advance(stepper.begin(undefined), event)).toThrow(error);
  });

  it('fails with its own error where a guard fails', () => {
    const failing = createMachine({
      initial: 'a',
      states: { a: { on: { go: { guard: 'broken', target: 'a' } } } },
    });
    const stepper = createStepper(failing as AnyStateMachine, {}, undefined);
    const snapshot = stepper.begin(undefined);
    expect(() => stepper.advance(snapshot, { type: 'go', at: 1 })).toThrow(/no clock here/);
  });
});
