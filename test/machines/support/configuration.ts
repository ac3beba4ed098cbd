/** A chart's configuration as data: what it consists of, and a digest of it. */
import { createHash } from 'node:crypto';
import type { AnyStateMachine, AnyStateNode } from 'xstate';

export const digestOf = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 16);

/** States, transitions and names in their order, which has a meaning; functions by what kind of function they are. */
export const configurationOf = (machine: AnyStateMachine): string =>
  JSON.stringify([machine.config, Object.keys(machine.implementations.delays)], (_, value: unknown) =>
    typeof value === 'function' ? `function ${(value as { type?: string }).type ?? ''}` : value,
  );

export const nodesOf = (node: AnyStateNode): AnyStateNode[] => [
  node,
  ...Object.values(node.states).flatMap(nodesOf),
];

/** Names of the delays after which the chart moves. */
export const delaysOf = (machine: AnyStateMachine): string[] =>
  nodesOf(machine.root).flatMap((node) => node.after.map(({ delay }) => String(delay)));

const transitionsOf = (machine: AnyStateMachine) =>
  nodesOf(machine.root).flatMap((node) => [...[...node.transitions.values()].flat(), ...(node.always ?? [])]);

const nameOf = (named: unknown): string =>
  typeof named === 'string' ? named : ((named as { type?: string }).type ?? 'inline');

/** What a guard is made of, where it combines others. */
const partsOf = (guard: unknown): unknown[] =>
  typeof guard === 'function' && 'guards' in guard ? (guard.guards as unknown[]) : [];

/** `stateIn` of xstate asks the chart itself. */
const namesOfGuard = (guard: unknown): string[] => {
  const parts = partsOf(guard);
  if (parts.length > 0) return parts.flatMap(namesOfGuard);
  return typeof guard === 'function' ? [] : [nameOf(guard)];
};

export const guardsOf = (machine: AnyStateMachine): string[] =>
  transitionsOf(machine).flatMap(({ guard }) => (guard === undefined ? [] : namesOfGuard(guard)));

/** XState's own actions (timers, `enqueueActions`) are left out. */
export const actionsOf = (machine: AnyStateMachine): string[] =>
  [
    ...transitionsOf(machine).flatMap(({ actions }) => actions),
    ...nodesOf(machine.root).flatMap(({ entry, exit }) => [...entry, ...exit]),
  ]
    .map(nameOf)
    .filter((name) => !name.startsWith('xstate.'));
