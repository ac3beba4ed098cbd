/**
 * Owns: the page about what `/metrics` tells.
 * Does not own: the metrics (`src/telemetry/metrics/names.ts`), who asks for them (`metric-uses.ts`).
 */
import type { LabelValues, Merging, MetricDescription } from '../../src/telemetry/metrics/kinds.ts';
import { Metrics } from '../../src/telemetry/metrics/metrics.ts';
import { boards, metrics } from '../../src/telemetry/metrics/names.ts';
import { familyOf, type Reading } from '../../src/telemetry/metrics/reading.ts';
import type { Board } from '../grafana/board.ts';
import { allBoards } from '../grafana/boards/all.ts';
import { alertsOf, panelsOf } from './metric-uses.ts';

const intro = `# Metrics

Written by \`npm run reference\` from the table in \`src/telemetry/metrics/names.ts\`; a test fails where it differs.

\`GET /metrics\` on \`ADMIN_PORT\` tells each of them as OpenMetrics text ([the guide](../guides/observability.md)). A histogram
has the series \`_bucket\`, \`_count\` and \`_sum\`. Where all values of its labels are listed here, a counter or histogram is
there from the start, at zero. A value that a label does not list, or beyond as many as it may have, is \`other\`. With
\`WORKERS\` one scrape tells all workers: counters and histograms are added up, and of each gauge is said what is made of
theirs. *Shown* names panels, with their board; *alerts* lead to their runbooks.
`;

/** By the end of a name. What ends otherwise is counted. */
const units: readonly [suffix: string, unit: string][] = [
  ['_seconds', 'seconds'],
  ['_ratio', 'share'],
  ['_dollars', 'US dollars'],
  ['_bytes', 'bytes'],
  ['_mos', 'score from 1 to 4.5'],
  ['_info', 'always 1'],
  ['_ready', '0 or 1'],
  ['_open', '0 or 1'],
  ['_up', '0 or 1'],
];

/** Gauges whose names end as if they were something else. */
const counted: readonly string[] = [metrics.openSockets.name, metrics.openTimers.name];

function unitOf(name: string): string {
  if (counted.includes(name)) return 'count';
  const bare = name.replace(/_total$/, '');
  return units.find(([suffix]) => bare.endsWith(suffix))?.[1] ?? 'count';
}

const mergings: Readonly<Record<Exclude<Merging, object>, string>> = {
  sum: 'their sum',
  average: 'their mean',
  min: 'the least',
  max: 'the greatest',
};

const mergingText = (merging: Merging): string =>
  typeof merging === 'string'
    ? mergings[merging]
    : `worked out from the sum of \`holdfast_${merging.counter}_total\``;

const valuesText = (values: LabelValues): string =>
  'atMost' in values ? `at most ${values.atMost} values` : values.map((value) => `\`${value}\``).join(', ');

const seriesOf = ({ kind, name }: MetricDescription): string[] =>
  kind === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name];

function usesText(series: readonly string[]): string[] {
  const panels = panelsOf(series).map(({ board, title }) => `${title} (${board})`);
  const alerts = alertsOf(series).map(({ name, runbook }) => `[${name}](../runbooks/${runbook}.md)`);
  return [
    ...(panels.length > 0 ? [`- Shown: ${panels.join(', ')}.`] : []),
    ...(alerts.length > 0 ? [`- Alerts: ${alerts.join(', ')}.`] : []),
  ];
}

function metricText(metric: MetricDescription): string {
  const { kind, name, help, labels, buckets, merging } = metric;
  return [
    `### \`${name}\``,
    '',
    help,
    '',
    `- ${kind}, ${unitOf(name)}${kind === 'gauge' ? `; of several workers ${mergingText(merging)}` : ''}`,
    ...Object.entries(labels).map(([label, values]) => `- Label \`${label}\`: ${valuesText(values)}`),
    ...(buckets.length > 0 ? [`- Buckets: ${buckets.join(', ')}`] : []),
    ...usesText(seriesOf(metric)),
    '',
  ].join('\n');
}

const boardText = ({ name, question }: Board): string =>
  [`## ${name}`, '', question, '', ...Object.values<MetricDescription>(boards[name]).map(metricText)].join(
    '\n',
  );

/** What the client library tells of the process itself: it depends on the system and the version of Node.js. */
async function ofProcess(): Promise<Reading[]> {
  const all = new Metrics();
  all.watchProcess();
  const own = new Set(Object.values<MetricDescription>(metrics).map(({ name }) => name));
  return (await all.read()).filter(({ name }) => !own.has(name));
}

function processRow(reading: Reading): string {
  const { type, help } = reading;
  const name = type === 'counter' ? `${familyOf(reading)}_total` : reading.name;
  const panels = panelsOf([name, `${name}_sum`]).map(({ board, title }) => `${title} (${board})`);
  return `| \`${name}\` | ${type} | ${help.replace(/\.$/, '')} | ${panels.join(', ')} |`;
}

const processIntro = `## The process itself

Told by \`prom-client\`, in its words, on Linux; on another system some are missing.

| name | type | | shown |
|---|---|---|---|
`;

export async function metricsPage(): Promise<string> {
  const rows = (await ofProcess()).map(processRow);
  return `${[intro, ...allBoards.map(boardText)].join('\n')}\n${processIntro}${rows.join('\n')}\n`;
}
