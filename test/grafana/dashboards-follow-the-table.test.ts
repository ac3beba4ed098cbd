/** What is shown and alerted on is what is measured, and the committed files are what the program writes. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Board, type BoardName, uidOf } from '../../scripts/grafana/board.ts';
import { allBoards, unshown } from '../../scripts/grafana/boards/all.ts';
import { generatedFiles } from '../../scripts/grafana/files.ts';
import type { Panel } from '../../scripts/grafana/panel.ts';
import { alerts, recordings } from '../../scripts/grafana/rules/all.ts';
import { runbookPath } from '../../scripts/grafana/rules/rule.ts';
import { Metrics } from '../../src/telemetry/metrics/metrics.ts';
import { boards, type MetricName, metrics } from '../../src/telemetry/metrics/names.ts';
import { readText } from '../rules/support/sources.ts';
import { isKnown, ofProcess, seriesOfTable } from './support/known-series.ts';
import { partsOf, withVariables } from './support/promql-tree.ts';

interface Dashboard {
  uid: string;
  editable: boolean;
  templating: { list: { name: string }[] };
  links: { type: string; tags: string[] }[];
  tags: string[];
  panels: DashboardPanel[];
}

interface DashboardPanel {
  id: number;
  type: string;
  title: string;
  description?: string;
  datasource?: { uid: string };
  targets?: { expr: string; datasource: { uid: string }; exemplar: boolean }[];
  links?: { url: string }[];
  fieldConfig?: { defaults: { unit?: string; thresholds?: { steps: unknown[] } } };
}

const panelsOf = ({ rows }: Board): Panel[] => rows.flatMap(({ panels }) => [...panels]);
const panels = allBoards.flatMap((board) =>
  panelsOf(board).map((panel) => ({
    board: board.name,
    ...panel,
    name: `${board.name} ${panel.id}: ${panel.title}`,
  })),
);
const expressions = [
  ...panels.flatMap(({ name, queries }) => queries.map(({ expr }) => ({ name, expr: withVariables(expr) }))),
  ...[...recordings, ...alerts].map(({ name, expr }) => ({ name, expr })),
];

const dashboards = allBoards.map(({ name }) => ({
  name,
  dashboard: JSON.parse(readText(`grafana/dashboards/${name}.json`)) as Dashboard,
}));
const drawn = dashboards.flatMap(({ name, dashboard }) =>
  dashboard.panels
    .filter(({ type }) => type !== 'row')
    .map((panel) => ({ name: `${name} ${panel.id}: ${panel.title}`, panel })),
);

describe('the committed files', () => {
  const files = generatedFiles();

  it.each(files)('$path is as it is generated', ({ path, text }) => {
    expect(readText(`grafana/${path}`), 'run npm run grafana').toBe(text);
  });

  it('are all that there is', () => {
    const written = readdirSync(new URL('../../grafana', import.meta.url), {
      recursive: true,
      withFileTypes: true,
    })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => `${parentPath}/${name}`.replace(/^.*\/grafana\//, ''));
    expect(written.sort()).toEqual(files.map(({ path }) => path).sort());
  });
});

describe('every query', () => {
  it.each(expressions)('$name is PromQL over series that there are', ({ expr }) => {
    const { mistakes, names } = partsOf(expr);
    expect(mistakes, expr).toBe(0);
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !isKnown(name))).toEqual([]);
  });

  it('is refused where it is no PromQL', () => {
    expect(partsOf('sum by (le (rate(a[5m]))').mistakes).toBeGreaterThan(0);
    expect(partsOf('rate(holdfast_calls[1m])')).toMatchObject({
      names: ['holdfast_calls'],
      rated: ['holdfast_calls'],
    });
    expect(isKnown('holdfast_calls')).toBe(false);
  });

  it('takes counters as rates alone, gauges never', () => {
    const wrong = expressions.flatMap(({ name, expr }) => {
      const { names, rated } = partsOf(expr);
      const counters = names.filter((series) => /_(total|bucket|count|sum)$/.test(series));
      const isFresh = expr.includes(' offset ');
      const bare = isFresh ? [] : counters.filter((series) => !rated.includes(series));
      const gauges = rated.filter((series) => !counters.includes(series));
      return [...bare, ...gauges].map((series) => `${name}: ${series}`);
    });
    expect(wrong).toEqual([]);
  });

  it('of a panel looks back as far as Grafana says', () => {
    const fixed = panels.filter(({ queries }) =>
      queries.some(({ expr }) => /\[(?!\$__(rate_interval|range)\])/.test(expr)),
    );
    expect(fixed.map(({ name }) => name)).toEqual([]);
  });
});

describe('every metric', () => {
  const shown = new Set(
    panels.flatMap(({ board, queries }) =>
      queries.flatMap(({ expr }) =>
        partsOf(withVariables(expr)).names.map((series) => `${board} ${seriesOfTable.get(series)}`),
      ),
    ),
  );

  it.each(Object.entries(boards) as [BoardName, Record<string, unknown>][])(
    'of %s is on its board',
    (board, own) => {
      const missing = Object.keys(own).filter(
        (name) => !unshown[name as MetricName] && !shown.has(`${board} ${name}`),
      );
      expect(missing).toEqual([]);
    },
  );

  it('of a process itself is one that the client library tells', async () => {
    const process = new Metrics();
    process.watchProcess();
    const text = await process.text();
    expect(ofProcess.filter((series) => !text.includes(series.replace(/_sum$/, '')))).toEqual([]);
  });

  it('has a board of its own', () => {
    expect(allBoards.map(({ name }) => name).sort()).toEqual(Object.keys(boards).sort());
    expect(Object.keys(metrics).length).toBe(Object.values(boards).flatMap(Object.keys).length);
  });
});

describe('every panel', () => {
  it('says what it asks, in which unit, and asks by the variables', () => {
    const vague = drawn.filter(
      ({ panel: { title, description, datasource, targets = [], fieldConfig } }) =>
        !title ||
        !description?.includes('?') ||
        !fieldConfig?.defaults.unit ||
        !fieldConfig.defaults.thresholds?.steps.length ||
        datasource?.uid !== '$datasource' ||
        targets.length === 0 ||
        targets.some((target) => target.datasource.uid !== '$datasource'),
    );
    expect(vague.map(({ name }) => name)).toEqual([]);
  });

  it('asks for the job and the processes that are chosen', () => {
    const everywhere = panels.filter(({ queries }) =>
      queries.some(
        ({ expr }) => !expr.includes('job=~"$job"') && !expr.startsWith('sum by (alertname) (ALERTS'),
      ),
    );
    expect(everywhere.map(({ name }) => name)).toEqual([]);
  });

  it('of a latency leads to traces', () => {
    const blind = drawn.filter(({ panel: { targets = [] } }) =>
      targets.some(({ expr, exemplar }) => /_seconds_bucket/.test(expr) && !exemplar),
    );
    expect(blind.map(({ name }) => name)).toEqual([]);
  });

  it('has an id of its own on its board', () => {
    for (const { dashboard } of dashboards) {
      const ids = dashboard.panels.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids.every((id) => id > 0)).toBe(true);
    }
  });

  it('that an alert leads to leads to its runbook', () => {
    const lost = alerts.filter(({ panel: [board, id], runbook }) => {
      const found = dashboards
        .find(({ name }) => name === board)
        ?.dashboard.panels.find((panel) => panel.id === id);
      return !found?.links?.some(({ url }) => url.endsWith(`/${runbook}.md`));
    });
    expect(lost.map(({ name }) => name)).toEqual([]);
  });
});

describe('every board', () => {
  it.each(dashboards)(
    '$name is found by its uid, not edited, and leads to the others',
    ({ name, dashboard }) => {
      expect(dashboard).toMatchObject({ uid: uidOf(name), editable: false, tags: ['holdfast'] });
      expect(dashboard.templating.list.map((variable) => variable.name)).toEqual([
        'datasource',
        'job',
        'instance',
      ]);
      expect(dashboard.links).toMatchObject([{ type: 'dashboards', tags: ['holdfast'] }]);
    },
  );
});

describe('every alert', () => {
  const runbooks = readdirSync(new URL('../../docs/runbooks', import.meta.url)).map((file) =>
    file.replace('.md', ''),
  );

  it('has a name of its own', () => {
    const names = alerts.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(alerts)('$name leads to a runbook that speaks of it', ({ name, runbook }) => {
    const text = readText(runbookPath(runbook));
    expect(text).toContain(`\`${name}\``);
    for (const part of ['## What it means', '## Look first', '## What to do']) expect(text).toContain(part);
  });

  it('has the only runbooks that there are', () => {
    expect(runbooks.sort()).toEqual([...new Set(alerts.map(({ runbook }) => runbook))].sort());
  });

  it('leads in its runbook to its panel', () => {
    const lost = alerts.filter(({ panel: [board, id], runbook }) => {
      const panel = panels.find((each) => each.board === board && each.id === id);
      return !panel || !readText(runbookPath(runbook)).includes(panel.title);
    });
    expect(lost.map(({ name }) => name)).toEqual([]);
  });
});
