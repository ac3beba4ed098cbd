/**
 * Owns: sparing a chart what xstate does at each step in vain, half of what a step costs. The chart is the same: a test
 * holds it to what xstate makes of it.
 * Does not own: the step (`stepper.ts`).
 */
import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode } from 'xstate';

/** An assignment as xstate keeps it: a function that says how it is carried out. */
interface Assignment {
  assignment: (scope: object, params: unknown) => object;
  resolve(...given: unknown[]): unknown;
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
  quieten(light.root);
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

/** A state looks up what it does on an event whenever it is asked, and most states do nothing on most events. */
function quieten(state: AnyStateNode): void {
  const asked = state as unknown as Asked;
  const { next } = asked;
  const types = new Set(state.transitions.keys());
  const isWild = [...types].some((type) => type.includes('*'));
  if (!isWild)
    asked.next = (snapshot, event) => (types.has(event.type) ? next.call(state, snapshot, event) : undefined);
  for (const child of Object.values(state.states)) quieten(child);
}
