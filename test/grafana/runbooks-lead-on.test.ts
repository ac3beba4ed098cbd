/** A runbook is read at night: its queries work, its links lead somewhere, its panels are there. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { allBoards } from '../../scripts/grafana/boards/all.ts';
import { readText } from '../rules/support/sources.ts';
import { isKnown } from './support/known-series.ts';
import { partsOf } from './support/promql-tree.ts';

const names = readdirSync(new URL('../../docs/runbooks', import.meta.url));
const titles = new Set(
  allBoards.flatMap(({ rows }) =>
    rows.flatMap((row) => [row.title, ...row.panels.map(({ title }) => title)]),
  ),
);

describe.each(names)('%s', (name) => {
  const text = readText(`docs/runbooks/${name}`);
  const found = (pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, inner = '']) => inner);

  it('asks what Prometheus can answer', () => {
    const queries = found(/`([^`]+)`/g).filter((code) => /[a-z_]+_[a-z_]+\{|holdfast_|^up/.test(code));
    for (const query of queries) {
      const { mistakes, names: series } = partsOf(query);
      expect(mistakes, query).toBe(0);
      expect(
        series.filter((each) => !isKnown(each)),
        query,
      ).toEqual([]);
    }
  });

  it('names panels that there are', () => {
    expect(found(/\*\*([^*]+)\*\*/g).filter((title) => !titles.has(title))).toEqual([]);
  });

  it('leads to runbooks that there are', () => {
    expect(found(/\]\(([^)]+)\)/g).filter((target) => !names.includes(target))).toEqual([]);
  });
});
