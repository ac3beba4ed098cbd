/** Every state and arrow of a chart is drawn where it can be read, and the committed files are what the program writes. */
import { describe, expect, it } from 'vitest';
import { type AnyStateMachine, createMachine } from 'xstate';
import { drawnFiles, exportedFiles, kept } from '../../scripts/charts/files.ts';
import { linesOf, textWidth } from '../../scripts/charts/text-size.ts';
import { drawingOf } from '../../src/console/charts/drawings.ts';
import { graphOf } from '../../src/console/charts/graph.ts';
import { guardText } from '../../src/console/charts/labels.ts';
import type { ChartDrawing } from '../../src/runtime/ports/operator.ts';
import { readText } from '../rules/support/sources.ts';

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

const cross = (one: Box, other: Box): boolean =>
  one.x < other.x + other.width &&
  other.x < one.x + one.width &&
  one.y < other.y + other.height &&
  other.y < one.y + one.height;

const inside = (inner: Box, outer: Box): boolean =>
  inner.x >= outer.x - 1 &&
  inner.y >= outer.y - 1 &&
  inner.x + inner.width <= outer.x + outer.width + 1 &&
  inner.y + inner.height <= outer.y + outer.height + 1;

function drawing(number: number): ChartDrawing {
  const found = drawingOf(number);
  if (!found) throw new Error(`no drawing of ${number}`);
  return found;
}

const parentOf = (id: string): string => id.split('.').slice(0, -1).join('.');

describe('the committed files', () => {
  it.each(exportedFiles())('$path is as it is generated', ({ path, text }) => {
    expect(readText(path)).toBe(text);
  });

  it('that hold the drawings are as they are generated', { timeout: 120_000 }, async () => {
    for (const { path, text } of await drawnFiles()) expect(readText(path) === text, path).toBe(true);
  });
});

describe.each(kept)('$title', ({ number, machine }) => {
  const graph = graphOf(machine);
  const { nodes, edges, width, height } = drawing(number);
  const states = nodes.filter(({ kind }) => kind !== 'reference');
  const boxes = new Map<string, Box>(states.map((node) => [node.id, node]));
  const labels = edges.flatMap(({ id, labelAt }) => (labelAt ? [{ id, ...labelAt }] : []));

  it('is drawn whole, by the same ids', () => {
    const ids = graph.nodes.map(({ id }) => id).filter((id) => id !== '');
    expect(states.map(({ id }) => id).sort()).toEqual(ids.sort());
    expect(edges.map(({ id }) => id).sort()).toEqual(graph.edges.map(({ id }) => id).sort());
  });

  it('has every state within its parent, and none over its sibling', () => {
    const whole = { x: 0, y: 0, width, height };
    for (const node of states) {
      const parent = boxes.get(parentOf(node.id)) ?? whole;
      expect(inside(node, parent), `${node.id} in its parent`).toBe(true);
      const siblings = states.filter(({ id }) => id !== node.id && parentOf(id) === parentOf(node.id));
      expect(siblings.filter((other) => cross(node, other)).map(({ id }) => id)).toEqual([]);
    }
  });

  it('has no label over another, nor over a state that it does not belong to', () => {
    const leaves = nodes.filter(({ kind }) => kind !== 'compound' && kind !== 'parallel');
    const clashes = labels.flatMap((label, index) => [
      ...labels.slice(index + 1).filter((other) => cross(label, other)),
      ...leaves.filter((leaf) => cross(label, leaf) && !label.id.startsWith(`${leaf.id}|`)),
    ]);
    expect(clashes.map(({ id }) => id)).toEqual([]);
  });

  it('has room for every line of every label', () => {
    for (const { labelAt, lines, id } of edges) {
      if (!labelAt) continue;
      const widest = Math.max(...lines.map((line) => textWidth(line, 10)));
      expect(labelAt.width, id).toBeGreaterThanOrEqual(widest);
      expect(labelAt.x + labelAt.width, id).toBeLessThanOrEqual(width);
    }
  });

  it('has arrows that end at what they lead to', () => {
    for (const { id, from, points, labelAt } of edges) {
      const { internal } = graph.edges.find((edge) => edge.id === id) ?? {};
      expect(points.length === 0, id).toBe(internal);
      if (internal) expect(labelAt === null || inside(labelAt, boxes.get(from)!), id).toBe(true);
      const end = points.at(-1);
      if (!end) continue;
      const near = { x: end.x - 1, y: end.y - 1, width: 2, height: 2 };
      expect(
        nodes.some((node) => cross(near, node)),
        id,
      ).toBe(true);
    }
  });

  it('can be read at its own size on a wide screen', () => {
    expect(width).toBeLessThan(3_200);
    expect(height).toBeLessThan(3_200);
  });

  it('is the same chart in the file for Stately Studio', () => {
    const text =
      exportedFiles().find(({ path }) =>
        path.endsWith(`${number === 0 ? 'service' : `call-${number}`}.stately.ts`),
      )?.text ?? '';
    const config = /createMachine\((\{[\s\S]*\})\);/.exec(text)?.[1] ?? '';
    const copy = createMachine(JSON.parse(config)) as AnyStateMachine;
    const { nodes: copied, edges: arrows } = graphOf(copy);
    expect(copied).toEqual(graph.nodes);
    expect(arrows).toEqual(graph.edges);
  });
});

describe('a label', () => {
  it('goes into two lines where it is long, and is cut where it is longer', () => {
    expect(linesOf('stream.closed')).toEqual(['stream.closed']);
    expect(linesOf('reply.voiced [current]')).toEqual(['reply.voiced [current]']);
    expect(linesOf('stream.closed [currentStream]')).toEqual(['stream.closed', '[currentStream]']);
    expect(linesOf(`always [${'x'.repeat(60)}]`)[1]).toHaveLength(27);
  });

  it('tells a guard that is none of ours by its name', () => {
    function plain(): boolean {
      return true;
    }
    expect(guardText(plain)).toBe('plain');
    expect(guardText({ type: 'named' })).toBe('named');
    expect(guardText(undefined)).toBe('');
  });
});

describe('a drawing', () => {
  it('is there for the charts that are kept, and for no other', () => {
    expect(drawingOf(3)).toBeNull();
    expect(drawingOf(2)).toBe(drawingOf(2));
  });
});
