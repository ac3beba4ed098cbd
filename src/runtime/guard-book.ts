/**
 * Owns: whether a guard of a chart passes. What stands behind a name is looked up once.
 * Does not own: when it is asked (`macrostep.ts`).
 */
import { type AnyMachineSnapshot, and, type EventObject, not, or } from 'xstate';

export interface GuardArguments {
  context: unknown;
  event: EventObject;
}

type Predicate = (snapshot: AnyMachineSnapshot, given: GuardArguments) => boolean;

/** XState's own guards: functions that carry how they are checked, and the guards that they join. */
interface Builtin {
  (given: GuardArguments, params: unknown): boolean;
  check?(snapshot: AnyMachineSnapshot, given: GuardArguments, guard: Builtin): boolean;
  guards?: readonly unknown[];
}

const checkOf = (guard: unknown): Builtin['check'] => (guard as Builtin).check;
const [checkAnd, checkOr, checkNot] = [checkOf(and([])), checkOf(or([])), checkOf(not('any'))];

const always: Predicate = () => true;

export class GuardBook {
  readonly #implementations: Readonly<Record<string, unknown>>;
  readonly #predicates = new Map<unknown, Predicate>();

  constructor(implementations: Readonly<Record<string, unknown>>) {
    this.#implementations = implementations;
  }

  passes(guard: unknown, snapshot: AnyMachineSnapshot, given: GuardArguments): boolean {
    return guard === undefined || this.#predicateOf(guard)(snapshot, given);
  }

  #predicateOf(guard: unknown): Predicate {
    const known = this.#predicates.get(guard);
    if (known) return known;
    const predicate = this.#read(guard);
    this.#predicates.set(guard, predicate);
    return predicate;
  }

  #read(guard: unknown): Predicate {
    if (guard === undefined) return always;
    if (typeof guard === 'function') return this.#readFunction(guard as Builtin, undefined);
    const { type, params } = typeof guard === 'string' ? { type: guard } : (guard as Named);
    const implementation = this.#implementations[type];
    if (implementation === undefined) throw new Error(`Guard '${type}' is not implemented.`);
    if (typeof implementation !== 'function') return this.#predicateOf(implementation);
    return this.#readFunction(implementation as Builtin, params);
  }

  #readFunction(guard: Builtin, params: unknown): Predicate {
    const { check } = guard;
    if (check === undefined) {
      return typeof params === 'function'
        ? (_, given) => guard(given, params(given))
        : (_, given) => guard(given, params);
    }
    const parts = (): Predicate[] => (guard.guards ?? []).map((part) => this.#predicateOf(part));
    if (check === checkAnd) return allOf(parts());
    if (check === checkOr) return anyOf(parts());
    if (check === checkNot) return noneOf(parts());
    return (snapshot, given) => check(snapshot, given, guard);
  }
}

interface Named {
  type: string;
  params?: unknown;
}

const allOf =
  (parts: readonly Predicate[]): Predicate =>
  (snapshot, given) =>
    parts.every((part) => part(snapshot, given));

const anyOf =
  (parts: readonly Predicate[]): Predicate =>
  (snapshot, given) =>
    parts.some((part) => part(snapshot, given));

const noneOf = (parts: readonly Predicate[]): Predicate => {
  const isAny = anyOf(parts);
  return (snapshot, given) => !isAny(snapshot, given);
};
