/** Names of series that a query may have: those of the table of metrics, of rules, and of the process itself. */
import { recordings } from '../../../scripts/grafana/rules/all.ts';
import { type MetricName, metrics } from '../../../src/telemetry/metrics/names.ts';

/** Of a metric as Prometheus stores it. */
export function seriesOf(name: MetricName): string[] {
  const { kind, name: series } = metrics[name];
  return kind === 'histogram' ? [`${series}_bucket`, `${series}_count`, `${series}_sum`] : [series];
}

export const seriesOfTable = new Map<string, MetricName>(
  (Object.keys(metrics) as MetricName[]).flatMap((name) =>
    seriesOf(name).map((series) => [series, name] as const),
  ),
);

/** What Prometheus itself writes. */
export const ofPrometheus: readonly string[] = ['up', 'ALERTS'];

/** What the client library tells of a process: `Metrics.watchProcess`. */
export const ofProcess: readonly string[] = [
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
  'nodejs_heap_size_used_bytes',
  'nodejs_gc_duration_seconds_sum',
];

export const isKnown = (series: string): boolean =>
  seriesOfTable.has(series) ||
  ofPrometheus.includes(series) ||
  ofProcess.includes(series) ||
  recordings.some(({ name }) => name === series);
