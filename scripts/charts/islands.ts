/**
 * Owns: cutting a chart into islands, which are laid out one by one: each region of a parallel state is one, and what is
 * left is one. An arrow that leaves its island ends there at a reference to its target; one that leaves from whichever
 * state of the region begins at a reference to all of them.
 * Does not own: the layout of an island (`elk-layout.ts`), where it lies (`layout.ts`).
 */
import type { ChartGraph, GraphEdge, GraphNode } from '../../src/console/charts/graph.ts';

/** Arrows between the same two places of an island: drawn as one line, each with its own label. */
export interface Bundle {
  id: string;
  from: string;
  to: string;
  edges: GraphEdge[];
}

export interface Reference {
  id: string;
  label: string;
}

export interface Island {
  /** Id of the region; empty for the chart itself. */
  id: string;
  bundles: Bundle[];
  references: Reference[];
}

export class Chart {
  readonly graph: ChartGraph;
  readonly #byId: Map<string, GraphNode>;

  constructor(graph: ChartGraph) {
    this.graph = graph;
    this.#byId = new Map(graph.nodes.map((node) => [node.id, node]));
  }

  node(id: string): GraphNode {
    const found = this.#byId.get(id);
    if (!found) throw new Error(`the chart has no state ${id}`);
    return found;
  }

  childrenOf(id: string): GraphNode[] {
    return this.graph.nodes.filter(({ parent }) => parent === id);
  }

  reactionsOf(id: string): GraphEdge[] {
    return this.graph.edges.filter(({ from, internal }) => internal && from === id);
  }

  isInitial({ id, parent }: GraphNode): boolean {
    return parent !== null && this.node(parent).initial === id;
  }

  islandOf(id: string): string {
    const { parent } = this.node(id);
    if (parent === null || this.node(parent).kind === 'parallel') return id;
    return this.islandOf(parent);
  }

  island(id: string): Island {
    const leaving = this.graph.edges.filter(({ from, internal }) => !internal && this.islandOf(from) === id);
    const bundles = new Map<string, Bundle>();
    const references = new Map<string, Reference>();
    const refer = (key: string, label: string): string => {
      const reference = { id: `${id}>${key}`, label };
      references.set(reference.id, reference);
      return reference.id;
    };
    for (const edge of leaving) {
      const from = edge.from === id ? refer('', 'any state') : edge.from;
      const to = this.islandOf(edge.to) === id ? edge.to : refer(edge.to, `→ ${edge.to}`);
      const key = `${from}>${to}`;
      const bundle = bundles.get(key) ?? { id: key, from, to, edges: [] };
      bundle.edges.push(edge);
      bundles.set(key, bundle);
    }
    return { id, bundles: [...bundles.values()], references: [...references.values()] };
  }
}
