/**
 * Owns: the chart as a picture: drawn once, then lit by toggling classes. Zoomed and followed.
 * Does not own: the drawing (the server), which nodes are lit (the call).
 */
import type { ChartDrawing, DrawnEdge, DrawnNode } from '../../../runtime/ports/operator.ts';

const svgSpace = 'http://www.w3.org/2000/svg';
const lineHeight = 13;
const zooms = { least: 0.15, most: 1.6, step: 1.25 };

type Attributes = Record<string, string | number>;

function shape(name: string, attributes: Attributes, ...children: Element[]): SVGElement {
  const element = document.createElementNS(svgSpace, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

function text(content: string, x: number, y: number, className: string): SVGElement {
  const element = shape('text', { x, y, class: className });
  element.textContent = content;
  return element;
}

function nodeShape({ x, y, width, height, kind, label, initial }: DrawnNode): SVGElement {
  const isPill = kind === 'reference';
  const box = shape('rect', { x, y, width, height, rx: isPill ? height / 2 : 6 });
  const name = isPill ? text(label, x + 8, y + 13, 'label') : text(label, x + 9, y + 17, 'name');
  const start = initial ? [shape('circle', { cx: x, cy: y + 12, r: 3.5, class: 'start' })] : [];
  const inner =
    kind === 'final'
      ? [shape('rect', { x: x + 3, y: y + 3, width: width - 6, height: height - 6, rx: 4 })]
      : [];
  return shape('g', { class: `node ${kind}` }, box, ...inner, name, ...start);
}

const pathOf = (points: DrawnEdge['points']): string =>
  points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x} ${y}`).join('');

function labelShape({ labelAt, lines, label, id }: DrawnEdge): SVGElement | null {
  if (!labelAt) return null;
  const rows = lines.map((line, index) =>
    text(line, labelAt.x + 2, labelAt.y + 10 + index * lineHeight, 'label'),
  );
  const title = shape('title', {});
  title.textContent = `${label} · ${id}`;
  const back = shape('rect', {
    x: labelAt.x,
    y: labelAt.y,
    width: labelAt.width,
    height: labelAt.height,
    rx: 3,
    class: 'back',
  });
  return shape('g', { class: 'caption' }, title, back, ...rows);
}

export class ChartPicture {
  readonly element: SVGSVGElement;
  readonly #drawing: ChartDrawing;
  readonly #nodes = new Map<string, { element: SVGElement; drawn: DrawnNode }>();
  /** An arrow's label, its line, and the box of the reference that it ends at. */
  readonly #edges = new Map<string, { parts: SVGElement[]; drawn: DrawnEdge }>();
  #lit: readonly string[] = [];
  #taken: readonly string[] = [];
  #shown = '';
  zoom = 0.85;

  constructor(drawing: ChartDrawing) {
    this.#drawing = drawing;
    const { width, height, nodes } = drawing;
    const svg = shape('svg', {
      viewBox: `0 0 ${width} ${height}`,
      role: 'img',
      class: 'chart',
    }) as SVGSVGElement;
    this.element = svg;
    svg.append(arrowHead('arrow'), arrowHead('arrow-taken'));
    const outerFirst = nodes.filter(({ kind }) => kind === 'compound' || kind === 'parallel');
    for (const node of outerFirst) svg.append(this.#addNode(node));
    const [lines, captions] = this.#addEdges();
    svg.append(...lines);
    for (const node of nodes.filter((one) => !outerFirst.includes(one))) svg.append(this.#addNode(node));
    svg.append(...captions);
    this.setZoom(this.zoom);
  }

  #addNode(drawn: DrawnNode): SVGElement {
    const element = nodeShape(drawn);
    this.#nodes.set(drawn.id, { element, drawn });
    return element;
  }

  /** Arrows between the same two states share one line. */
  #addEdges(): [SVGElement[], SVGElement[]] {
    const lines = new Map<string, SVGElement>();
    const captions: SVGElement[] = [];
    for (const drawn of this.#drawing.edges) {
      const path = pathOf(drawn.points);
      if (path && !lines.has(path)) lines.set(path, shape('path', { d: path, class: 'line' }));
      const line = lines.get(path);
      const caption = labelShape(drawn);
      if (caption) captions.push(caption);
      this.#edges.set(drawn.id, { parts: [line, caption].filter((part) => part != null), drawn });
    }
    return [[...lines.values()], captions];
  }

  setZoom(zoom: number): void {
    this.zoom = Math.max(zooms.least, Math.min(zooms.most, zoom));
    const { width, height } = this.#drawing;
    this.element.setAttribute('width', String(Math.round(width * this.zoom)));
    this.element.setAttribute('height', String(Math.round(height * this.zoom)));
    this.element.classList.toggle('far', this.zoom < 0.4);
  }

  zoomBy(steps: number): void {
    this.setZoom(this.zoom * zooms.step ** steps);
  }

  zoomToFit(width: number, height: number): void {
    this.setZoom(Math.min(width / this.#drawing.width, height / this.#drawing.height));
  }

  /** Whether anything changed. */
  light(nodes: readonly string[], edges: readonly string[]): boolean {
    const shown = `${nodes.join()} ${edges.join()}`;
    if (shown === this.#shown) return false;
    this.#shown = shown;
    const now = new Set(nodes);
    const before = new Set(this.#lit);
    for (const id of before) if (!now.has(id)) this.#nodes.get(id)?.element.classList.remove('lit');
    for (const id of now) if (!before.has(id)) this.#nodes.get(id)?.element.classList.add('lit');
    for (const id of this.#taken) this.#mark(id, false);
    for (const id of edges) this.#mark(id, true);
    this.#lit = nodes;
    this.#taken = edges;
    this.element.setAttribute('aria-label', `Statechart. Active: ${leavesOf(nodes).join(', ')}.`);
    return true;
  }

  #mark(id: string, isTaken: boolean): void {
    for (const part of this.#edges.get(id)?.parts ?? []) part.classList.toggle('taken', isTaken);
  }

  /** In the picture's own pixels: the middle of what has just happened. */
  focus(): { x: number; y: number } | null {
    const edge = this.#taken.map((id) => this.#edges.get(id)?.drawn).find((one) => one?.labelAt);
    const leaf = leavesOf(this.#lit).at(-1);
    const at = edge?.labelAt ?? (leaf ? this.#nodes.get(leaf)?.drawn : null);
    return at ? { x: (at.x + at.width / 2) * this.zoom, y: (at.y + at.height / 2) * this.zoom } : null;
  }

  /** Where a node is drawn, in the picture's own pixels. */
  placeOf(id: string): { x: number; y: number } | null {
    const drawn = this.#nodes.get(id)?.drawn;
    return drawn
      ? { x: (drawn.x + drawn.width / 2) * this.zoom, y: (drawn.y + drawn.height / 2) * this.zoom }
      : null;
  }
}

function arrowHead(id: string): SVGElement {
  const head = shape('path', { d: 'M0 0L8 4L0 8z', class: id });
  return shape(
    'defs',
    {},
    shape(
      'marker',
      { id, viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto' },
      head,
    ),
  );
}

/** The innermost of the nodes that are lit. */
export const leavesOf = (nodes: readonly string[]): string[] =>
  nodes.filter((id) => !nodes.some((other) => other.startsWith(`${id}.`)));
