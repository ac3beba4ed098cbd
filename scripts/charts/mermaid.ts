/**
 * Owns: a chart as Mermaid text (`stateDiagram-v2`): one diagram for each island, because Mermaid draws no arrow over
 * the border of a parallel region.
 * Does not own: the islands (`islands.ts`).
 */
import type { GraphEdge, GraphNode } from '../../src/console/charts/graph.ts';
import type { Chart, Island } from './islands.ts';

const nameOf = (id: string): string => (id === '' ? 'chart' : id.replaceAll(/[^A-Za-z0-9]/g, '_'));

/** Mermaid ends a label at a line break, and a statement at a semicolon. */
const safe = (text: string): string => text.replaceAll(/[;:]/g, ',');

function stateLines(chart: Chart, node: GraphNode, indent: string): string[] {
  const name = nameOf(node.id);
  const children = chart.childrenOf(node.id);
  const head = `${indent}state "${node.label}" as ${name}`;
  if (node.kind === 'final') return [head, `${indent}${name} --> [*]`];
  if (children.length === 0 || node.kind === 'parallel') return [head];
  return [
    `${head} {`,
    ...(node.initial === null ? [] : [`${indent}  [*] --> ${nameOf(node.initial)}`]),
    ...children.flatMap((child) => stateLines(chart, child, `${indent}  `)),
    `${indent}}`,
  ];
}

function reactionLines(chart: Chart, node: GraphNode): string[] {
  const own = chart.reactionsOf(node.id).map(({ label }) => `  ${nameOf(node.id)} : ${safe(label)}`);
  if (node.kind === 'parallel') return own;
  return [...own, ...chart.childrenOf(node.id).flatMap((child) => reactionLines(chart, child))];
}

const labelsOf = (edges: readonly GraphEdge[]): string => edges.map(({ label }) => safe(label)).join('<br>');

/** The diagram of one island. */
export function mermaidOf(chart: Chart, island: Island): string {
  const children = chart.childrenOf(island.id);
  const { initial } = chart.node(island.id);
  return [
    'stateDiagram-v2',
    ...(initial === null ? [] : [`  [*] --> ${nameOf(initial)}`]),
    ...children.flatMap((child) => stateLines(chart, child, '  ')),
    ...island.references.map(({ id, label }) => `  state "${label}" as ${nameOf(id)}`),
    // A state with children takes no line of text in Mermaid.
    ...children.flatMap((child) => reactionLines(chart, child)).filter((line) => !hasChildren(chart, line)),
    ...island.bundles.map(
      ({ from, to, edges }) => `  ${nameOf(from)} --> ${nameOf(to)} : ${labelsOf(edges)}`,
    ),
    '',
  ].join('\n');
}

const hasChildren = (chart: Chart, line: string): boolean => {
  const name = line.trim().split(' ')[0];
  return chart.graph.nodes.some(
    ({ id, kind }) => nameOf(id) === name && kind !== 'parallel' && chart.childrenOf(id).length > 0,
  );
};
