/** Our own macrostep is for any plain chart. Random ones, with all that a plain chart may have, are moved both ways. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  and,
  assign,
  initialTransition,
  not,
  or,
  raise,
  setup,
  stateIn,
  transition,
} from 'xstate';
import { createStepper } from '../../src/runtime/stepper.ts';

const eventTypes = ['a', 'b', 'c'] as const;
type Happening = { type: (typeof eventTypes)[number]; number: number };

interface Move {
  on: 'a' | 'b' | 'c' | 'always';
  /** Of all states, taken round from the start; null for none. */
  target: number | null;
  reenter: boolean;
  guard: 'none' | 'even' | 'both' | 'either' | 'odd' | 'inState';
  raises: boolean;
}

interface State {
  kind: 'compound' | 'parallel';
  moves: Move[];
  waits: boolean;
  children: State[];
}

const move: fc.Arbitrary<Move> = fc.record({
  on: fc.constantFrom('a', 'b', 'c', 'always'),
  target: fc.option(fc.nat(30)),
  reenter: fc.boolean(),
  guard: fc.constantFrom('none', 'none', 'even', 'both', 'either', 'odd', 'inState'),
  raises: fc.boolean(),
});

const stateOf = (depth: number): fc.Arbitrary<State> =>
  fc.record({
    kind: fc.constantFrom('compound', 'parallel'),
    moves: fc.array(move, { maxLength: 3 }),
    waits: fc.boolean(),
    children: depth === 0 ? fc.constant([]) : fc.array(stateOf(depth - 1), { maxLength: 3 }),
  });

const chart = fc.record({
  kind: fc.constant('compound' as const),
  moves: fc.array(move, { maxLength: 2 }),
  waits: fc.constant(false),
  children: fc.array(stateOf(2), { minLength: 2, maxLength: 3 }),
});

const { createMachine } = setup({
  types: { context: {} as { fuel: number; taken: string[] }, events: {} as Happening },
  actions: {
    note: assign(({ context }, name: string) => ({ taken: [...context.taken, name] })),
    burn: assign({ fuel: ({ context }) => context.fuel - 1 }),
    tell: (_, __: { what: string }) => undefined,
  },
  guards: {
    hasFuel: ({ context }) => context.fuel > 0,
    even: ({ event }) => (event.number ?? 0) % 2 === 0,
    large: ({ event }, { limit }: { limit: number }) => (event.number ?? 0) > limit,
  },
  delays: { soon: ({ context }) => context.fuel * 10 + 1 },
});

const guards = {
  none: [],
  even: ['even'],
  both: [and(['even', { type: 'large', params: { limit: 4 } }])],
  either: [or(['even', { type: 'large', params: { limit: 4 } }])],
  odd: [not('even')],
  inState: [stateIn('#s2')],
} as const;

const tell = (what: string) => ({ type: 'tell', params: { what } });

/** Every state is told as it is entered and left; what needs no event, or makes one, burns fuel: so every step ends. */
class Builder {
  readonly #size: number;
  #named = 0;

  constructor(size: number) {
    this.#size = size;
  }

  build({ kind, moves, waits, children }: State): object {
    const name = `s${this.#named++}`;
    const keys = children.map((_, index) => `k${index}`);
    const states = Object.fromEntries(children.map((child, index) => [keys[index], this.build(child)]));
    const type =
      children.length === 0 ? {} : kind === 'parallel' ? { type: 'parallel' } : { initial: keys[0] };
    const on = Map.groupBy(moves, (each) => each.on);
    const { always = [], ...events } = Object.fromEntries(
      [...on].map(([event, list]) => [
        event,
        list.map((each, index) => this.#moveOf(each, `${name}.${event}${index}`)),
      ]),
    );
    return {
      id: name,
      ...type,
      tags: [name],
      entry: [tell(`into ${name}`)],
      exit: [tell(`out of ${name}`)],
      ...(children.length > 0 && { states }),
      on: events,
      always,
      ...(waits && { after: { soon: { actions: 'burn' } } }),
    };
  }

  #moveOf({ on, target, reenter, guard, raises }: Move, name: string): object {
    const burns = on === 'always' || raises;
    const asked = [...(burns ? ['hasFuel'] : []), ...guards[guard]];
    return {
      ...(target !== null && { target: `#s${1 + (target % (this.#size - 1))}` }),
      reenter,
      ...(asked.length > 0 && { guard: and(asked as never) }),
      actions: [
        tell(name),
        { type: 'note', params: name },
        ...(burns ? ['burn'] : []),
        ...(raises ? [raise({ type: 'b', number: 3 } as { type: 'b' })] : []),
      ],
    };
  }
}

const sizeOf = ({ children }: State): number => children.reduce((size, child) => size + sizeOf(child), 1);

const machineOf = (root: State): AnyStateMachine =>
  createMachine({
    context: { fuel: 6, taken: [] },
    ...new Builder(sizeOf(root)).build(root),
  } as never) as unknown as AnyStateMachine;

/** The order of regions counts as well: actions come in it. */
const told = ({ value, context, status, tags }: AnyMachineSnapshot): string =>
  JSON.stringify([value, context, status, [...tags]]);

test('any plain chart comes to the same states by the same actions, in the same order', () => {
  const happenings = fc.array(fc.record({ type: fc.constantFrom(...eventTypes), number: fc.nat(9) }), {
    minLength: 1,
    maxLength: 12,
  });
  let moved = 0;
  fc.assert(
    fc.property(chart, happenings, (root, events) => {
      const machine = machineOf(root);
      const stepper = createStepper(machine, { tell: true }, undefined);
      let ours = stepper.begin(undefined) as AnyMachineSnapshot;
      let [theirs] = initialTransition(machine) as [AnyMachineSnapshot, unknown];
      for (const event of events) {
        const before = ours;
        const frozen = told(before);
        const [next, actions] = transition(machine, theirs, event);
        ours = stepper.advance(ours, event) as AnyMachineSnapshot;
        const asked = stepper.settle(new Map(), 0);
        theirs = next as AnyMachineSnapshot;
        expect(told(ours)).toBe(told(theirs));
        expect(ours._nodes.map(({ id }) => id)).toEqual(theirs._nodes.map(({ id }) => id));
        expect(asked).toEqual(
          (actions as readonly { type: string; params?: unknown }[])
            .filter(({ type }) => type === 'tell')
            .map(({ type, params }) => ({ type, params })),
        );
        expect(told(before)).toBe(frozen);
        moved += ours === before ? 0 : 1;
      }
    }),
    { numRuns: 300 },
  );
  expect(moved).toBeGreaterThan(300);
});
