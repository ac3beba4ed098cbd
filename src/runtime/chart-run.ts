/**
 * Owns: one event on its way through a chart: what is active, the context, and the actions that are carried out.
 * Does not own: which transitions are taken (`macrostep.ts`), what becomes of a command or a timer (`stepper.ts`).
 */
import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode, EventObject, StateValue } from 'xstate';
import type { GuardArguments } from './guard-book.ts';
import { isAtomic } from './topology.ts';

export interface RawAction {
  type: string;
  params?: Record<string, unknown> | undefined;
}

/** An action as a chart has it: its name, with parameters, or one of XState's own kind. */
export type ChartAction = string | Builtin | { type: string; params?: unknown };

interface ActionArguments extends GuardArguments {
  self: unknown;
  system: unknown;
  spawn?: () => never;
}

type Assignment = (given: ActionArguments, params: unknown) => object;

/** XState's own actions: functions that carry how they are resolved. */
interface Builtin {
  (given: ActionArguments, params: unknown): unknown;
  type?: string;
  assignment?: Assignment | Record<string, unknown>;
  execute?: unknown;
  resolve?(
    scope: unknown,
    snapshot: AnyMachineSnapshot,
    given: ActionArguments,
    params: unknown,
    action: Builtin,
    extra: { internalQueue: EventObject[] },
  ): [AnyMachineSnapshot, Record<string, unknown> | undefined, ChartAction[] | undefined];
}

/** What an action may know, and who is told of each that was carried out. */
export interface Surroundings {
  scope: { self: unknown; system: unknown };
  onAction(action: RawAction): void;
}

const refuseSpawn = (): never => {
  throw new Error('a chart may only assign, wait and name commands');
};

export const innermostFirst = (one: AnyStateNode, other: AnyStateNode): number => other.order - one.order;

/** One event on its way through the chart. */
export class ChartRun {
  readonly snapshot: AnyMachineSnapshot;
  readonly raised: EventObject[] = [];
  /** Assignments, and changes of what is active. */
  changes = 0;
  /** The transitions without an event have been taken. */
  isSettled = false;
  event: EventObject;
  readonly #machine: AnyStateMachine;
  readonly #surroundings: Surroundings;

  constructor(
    machine: AnyStateMachine,
    before: AnyMachineSnapshot,
    event: EventObject,
    surroundings: Surroundings,
  ) {
    this.snapshot = { ...before };
    this.event = event;
    this.#machine = machine;
    this.#surroundings = surroundings;
  }

  perform(actions: readonly ChartAction[]): void {
    for (const action of actions) this.#performOne(action);
  }

  /** The states that are active once everything was left and entered. */
  settle(active: ReadonlySet<AnyStateNode>): void {
    const { snapshot } = this;
    const nodes = [...active];
    if (snapshot.status === 'done') {
      nodes.sort(innermostFirst);
      for (const { exit } of nodes) this.perform(exit as ChartAction[]);
    }
    const before = snapshot._nodes;
    if (before.length === nodes.length && before.every((node) => active.has(node))) return;
    this.changes += 1;
    snapshot._nodes = nodes;
    snapshot.value = stateValueOf(this.#machine.root, nodes);
    snapshot.tags = new Set(nodes.flatMap(({ tags }) => tags));
  }

  #performOne(action: ChartAction): void {
    const named = typeof action === 'function' ? null : action;
    const type = typeof named === 'string' ? named : (named?.type ?? '');
    const implementations: Record<string, Builtin> = this.#machine.implementations.actions as never;
    const resolved = typeof action === 'function' ? action : implementations[type];
    const { context } = this.snapshot;
    const given: ActionArguments = {
      context,
      event: this.event,
      self: this.#surroundings.scope.self,
      system: this.#surroundings.scope.system,
    };
    const params = named === null || typeof named === 'string' ? undefined : this.#paramsOf(named.params);
    if (resolved?.assignment !== undefined) this.#assign(resolved.assignment, given, params);
    else if (resolved?.resolve) this.#resolve(resolved, given, params);
    else {
      const name = named === null ? (action as Builtin).name || '(anonymous)' : type;
      this.#surroundings.onAction({ type: name, params: params as Record<string, unknown> | undefined });
    }
  }

  #paramsOf(params: unknown): unknown {
    if (typeof params !== 'function') return params;
    return params({ context: this.snapshot.context, event: this.event });
  }

  #assign(assignment: Assignment | Record<string, unknown>, given: ActionArguments, params: unknown): void {
    const whole = { ...given, spawn: refuseSpawn };
    const valueOfKey = (value: unknown): unknown =>
      typeof value === 'function' ? value(whole, params) : value;
    const change =
      typeof assignment === 'function'
        ? assignment(whole, params)
        : Object.fromEntries(Object.entries(assignment).map(([key, value]) => [key, valueOfKey(value)]));
    this.changes += 1;
    this.snapshot.context = { ...this.snapshot.context, ...change };
  }

  #resolve(action: Builtin, given: ActionArguments, params: unknown): void {
    const [, told, further] =
      action.resolve?.(this.#surroundings.scope, this.snapshot, given, params, action, {
        internalQueue: this.raised,
      }) ?? [];
    if (action.execute !== undefined) this.#surroundings.onAction({ type: action.type ?? '', params: told });
    if (further) this.perform(further);
  }
}

/** The value that XState gives to these active states: the regions of a parallel state in the order of the list. */
function stateValueOf(root: AnyStateNode, nodes: readonly AnyStateNode[]): StateValue {
  const children = new Map<AnyStateNode, AnyStateNode[]>();
  for (const node of nodes) {
    if (!node.parent) continue;
    const siblings = children.get(node.parent);
    if (siblings) siblings.push(node);
    else children.set(node.parent, [node]);
  }
  const valueBelow = (node: AnyStateNode): StateValue => {
    const below = children.get(node) ?? [];
    const [first] = below;
    if (node.type === 'compound' && first && isAtomic(first)) return first.key;
    return Object.fromEntries(below.map((child) => [child.key, valueBelow(child)]));
  };
  return valueBelow(root);
}
