/**
 * Owns: what is to be known of a call chart, whichever number it has.
 * Does not own: the charts, which of them are kept (`table.ts`).
 */
import type { AnyStateNode, StateValue } from 'xstate';
import type { callMachine } from '../call/machine.ts';

/** A call between two charts: where it is and what it remembers, as plain JSON. */
export interface Carried {
  value: StateValue;
  context: Record<string, unknown>;
}

export interface Chart {
  /** Logs name it. */
  number: number;
  /** Number of the entry format that it was made for. */
  format: number;
  /** Of an older chart, what the present one's type says of its context is not so. */
  machine: typeof callMachine;
  /** Names of the commands that it may ask for. */
  commands: object;
  /** How a call of the chart before this one goes on in this one; null for the oldest that is kept. */
  carry: ((before: Carried) => Carried) | null;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The state value of `node` that is nearest to `value`: a state that is not there any more gives way to the initial one. */
export function nearestValue(node: AnyStateNode, value: unknown): StateValue {
  if (node.type === 'parallel') return nearestRegions(node, isRecord(value) ? value : {});
  const named = isRecord(value) ? Object.keys(value)[0] : value;
  const isKnown = typeof named === 'string' && Object.hasOwn(node.states, named);
  const key = isKnown ? named : initialOf(node);
  const child = node.states[key];
  if (!child || Object.keys(child.states).length === 0) return key;
  return { [key]: nearestValue(child, isKnown && isRecord(value) ? value[key] : undefined) };
}

const nearestRegions = (node: AnyStateNode, value: Record<string, unknown>): StateValue =>
  Object.fromEntries(
    Object.entries(node.states).map(([name, region]) => [name, nearestValue(region, value[name])]),
  );

const initialOf = (node: AnyStateNode): string => node.initial.target?.[0]?.key ?? '';

/** `initial` with whatever `before` has under the same names, at every depth: lists and plain values are taken whole. */
export function completedBy(initial: object, before: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(initial).map(([name, value]) => {
      if (!Object.hasOwn(before, name)) return [name, value];
      const known = before[name];
      return [name, isRecord(value) && isRecord(known) ? completedBy(value, known) : known];
    }),
  );
}
