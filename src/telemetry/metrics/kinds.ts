/**
 * Owns: what the table of metrics says of one metric, and how it is written there.
 * Does not own: which metrics there are (`names.ts`), measuring (`metrics.ts`).
 *
 * Invariants:
 * Q1. Every label has a bound: it lists its values, or the most that there may be. What lies beyond is `other`.
 */

/** The values of a label, or how many of them are told apart in one process. */
export type LabelValues = readonly string[] | { atMost: number };

/**
 * How one gauge is made of those of several processes that are scraped as one. A share is reckoned anew from a counter:
 * the mean of two shares is not the share of both.
 */
export type Merging = 'sum' | 'average' | 'min' | 'max' | Share;

export interface Share {
  /** Of all that this counter counted, by its name without prefix and suffix... */
  counter: string;
  /** ...what bears this label. */
  label: readonly [name: string, value: string];
  /** Before anything was counted. */
  ofNothing: number;
}

export interface MetricDescription {
  kind: 'counter' | 'gauge' | 'histogram';
  /** By Prometheus' rules: base units, `_total` on counters. */
  name: string;
  help: string;
  labels: Readonly<Record<string, LabelValues>>;
  /** Upper bounds of a histogram, in the unit of its name. */
  buckets: readonly number[];
  /** Of a gauge. Counts are added up. */
  merging: Merging;
}

type Labels = Readonly<Record<string, LabelValues>>;

export interface Described<Kind extends MetricDescription['kind'], Known extends Labels>
  extends MetricDescription {
  kind: Kind;
  labels: Known;
}

const none = {} as const;

export const counter = <const Known extends Labels = typeof none>(
  name: string,
  help: string,
  labels: Known = none as unknown as Known,
): Described<'counter', Known> => ({
  kind: 'counter',
  name: `holdfast_${name}_total`,
  help,
  labels,
  buckets: [],
  merging: 'sum',
});

export const gauge = <const Known extends Labels = typeof none>(
  name: string,
  help: string,
  merging: Merging,
  labels: Known = none as unknown as Known,
): Described<'gauge', Known> => ({
  kind: 'gauge',
  name: `holdfast_${name}`,
  help,
  labels,
  buckets: [],
  merging,
});

export const histogram = <const Known extends Labels = typeof none>(
  name: string,
  help: string,
  buckets: readonly number[],
  labels: Known = none as unknown as Known,
): Described<'histogram', Known> => ({
  kind: 'histogram',
  name: `holdfast_${name}`,
  help,
  labels,
  buckets,
  merging: 'sum',
});

/** Seconds between two sounds of a conversation; bounds at the targets 0.8 and 1.5. */
export const voiceSeconds = [0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 5] as const;

/** Seconds that a recovery takes, up to what a caller bears. */
export const recoverySeconds = [0.1, 0.2, 0.4, 0.8, 1.5, 2.5, 4, 6, 10, 20, 40] as const;

/** Seconds within this process: a frame of audio is 0.02. */
export const shortSeconds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1] as const;

/** Seconds that a caller waits for a tool. */
export const toolSeconds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

/** Seconds of a request or an append (OpenTelemetry, HTTP metrics, advised bounds). */
export const requestSeconds = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;
