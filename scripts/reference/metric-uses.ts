/**
 * Owns: which panels and which alerts ask for a series, be it by themselves or through a recording rule.
 * Does not own: panels and rules (`../grafana`).
 */
import { partsOf, withVariables } from '../../test/grafana/support/promql-tree.ts';
import type { BoardName } from '../grafana/board.ts';
import { allBoards } from '../grafana/boards/all.ts';
import { alerts, recordings } from '../grafana/rules/all.ts';

export interface PanelUse {
  board: BoardName;
  title: string;
}

export interface AlertUse {
  name: string;
  runbook: string;
}

/** Series that a query asks for, those behind a recording rule included. */
function seriesIn(expr: string): Set<string> {
  const names = partsOf(withVariables(expr)).names;
  const behind = recordings.filter(({ name }) => names.includes(name)).map((rule) => seriesIn(rule.expr));
  return new Set([...names, ...behind.flatMap((series) => [...series])]);
}

const panels = allBoards.flatMap(({ name: board, rows }) =>
  rows.flatMap((row) =>
    row.panels.map(({ title, queries }) => ({
      board,
      title,
      series: new Set(queries.flatMap(({ expr }) => [...seriesIn(expr)])),
    })),
  ),
);

const watches = alerts.map(({ name, runbook, expr }) => ({ name, runbook, series: seriesIn(expr) }));

const asksFor =
  (wanted: readonly string[]) =>
  ({ series }: { series: ReadonlySet<string> }): boolean =>
    wanted.some((name) => series.has(name));

/** @param series of one metric, as Prometheus stores it */
export const panelsOf = (series: readonly string[]): PanelUse[] => panels.filter(asksFor(series));

/** @param series of one metric, as Prometheus stores it */
export const alertsOf = (series: readonly string[]): AlertUse[] => watches.filter(asksFor(series));
