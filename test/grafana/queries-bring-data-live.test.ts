/**
 * A real Prometheus scrapes real processes under calls and faults: every query of every panel and rule brings data, and
 * the alert of each rung of the recovery ladder fires and resolves.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allBoards } from '../../scripts/grafana/boards/all.ts';
import { alerts, recordings } from '../../scripts/grafana/rules/all.ts';
import { ladderRules } from '../../scripts/grafana/rules/ladder.ts';
import { metrics, rungs } from '../../src/telemetry/metrics/names.ts';
import { missingPrograms, needPrograms } from './support/programs.ts';
import { inHaste, PrometheusProcess } from './support/prometheus-process.ts';
import { partsOf, withVariables } from './support/promql-tree.ts';
import { SpanSink } from './support/span-sink.ts';
import { TroubledService } from './support/troubled-service.ts';

const programs = ['prometheus'];
const isLive = missingPrograms(programs).length === 0;
const patienceMs = 180_000;
const resolvedWithinMs = 45_000;
/** The five minutes of the alerts, in haste. */
const alertWindowMs = 15_000;

/** What brings no data in these calls, and why. */
const mayBeEmpty: Readonly<Record<string, string>> = {
  'runtime: Live calls by worker, {{instance}} worker {{worker}}': 'the processes here have no workers',
  'calls: Region call, {{state}}': 'calls ring and end between two scrapes',
  'ToolFails: holdfast_tool_seconds_count{job="holdfast", outcome="failed"}': 'no tool fails here',
  'ToolTimesOut: holdfast_tool_seconds_count{job="holdfast", outcome="timedOut"}':
    'no tool takes half a minute here',
};

const fast = [
  ['$__rate_interval', '15s'],
  ['$__range', '60s'],
] as const;

const panelQueries = allBoards.flatMap(({ name, rows }) =>
  rows.flatMap(({ panels }) =>
    panels.flatMap(({ title, queries }) =>
      queries.map(({ expr, legend }) => ({
        name: `${name}: ${title}, ${legend}`,
        expr: withVariables(
          expr,
          fast.map(([from, to]) => [from, to]),
        ),
      })),
    ),
  ),
);

/** An alert that is quiet brings nothing: what it is made of must bring data. */
const ruleQueries = [...alerts, ...recordings].flatMap(({ name, expr }) =>
  [...new Set(partsOf(expr).selectors)].map((selector) => ({ name: `${name}: ${selector}`, expr: selector })),
);

const rungAlerts = ladderRules.alerts.map(({ name }) => name).filter((name) => name !== 'RecoverySlow');

let prometheus: PrometheusProcess;
let service: TroubledService;
let spans: SpanSink;
const fired = new Set<string>();
const scrapeErrors = new Set<string>();

async function watch(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const name of await prometheus.firing()) fired.add(name);
    for (const error of await prometheus.scrapeErrors()) scrapeErrors.add(error);
    await sleep(500);
  }
}

/**
 * While the calls leave the window, an alert may resolve and fire once more: its limit counts live calls, and may fall
 * faster than what it limits. Quiet is what is quiet after that.
 */
async function untilResolved(): Promise<void> {
  await sleep(alertWindowMs);
  const deadline = Date.now() + resolvedWithinMs;
  while ((await prometheus.firing()).some((name) => rungAlerts.includes(name)) && Date.now() < deadline)
    await sleep(500);
}

async function emptyOf(queries: readonly { name: string; expr: string }[]): Promise<string[]> {
  const empty: string[] = [];
  for (const { name, expr } of queries) {
    const samples = await prometheus.ask(inHaste(expr));
    if (!samples.some(({ values }) => values.length > 0)) empty.push(name);
  }
  return empty;
}

beforeAll(async () => {
  if (!isLive) return;
  spans = await SpanSink.open();
  prometheus = await PrometheusProcess.start();
  service = await TroubledService.start(spans.url, (addresses) => prometheus.scrape(addresses));
  const over = new AbortController();
  const watching = watch(over.signal);
  await service.run();
  await untilResolved();
  over.abort();
  await watching;
}, patienceMs);

afterAll(async () => {
  await service?.close();
  await prometheus?.stop();
  await spans?.close();
}, patienceMs);

describe('under calls and faults', () => {
  it(
    'every query of every panel brings data',
    async (context) => {
      needPrograms(context, programs);
      const empty = await emptyOf(panelQueries);
      expect(empty.filter((name) => !(name in mayBeEmpty))).toEqual([]);
    },
    patienceMs,
  );

  it(
    'every series of every rule is there',
    async (context) => {
      needPrograms(context, programs);
      const empty = await emptyOf(ruleQueries);
      expect(empty.filter((name) => !(name in mayBeEmpty))).toEqual([]);
    },
    patienceMs,
  );

  it('every scrape is answered with what Prometheus takes', (context) => {
    needPrograms(context, programs);
    expect([...scrapeErrors]).toEqual([]);
  });

  it('every rule is evaluated without an error', async (context) => {
    needPrograms(context, programs);
    const rules = await prometheus.rules();
    expect(rules.map(({ name }) => name).sort()).toEqual(
      [...alerts, ...recordings].map(({ name }) => name).sort(),
    );
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
  });

  it('the alert of each rung fires and resolves', async (context) => {
    needPrograms(context, programs);
    expect(rungAlerts.filter((name) => !fired.has(name))).toEqual([]);
    const firing = await prometheus.firing();
    expect(rungAlerts.filter((name) => firing.includes(name))).toEqual([]);
  });

  for (const rung of rungs) {
    it(`exemplars of the rung ${rung} lead to the spans of its recoveries`, async (context) => {
      needPrograms(context, programs);
      const exemplars = await prometheus.exemplars(`${metrics.recovery.name}_bucket{rung="${rung}"}`);
      expect(exemplars.map((labels) => spans.nameOf(labels))).toContain(`recovery ${rung}`);
    });
  }
});
