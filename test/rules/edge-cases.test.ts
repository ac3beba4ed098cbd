/** The list of edge cases names only tests that there are. */
import { describe, expect, it } from 'vitest';
import { nodesOf, readText, sourcesIn, treeOf } from './support/sources.ts';

interface Row {
  edgeCase: string;
  outcome: string;
  tests: { path: string; title: string }[];
}

const rows: Row[] = readText('docs/edge-cases.md')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| edge case |'))
  .map((line) => {
    const [edgeCase = '', outcome = '', tests = ''] = line.split('|').slice(1, -1);
    const named = [...tests.matchAll(/`([^`]+)`: `([^`]+)`/g)];
    return {
      edgeCase: edgeCase.trim(),
      outcome: outcome.trim(),
      tests: named.map(([, path = '', title = '']) => ({ path, title })),
    };
  });

const namedFiles = new Set(rows.flatMap(({ tests }) => tests.map(({ path }) => path)));

/** A title is a string of its own: what a comment or a part of another title says is no test. */
const stringsOf = new Map(
  [...sourcesIn('test'), ...sourcesIn('scripts/drill')]
    .filter(({ path }) => namedFiles.has(path))
    .map((source) => [source.path, new Set([...nodesOf(treeOf(source))].map(({ value }) => value))]),
);

describe('each edge case', () => {
  it('says what happens and which test holds it', () => {
    expect(rows.length).toBeGreaterThan(150);
    const vague = rows.filter(({ edgeCase, outcome, tests }) => !edgeCase || !outcome || !tests.length);
    expect(vague).toEqual([]);
  });

  it('is listed once', () => {
    const listed = rows.map(({ edgeCase }) => edgeCase);
    expect(listed.filter((edgeCase, index) => listed.indexOf(edgeCase) !== index)).toEqual([]);
  });

  it('names tests that there are', () => {
    const missing = rows.flatMap(({ tests }) =>
      tests.filter(({ path, title }) => !stringsOf.get(path)?.has(title)),
    );
    expect(missing).toEqual([]);
  });
});
