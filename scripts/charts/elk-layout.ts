/**
 * Owns: laying one island of a chart out with ELK, and reading back where everything is.
 * Does not own: what is in an island (`islands.ts`), which of several layouts is taken (`layout.ts`).
 */
import ElkConstructor, { type ElkExtendedEdge, type ElkNode, type ElkPoint } from 'elkjs/lib/elk.bundled.js';
import type { GraphNode } from '../../src/console/charts/graph.ts';
import type { Chart, Island } from './islands.ts';
import { labelSize, lineHeight, linesOf, linesWidth, nameSize, textWidth } from './text-size.ts';

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Line {
  points: ElkPoint[];
  /** Around all the labels of the bundle. */
  label: Box;
}

export interface LaidOut {
  width: number;
  height: number;
  boxes: Map<string, Box>;
  lines: Map<string, Line>;
}

/** What ELK may do differently; which is best depends on the island. */
export interface Manner {
  direction: 'DOWN' | 'RIGHT';
  placement: 'SIMPLE' | 'LINEAR_SEGMENTS' | 'NETWORK_SIMPLEX';
  order: 'NONE' | 'PREFER_EDGES';
  compaction: 'NONE' | 'EDGE_LENGTH';
  cycles: 'GREEDY' | 'DEPTH_FIRST' | 'INTERACTIVE';
  layering: 'NETWORK_SIMPLEX' | 'LONGEST_PATH' | 'COFFMAN_GRAHAM' | 'MIN_WIDTH';
}

const manner = (
  direction: Manner['direction'],
  placement: Manner['placement'],
  order: Manner['order'],
  compaction: Manner['compaction'],
  cycles: Manner['cycles'],
  layering: Manner['layering'],
): Manner => ({ direction, placement, order, compaction, cycles, layering });

/** Of 256 manners, those that were best for some island of the call charts, and the plain ones. */
export const manners: readonly Manner[] = [
  manner('RIGHT', 'SIMPLE', 'PREFER_EDGES', 'EDGE_LENGTH', 'INTERACTIVE', 'LONGEST_PATH'),
  manner('DOWN', 'LINEAR_SEGMENTS', 'PREFER_EDGES', 'EDGE_LENGTH', 'DEPTH_FIRST', 'LONGEST_PATH'),
  manner('RIGHT', 'SIMPLE', 'NONE', 'EDGE_LENGTH', 'INTERACTIVE', 'COFFMAN_GRAHAM'),
  manner('DOWN', 'SIMPLE', 'NONE', 'EDGE_LENGTH', 'GREEDY', 'MIN_WIDTH'),
  manner('RIGHT', 'LINEAR_SEGMENTS', 'NONE', 'EDGE_LENGTH', 'INTERACTIVE', 'MIN_WIDTH'),
  manner('DOWN', 'NETWORK_SIMPLEX', 'PREFER_EDGES', 'NONE', 'GREEDY', 'NETWORK_SIMPLEX'),
  manner('RIGHT', 'NETWORK_SIMPLEX', 'PREFER_EDGES', 'NONE', 'GREEDY', 'NETWORK_SIMPLEX'),
];

const elk = new ElkConstructor.default();

const options = ({ direction, placement, order, compaction, cycles, layering }: Manner) => ({
  'elk.algorithm': 'layered',
  'elk.direction': direction,
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.padding': '[top=8,left=12,bottom=12,right=12]',
  'elk.spacing.nodeNode': '18',
  'elk.spacing.edgeNode': '12',
  'elk.spacing.edgeEdge': '9',
  'elk.spacing.edgeLabel': '3',
  'elk.spacing.labelNode': '4',
  'elk.layered.spacing.nodeNodeBetweenLayers': '20',
  'elk.layered.spacing.edgeNodeBetweenLayers': '11',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '9',
  'elk.layered.nodePlacement.strategy': placement,
  'elk.layered.considerModelOrder.strategy': order,
  'elk.layered.compaction.postCompaction.strategy': compaction,
  'elk.layered.cycleBreaking.strategy': cycles,
  'elk.layered.layering.strategy': layering,
  'elk.layered.thoroughness': '40',
});

/** Height of a state's head: its name, and what it reacts to without leaving. */
export const headHeight = (reactions: number): number =>
  24 + reactions * lineHeight + (reactions > 0 ? 3 : 0);

export function headWidth(chart: Chart, node: GraphNode): number {
  const rows = chart.reactionsOf(node.id).map(({ label }) => linesOf(label).join(' '));
  return Math.max(56, textWidth(node.label, nameSize) + 26, linesWidth(rows) + 18);
}

function elkNode(chart: Chart, node: GraphNode, fixed: ReadonlyMap<string, LaidOut>): ElkNode {
  const { id } = node;
  const width = headWidth(chart, node);
  const head = headHeight(chart.reactionsOf(id).length);
  const inner = fixed.get(id);
  if (inner) return { id, width: inner.width, height: inner.height };
  const children = chart.childrenOf(id);
  if (children.length === 0) return { id, width, height: head + 2 };
  return {
    id,
    children: children.map((child) => elkNode(chart, child, fixed)),
    layoutOptions: {
      'elk.padding': `[top=${head + 8},left=12,bottom=12,right=12]`,
      'elk.nodeSize.constraints': 'MINIMUM_SIZE',
      'elk.nodeSize.minimum': `(${width},${head + 20})`,
    },
  };
}

function elkEdges({ bundles }: Island): ElkExtendedEdge[] {
  return bundles.map(({ id, from, to, edges }) => {
    const lines = edges.flatMap(({ label }) => linesOf(label));
    const label = {
      id: `${id}|label`,
      text: 'x',
      width: linesWidth(lines) + 4,
      height: lines.length * lineHeight,
    };
    return { id, sources: [from], targets: [to], labels: [label] };
  });
}

/** @param fixed what is already laid out inside a state of this island */
export async function layOutIsland(
  chart: Chart,
  island: Island,
  fixed: ReadonlyMap<string, LaidOut>,
  how: Manner,
): Promise<LaidOut> {
  const references = island.references.map(({ id, label }) => ({
    id,
    width: textWidth(label, labelSize) + 16,
    height: 18,
  }));
  const root = await elk.layout({
    id: 'island',
    children: [...references, ...chart.childrenOf(island.id).map((node) => elkNode(chart, node, fixed))],
    edges: elkEdges(island),
    layoutOptions: options(how),
  });
  return readBack(root);
}

/** ELK counts from the parent's corner, and an edge's from that of `container`. */
function readBack(root: ElkNode): LaidOut {
  const boxes = new Map<string, Box>();
  const place = ({ children = [] }: ElkNode, x: number, y: number): void => {
    for (const child of children) {
      const box = {
        x: x + (child.x ?? 0),
        y: y + (child.y ?? 0),
        width: child.width ?? 0,
        height: child.height ?? 0,
      };
      boxes.set(child.id, box);
      place(child, box.x, box.y);
    }
  };
  place(root, 0, 0);
  const lines = new Map((root.edges ?? []).map((edge) => [edge.id, lineOf(edge, boxes)]));
  return { width: root.width ?? 0, height: root.height ?? 0, boxes, lines };
}

function lineOf(edge: ElkExtendedEdge, boxes: ReadonlyMap<string, Box>): Line {
  const { container } = edge as ElkExtendedEdge & { container?: string };
  const { x, y } = boxes.get(container ?? '') ?? { x: 0, y: 0 };
  const corners = (edge.sections ?? []).flatMap(({ startPoint, bendPoints = [], endPoint }) => [
    startPoint,
    ...bendPoints,
    endPoint,
  ]);
  const [label] = edge.labels ?? [];
  return {
    points: corners.map((corner) => ({ x: x + corner.x, y: y + corner.y })),
    label: {
      x: x + (label?.x ?? 0),
      y: y + (label?.y ?? 0),
      width: label?.width ?? 0,
      height: label?.height ?? 0,
    },
  };
}
