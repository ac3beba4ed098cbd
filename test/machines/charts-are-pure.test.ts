/** M1: what a chart does depends on its context and its event alone. */
import { describe, expect, it } from 'vitest';
import { importsOf, nodesOf, sourcesIn, treeOf } from '../rules/support/sources.ts';

const sources = sourcesIn('src/machines');

/** Names through which the world outside comes in. */
const impure = new Set([
  'Date',
  'performance',
  'process',
  'crypto',
  'fetch',
  'console',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'globalThis',
  'Promise',
  'require',
  'eval',
]);

const identifiersOf = (source: (typeof sources)[number]): string[] =>
  [...nodesOf(treeOf(source))].flatMap(({ type, name }) => (type === 'Identifier' ? [String(name)] : []));

describe('the charts', () => {
  it('import xstate, zod and each other', () => {
    const imports = new Set(
      sources.flatMap(importsOf).filter((imported) => !imported.startsWith('src/machines/')),
    );
    expect([...imports].sort()).toEqual(['xstate', 'zod']);
  });

  it('know no clock, no chance, no environment and no I/O', () => {
    const found = sources.flatMap((source) =>
      identifiersOf(source)
        .filter((name) => impure.has(name))
        .map((name) => `${source.path}: ${name}`),
    );
    expect(found).toEqual([]);
    expect(sources.filter(({ text }) => /Math\.random/.test(text))).toEqual([]);
  });

  it('wait for nothing in their code', () => {
    const waiting = sources.filter((source) =>
      [...nodesOf(treeOf(source))].some(({ type, async }) => type === 'AwaitExpression' || async === true),
    );
    expect(waiting.map(({ path }) => path)).toEqual([]);
  });

  it('are found by this test', () => {
    expect(sources.length).toBeGreaterThan(12);
    expect(identifiersOf({ path: 'src/machines/x.ts', text: 'const now = () => Date.now();' })).toContain(
      'Date',
    );
  });
});
