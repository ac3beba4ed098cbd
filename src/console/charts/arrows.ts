/**
 * Owns: what a step did to the drawing: which arrows were taken, which nodes are lit.
 * Does not own: the step itself (`src/runtime/step.ts`), the ids (`graph.ts`).
 *
 * Invariants:
 * G3. Nothing is performed and nothing remembered: a step is taken once more in an inert scope, and only watched.
 */
import {
  type ActorScope,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyStateNode,
  type AnyTransitionDefinition,
  createActor,
  getStateNodes,
  type InspectionEvent,
  type StateValue,
} from 'xstate';
import { edgeId, nodeId } from './graph.ts';

interface Microstep {
  /** What was selected, before arrows that exclude each other were weighed. */
  selected: readonly AnyTransitionDefinition[];
  after: AnyMachineSnapshot;
}

type Watch = (before: AnyMachineSnapshot, event: { type: string }) => Microstep[];

const nothing = (): void => undefined;

function createWatch(machine: AnyStateMachine): Watch {
  let seen: Microstep[] = [];
  const inspect = (event: InspectionEvent): void => {
    if (event.type !== '@xstate.microstep') return;
    seen.push({ selected: event._transitions, after: event.snapshot as AnyMachineSnapshot });
  };
  const inert = createActor(machine, { inspect });
  const scope = {
    self: inert,
    system: inert.system,
    id: '',
    sessionId: '',
    logger: nothing,
    defer: nothing,
    emit: nothing,
    stopChild: nothing,
    actionExecutor: nothing,
  } as unknown as ActorScope<AnyMachineSnapshot, { type: string }>;
  return (before, event) => {
    seen = [];
    machine.transition(before, event, scope);
    return seen;
  };
}

const watches = new WeakMap<AnyStateMachine, Watch>();

function watchOf(machine: AnyStateMachine): Watch {
  const known = watches.get(machine);
  if (known) return known;
  const watch = createWatch(machine);
  watches.set(machine, watch);
  return watch;
}

const isWithin = (node: AnyStateNode, ancestor: AnyStateNode): boolean => {
  for (let above = node.parent; above; above = above.parent) if (above === ancestor) return true;
  return false;
};

/** The node below which an arrow leaves everything (SCXML 3.13, `getTransitionDomain`). */
function domainOf({ source, target, reenter }: AnyTransitionDefinition): AnyStateNode {
  const targets: readonly AnyStateNode[] = target ?? [];
  if (!reenter && targets.every((one) => one === source || isWithin(one, source))) return source;
  let domain: AnyStateNode = source;
  while (domain.parent && (domain === source || !targets.every((one) => isWithin(one, domain)))) {
    domain = domain.parent;
  }
  return domain;
}

function leftBy(transition: AnyTransitionDefinition, active: readonly AnyStateNode[]): Set<AnyStateNode> {
  if (!transition.target?.length) return new Set();
  const domain = domainOf(transition);
  return new Set(active.filter((node) => isWithin(node, domain)));
}

/** Of two arrows that leave the same node the inner one is taken, else the earlier one (`removeConflictingTransitions`). */
function taken({ selected }: Microstep, active: readonly AnyStateNode[]): AnyTransitionDefinition[] {
  const kept = new Map<AnyTransitionDefinition, Set<AnyStateNode>>();
  for (const transition of selected) {
    const left = leftBy(transition, active);
    const rivals = [...kept]
      .filter(([, others]) => [...left].some((node) => others.has(node)))
      .map(([rival]) => rival);
    if (!rivals.every((rival) => isWithin(transition.source, rival.source))) continue;
    for (const rival of rivals) kept.delete(rival);
    kept.set(transition, left);
  }
  return [...kept.keys()];
}

/**
 * Ids of the arrows that `event` takes from `before`, in order, with those that follow at once. None after the end and
 * none without a state before: no arrow leads into a call.
 */
export function arrowsTaken(
  machine: AnyStateMachine,
  before: AnyMachineSnapshot | null,
  event: { type: string },
): string[] {
  if (before?.status !== 'active') return [];
  let active = before._nodes as readonly AnyStateNode[];
  return watchOf(machine)(before, event).flatMap((microstep) => {
    const ids = taken(microstep, active).map(edgeId);
    active = microstep.after._nodes;
    return ids;
  });
}

/** Ids of the nodes that a state value lights, outer before inner; without the root. */
export const activeNodes = (machine: AnyStateMachine, value: StateValue): string[] => [
  ...new Set(
    getStateNodes(machine.root, value)
      .filter((node) => node !== machine.root)
      .sort((one, other) => one.order - other.order)
      .map(nodeId),
  ),
];
