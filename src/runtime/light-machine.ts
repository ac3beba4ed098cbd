/**
 * Owns: sparing a chart what xstate does at each step in vain, half of what a step costs. The chart is the same: a test
 * holds it to what xstate makes of it.
 * Does not own: the step (`stepper.ts`).
 */
import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode, StateValue } from 'xstate';

/** An assignment as xstate keeps it: a function that says how it is carried out. */
interface Assignment {
  assignment: (scope: object, params: unknown) => object;
  resolve(...given: unknown[]): unknown;
}

/** A guard as xstate keeps it that asks for a place (`stateIn`), or is made of others (`and`, `or`, `not`). */
interface BuiltGuard {
  check(snapshot: AnyMachineSnapshot, ...given: unknown[]): boolean;
  stateValue?: unknown;
  guards?: readonly unknown[];
}

/** What xstate asks a state for what it does on an event. */
interface Asked {
  next(snapshot: AnyMachineSnapshot, event: { type: string }): unknown;
}

/** The same machine, of its own states: the one that was given stays as it is. */
export function lightened(machine: AnyStateMachine): AnyStateMachine {
  const { actions } = machine.implementations;
  const light = machine.provide({
    actions: Object.fromEntries(
      Object.entries(actions).flatMap(([name, action]) =>
        isAssignment(action) ? [[name, assigning(action) as never]] : [],
      ),
    ),
  });
  lighten(light.root);
  return light;
}

const isAssignment = (action: unknown): action is Assignment =>
  typeof action === 'function' &&
  'assignment' in action &&
  'resolve' in action &&
  typeof action.assignment === 'function';

/** XState works out anew where the call is and which tags that has. An assignment changes the context alone. */
const assigning = (heavy: Assignment): Assignment =>
  Object.assign(() => undefined, heavy, {
    resolve: (_: unknown, snapshot: AnyMachineSnapshot, scope: object, params: unknown) => [
      { ...snapshot, context: { ...snapshot.context, ...heavy.assignment(scope, params) } },
    ],
  });

function lighten(state: AnyStateNode): void {
  const { always = [], transitions, states } = state;
  for (const transition of [...always, ...transitions.values()].flat())
    Object.assign(transition, { guard: asking(transition.guard) });
  quieten(state);
  for (const child of Object.values(states)) lighten(child);
}

/** XState cuts the names of both places into letters, to look for dots in them. */
function asking(guard: unknown): unknown {
  if (!isBuilt(guard)) return guard;
  const { stateValue: place, guards } = guard;
  return Object.assign(() => false, guard, {
    ...(guards && { guards: guards.map(asking) }),
    ...(isPlace(place) && { check: ({ value }: AnyMachineSnapshot) => isWithin(value, place) }),
  });
}

const isBuilt = (guard: unknown): guard is BuiltGuard => typeof guard === 'function' && 'check' in guard;

/** As an object: a text may also name a state by its identifier. A name with a dot is several, one within the other. */
const isPlace = (value: unknown): value is Exclude<StateValue, string> =>
  typeof value === 'object' && !JSON.stringify(value).includes('.');

/** Whether a call that is at `value` is at the place. */
function isWithin(value: StateValue, place: StateValue): boolean {
  if (typeof place === 'string') return typeof value === 'string' ? value === place : place in value;
  if (typeof value === 'string') return false;
  for (const region in place) {
    const [here, there] = [value[region], place[region]];
    if (here === undefined || there === undefined || !isWithin(here, there)) return false;
  }
  return true;
}

/** A state looks up what it does on an event whenever it is asked, and most states do nothing on most events. */
function quieten(state: AnyStateNode): void {
  const asked = state as unknown as Asked;
  const { next } = asked;
  const types = new Set(state.transitions.keys());
  const isWild = [...types].some((type) => type.includes('*'));
  if (!isWild)
    asked.next = (snapshot, event) => (types.has(event.type) ? next.call(state, snapshot, event) : undefined);
}
