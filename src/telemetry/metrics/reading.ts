/**
 * Owns: the form of what one process measured at one moment, as data that can be sent to another one, and as text.
 * Does not own: measuring (`metrics.ts`), adding up (`sum.ts`).
 */
import { type OpenMetricsContentType, Registry } from 'prom-client';

/** The library's: how it puts together gauges of several processes, those of Node.js itself included. */
export type Aggregator = 'sum' | 'average' | 'min' | 'max' | 'first' | 'omit';

export interface ReadExemplar {
  labelSet: Readonly<Record<string, string>>;
  value: number;
  /** Seconds since 1970. */
  timestamp: number;
}

export interface ReadSample {
  labels: Readonly<Record<string, string | number>>;
  value: number;
  /** Of a histogram, whose samples have names of their own. */
  metricName?: string | undefined;
  exemplar?: ReadExemplar | null | undefined;
}

/** One metric. */
export interface Reading {
  name: string;
  help: string;
  type: string;
  aggregator: Aggregator;
  values: readonly ReadSample[];
}

/** The library's types name the older format alone. */
export function openMetricsRegistry(): Registry {
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  return registry as unknown as Registry;
}

/** As OpenMetrics text. */
export function textOf(readings: readonly Reading[]): Promise<string> {
  const registry = openMetricsRegistry();
  for (const reading of readings) registry.registerMetric(metricOf(reading));
  return registry.metrics();
}

/** The library asks a metric for its values alone, and adds `_total` to a counter's name. */
function metricOf(reading: Reading): Parameters<Registry['registerMetric']>[0] {
  const metric = { ...reading, name: familyOf(reading), get: async () => metric };
  return metric as never;
}

/** The library shortens a counter's name once it has been scraped as OpenMetrics. */
export const familyOf = ({ type, name }: Pick<Reading, 'type' | 'name'>): string =>
  type === 'counter' ? name.replace(/_total$/, '') : name;
