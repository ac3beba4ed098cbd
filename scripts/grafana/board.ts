/**
 * Owns: what a board is here, and the dashboard that Grafana gets of it.
 * Does not own: which boards there are (`boards/`), panels (`panel.ts`).
 *
 * Invariants:
 * B1. A board is not edited in Grafana: what is here is what there is.
 * B2. Its uid never changes: alerts and other boards lead to it.
 */
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { type boards as metricBoards, metrics } from '../../src/telemetry/metrics/names.ts';
import { buildPanel, datasource, type Panel, type RunbookLink } from './panel.ts';
import { jobName } from './promql.ts';

export type BoardName = keyof typeof metricBoards;

export interface Row {
  title: string;
  panels: readonly Panel[];
}

export interface Board {
  name: BoardName;
  title: string;
  question: string;
  rows: readonly Row[];
}

export const uidOf = (name: BoardName): string => `${jobName}-${name}`;

/** Rows have ids far from those of panels. */
const firstRowId = 1_000;

/** A metric that is there as long as a process is. */
const present = metrics.callsLive.name;

function variables(): (DatasourceVariableBuilder | QueryVariableBuilder)[] {
  const labelled = (name: string, query: string): QueryVariableBuilder =>
    new QueryVariableBuilder(name)
      .label(name)
      .datasource(datasource)
      .query({ qryType: 1, query, refId: `variable-${name}` })
      .refresh(VariableRefresh.OnTimeRangeChanged)
      .sort(VariableSort.AlphabeticalAsc)
      .current({ text: 'All', value: '$__all' })
      .allValue('.+')
      .multi(true)
      .includeAll(true);
  return [
    new DatasourceVariableBuilder('datasource').label('data source').type('prometheus'),
    labelled('job', `label_values(${present}, job)`),
    labelled('instance', `label_values(${present}{job=~"$job"}, instance)`),
  ];
}

/** To every board with the same tag. */
const links = (): DashboardLinkBuilder =>
  new DashboardLinkBuilder('Boards')
    .type(DashboardLinkType.Dashboards)
    .tags([jobName])
    .asDropdown(true)
    .includeVars(true)
    .keepTime(true);

/** @param runbooksOf of the alerts that lead to a panel */
export function buildBoard(board: Board, runbooksOf: (panelId: number) => RunbookLink[]): Dashboard {
  const { name, title, question, rows } = board;
  const dashboard = new DashboardBuilder(title)
    .uid(uidOf(name))
    .description(question)
    .tags([jobName])
    .timezone('browser')
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .refresh('30s')
    .time({ from: 'now-1h', to: 'now' })
    .variables(variables())
    .link(links());
  for (const [index, { title: rowTitle, panels }] of rows.entries()) {
    dashboard.withRow(new RowBuilder(rowTitle).id(firstRowId + index));
    for (const panel of panels) dashboard.withPanel(buildPanel(panel, runbooksOf(panel.id)));
  }
  return withVisibleLinks(dashboard.build());
}

/** The builder puts links into a menu, where nobody looks for them. */
function withVisibleLinks(dashboard: Dashboard): Dashboard {
  const shown = dashboard.links?.map(({ placement: _, ...link }) => link) ?? [];
  return { ...dashboard, links: shown };
}
