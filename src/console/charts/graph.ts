/**
 * Owns: a chart as plain nodes and edges with stable ids. They are the same in the drawing, in what the server tells of
 * a step, and in the page.
 * Does not own: which arrows a step took (`arrows.ts`), how it is drawn (`scripts/charts`).
 *
 * Invariants:
 * G1. The id of a node is its state path, `live.carrier.streaming`; the root's is empty.
 * G2. The id of an edge is `<source path>|<event>|<index>`: the index counts the arrows of this event from this node. The
 *     event of an `always` is empty, that of an `after` the timer's name.
 */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { labelOf } from './labels.ts';

export interface GraphNode {
  id: string;
  /** Null for the root. */
  parent: string | null;
  label: string;
  kind: 'atomic' | 'compound' | 'parallel' | 'final';
  /** Id of the child that is entered first. */
  initial: string | null;
  tags: string[];
}

export interface GraphEdge {
  id: string;
  from: string;
  /** `from` itself where the arrow leads nowhere. */
  to: string;
  label: string;
  /** It has no target: the state reacts and stays. */
  internal: boolean;
}

export interface ChartGraph {
  nodes: GraphNode[];
  edges: GraphEdge[];
}

export const nodeId = ({ path }: AnyStateNode): string => path.join('.');

/** For a `TransitionDefinition` as a state node holds it. */
export function edgeId(transition: AnyTransitionDefinition): string {
  const { source, eventType } = transition;
  const alike = eventType === '' ? source.always : source.transitions.get(eventType);
  return `${nodeId(source)}|${eventType}|${alike?.indexOf(transition) ?? -1}`;
}

const transitionsOf = (node: AnyStateNode): AnyTransitionDefinition[] => [
  ...[...node.transitions.values()].flat(),
  ...(node.always ?? []),
];

function kindOf({ type, id }: AnyStateNode): GraphNode['kind'] {
  if (type === 'history') throw new Error(`${id}: a history state cannot be drawn`);
  return type;
}

function graphNode(node: AnyStateNode): GraphNode {
  const first = node.type === 'compound' ? node.initial.target?.[0] : undefined;
  return {
    id: nodeId(node),
    parent: node.parent ? nodeId(node.parent) : null,
    label: node.key ?? node.machine.id,
    kind: kindOf(node),
    initial: first ? nodeId(first) : null,
    tags: [...node.tags],
  };
}

function graphEdge(transition: AnyTransitionDefinition): GraphEdge {
  const target = transition.target?.[0];
  return {
    id: edgeId(transition),
    from: nodeId(transition.source),
    to: nodeId(target ?? transition.source),
    label: labelOf(transition),
    internal: target === undefined,
  };
}

const withDescendants = (node: AnyStateNode): AnyStateNode[] => [
  node,
  ...Object.values<AnyStateNode>(node.states).flatMap(withDescendants),
];

/** In document order; the root comes first. */
export function graphOf(machine: AnyStateMachine): ChartGraph {
  const nodes = withDescendants(machine.root);
  return {
    nodes: nodes.map(graphNode),
    edges: nodes.flatMap(transitionsOf).map(graphEdge),
  };
}
