/**
 * Owns: the drawing of a chart: every island laid out, regions packed side by side, all of it in absolute places.
 * Does not own: the layout of an island (`elk-layout.ts`), the type of a drawing (`src/runtime/ports/operator.ts`).
 */
import type { ChartGraph, GraphEdge, GraphNode } from '../../src/console/charts/graph.ts';
import type { ChartDrawing, DrawnEdge, DrawnNode } from '../../src/runtime/ports/operator.ts';
import { type Box, headHeight, type LaidOut, layOutIsland, manners } from './elk-layout.ts';
import { type Bundle, Chart, type Island } from './islands.ts';
import { lineHeight, linesOf, linesWidth } from './text-size.ts';

const gap = 12;
/** Width to height that the drawing aims at, and each of its islands. */
const aimedRatio = 1.4;
const mostColumns = 4;

interface Packed extends LaidOut {
  /** Where each region's island begins. */
  offsets: Map<string, { x: number; y: number }>;
}

/** The smaller, the better: area, and the further from the aimed shape the worse. */
function costOf({ width, height }: { width: number; height: number }): number {
  const ratio = width / height / aimedRatio;
  return width * height * Math.max(ratio, 1 / ratio) ** 0.9;
}

const cheapest = <Found extends { width: number; height: number }>(found: Found[]): Found => {
  const [first, ...rest] = found;
  if (!first) throw new Error('there is nothing to choose from');
  return rest.reduce((best, next) => (costOf(next) < costOf(best) ? next : best), first);
};

const cross = (one: Box, other: Box): boolean =>
  one.x < other.x + other.width &&
  other.x < one.x + one.width &&
  one.y < other.y + other.height &&
  other.y < one.y + one.height;

/** A label lies over another one or over a state that has no room for it. */
function hasOverlaps({ boxes, lines }: LaidOut, chart: Chart): boolean {
  const labels = [...lines.values()].map(({ label }) => label);
  const states = [...boxes].filter(([id]) => id.includes('>') || chart.childrenOf(id).length === 0);
  return labels.some(
    (label, index) =>
      labels.slice(index + 1).some((other) => cross(label, other)) ||
      states.some(([, box]) => cross(label, box)),
  );
}

export class Layout {
  readonly #chart: Chart;
  /** What is inside each parallel state. */
  readonly #packed = new Map<string, Packed>();
  readonly #islands = new Map<string, { island: Island; laidOut: LaidOut }>();

  constructor(graph: ChartGraph) {
    this.#chart = new Chart(graph);
  }

  async draw(number: number, name: string): Promise<ChartDrawing> {
    for (const { id } of this.#chart.graph.nodes.filter(({ kind }) => kind === 'parallel').reverse()) {
      await this.#pack(id);
    }
    const { width, height } = await this.#layOut('');
    const drawn: Drawn = { nodes: [], edges: [] };
    this.#put(drawn, '', 0, 0);
    drawn.edges.push(...this.#chart.reactionsOf('').map(unplaced));
    return { number, name, width: Math.ceil(width), height: Math.ceil(height), ...drawn };
  }

  async #layOut(id: string): Promise<LaidOut> {
    const island = this.#chart.island(id);
    const tried = [];
    for (const manner of manners) {
      // ELK cannot lay everything out in every manner.
      const one = await layOutIsland(this.#chart, island, this.#packed, manner).catch(() => null);
      if (one && !hasOverlaps(one, this.#chart)) tried.push(one);
    }
    const laidOut = cheapest(tried);
    this.#islands.set(id, { island, laidOut });
    return laidOut;
  }

  /** Regions in columns: of all the ways, that with the least room lost. */
  async #pack(id: string): Promise<void> {
    const regions: Region[] = [];
    for (const region of this.#chart.childrenOf(id)) {
      const { width, height } = await this.#layOut(region.id);
      const head = headHeight(this.#chart.reactionsOf(region.id).length);
      regions.push({ id: region.id, width, height: height + head, head });
    }
    const head = headHeight(this.#chart.reactionsOf(id).length) + 4;
    const ways = Array.from({ length: mostColumns ** regions.length }, (_, way) =>
      inColumns(regions, way, head),
    );
    this.#packed.set(id, cheapest(ways));
  }

  #put(drawn: Drawn, islandId: string, x: number, y: number): void {
    const found = this.#islands.get(islandId);
    if (!found) throw new Error(`${islandId} was not laid out`);
    const { island, laidOut } = found;
    for (const [id, box] of laidOut.boxes) this.#putNode(drawn, island, id, moved(box, x, y));
    for (const bundle of island.bundles) {
      const line = laidOut.lines.get(bundle.id);
      if (!line) throw new Error(`${bundle.id} was not laid out`);
      const points = line.points.map((point) => ({ x: round(point.x + x), y: round(point.y + y) }));
      drawn.edges.push(...bundleEdges(bundle, points, moved(line.label, x, y)));
    }
  }

  #putNode(drawn: Drawn, island: Island, id: string, box: Box): void {
    const reference = island.references.find((one) => one.id === id);
    if (reference) {
      drawn.nodes.push({ ...reference, kind: 'reference', initial: false, ...box });
      return;
    }
    this.#putState(drawn, this.#chart.node(id), box);
    const packed = this.#packed.get(id);
    for (const [region, offset] of packed?.offsets ?? []) this.#putRegion(drawn, region, offset, box, packed);
  }

  #putRegion(drawn: Drawn, id: string, at: { x: number; y: number }, outer: Box, packed?: Packed): void {
    const inner = packed?.boxes.get(id);
    if (!inner) throw new Error(`${id} was not packed`);
    const node = this.#chart.node(id);
    this.#putState(drawn, node, moved(inner, outer.x, outer.y));
    this.#put(drawn, id, outer.x + at.x, outer.y + at.y);
  }

  #putState(drawn: Drawn, node: GraphNode, box: Box): void {
    const { id, label, kind } = node;
    drawn.nodes.push({ id, label, kind, initial: this.#chart.isInitial(node), ...box });
    drawn.edges.push(...this.#chart.reactionsOf(id).map((edge, index) => reaction(edge, box, index)));
  }
}

interface Drawn {
  nodes: DrawnNode[];
  edges: DrawnEdge[];
}

const round = (value: number): number => Math.round(value * 2) / 2;

const moved = ({ x, y, width, height }: Box, byX: number, byY: number): Box => ({
  x: round(x + byX),
  y: round(y + byY),
  width: round(width),
  height: round(height),
});

interface Region {
  id: string;
  width: number;
  height: number;
  head: number;
}

/** @param way each of its digits, to the base of the number of columns, is the column of a region */
function inColumns(regions: readonly Region[], way: number, head: number): Packed {
  const all = Array.from({ length: mostColumns }, () => ({ width: 0, height: 0, regions: [] as Region[] }));
  regions.forEach((region, index) => {
    const column = all[Math.floor(way / mostColumns ** index) % mostColumns];
    column?.regions.push(region);
  });
  const columns = all.filter((column) => column.regions.length > 0);
  for (const column of columns) {
    column.width = Math.max(...column.regions.map(({ width }) => width));
    column.height = column.regions.reduce((sum, { height }) => sum + height + gap, 0);
  }
  const boxes = new Map<string, Box>();
  const offsets = new Map<string, { x: number; y: number }>();
  let x = gap;
  const bottom = head + Math.max(...columns.map((column) => column.height));
  for (const column of columns) {
    let y = head;
    for (const { id, height, head: above } of column.regions) {
      const isLast = id === column.regions.at(-1)?.id;
      boxes.set(id, { x, y, width: column.width, height: isLast ? bottom - gap - y : height });
      offsets.set(id, { x, y: y + above });
      y += height + gap;
    }
    x += column.width + gap;
  }
  return { width: x, height: bottom, boxes, offsets, lines: new Map() };
}

/** The chart itself has no box to write it in. */
const unplaced = ({ id, from, to, label }: GraphEdge): DrawnEdge => ({
  id,
  from,
  to,
  label,
  lines: linesOf(label),
  points: [],
  labelAt: null,
});

/** A row inside the state. */
function reaction(edge: GraphEdge, box: Box, index: number): DrawnEdge {
  const { id, from, to, label } = edge;
  const lines = [linesOf(label).join(' ')];
  const labelAt = {
    x: box.x + 8,
    y: round(box.y + 22 + index * lineHeight),
    width: linesWidth(lines) + 4,
    height: lineHeight,
  };
  return { id, from, to, label, lines, points: [], labelAt };
}

function bundleEdges({ edges }: Bundle, points: DrawnEdge['points'], around: Box): DrawnEdge[] {
  let { y } = around;
  return edges.map(({ id, from, to, label }) => {
    const lines = linesOf(label);
    const height = lines.length * lineHeight;
    const labelAt = { x: around.x, y, width: around.width, height };
    y = round(y + height);
    return { id, from, to, label, lines, points, labelAt };
  });
}
