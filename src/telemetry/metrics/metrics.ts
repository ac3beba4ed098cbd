/**
 * Owns: the metrics of one process and their text for a scraper (OpenMetrics 1.0, with exemplars).
 * Does not own: names (`names.ts`), what is measured when (`../call-meter.ts`, `../media-meter.ts`), the route
 * (`src/adapters/http/admin-server.ts`), several processes that are scraped as one (`sum.ts`).
 *
 * Invariants:
 * Q1. A value that its label does not list is counted as `other`. No call id, no number.
 * Q2. A counter or histogram whose labels list all their values is there from the start, at zero: a rate knows its first
 *     step, and an alert on it is no alert on nothing.
 * Q3. An exemplar holds a trace id and a span id and nothing else: longer ones make a scraper drop the whole target.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram } from 'prom-client';
import type { LabelValues } from './kinds.ts';
import { type MetricName, metrics as table } from './names.ts';
import { openMetricsRegistry, type Reading } from './reading.ts';

type Table = typeof table;
type NamesOf<Kind> = { [Name in MetricName]: Table[Name]['kind'] extends Kind ? Name : never }[MetricName];
export type CounterName = NamesOf<'counter'>;
export type GaugeName = NamesOf<'gauge'>;
export type HistogramName = NamesOf<'histogram'>;

/** The labels of a metric, each a word. */
export type LabelsOf<Name extends MetricName> = Record<keyof Table[Name]['labels'], string>;

/** The span behind a measurement (W3C Trace Context ids). */
export interface Exemplar {
  traceId: string;
  spanId: string;
}

type Labels = Record<string, string>;
type Sample<Name extends MetricName> = readonly [labels: LabelsOf<Name>, value: number];

const described = Object.entries(table) as [MetricName, Table[MetricName]][];

export class Metrics {
  readonly #registry = openMetricsRegistry();
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #histograms = new Map<string, Histogram>();
  readonly #bounds = new Map<MetricName, Bound[]>();

  constructor() {
    for (const [name] of described) this.#create(name);
  }

  /** Adds the memory, CPU time, handles and garbage collection of the process itself. */
  watchProcess(): void {
    collectDefaultMetrics({ register: this.#registry });
  }

  count<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, by = 1): void {
    this.#counters.get(name)?.inc(this.#bounded(name, labels), by);
  }

  observe<Name extends HistogramName>(
    name: Name,
    labels: LabelsOf<Name>,
    value: number,
    exemplar: Exemplar | null = null,
  ): void {
    const bounded = this.#bounded(name, labels);
    const exemplarLabels = exemplar ? { trace_id: exemplar.traceId, span_id: exemplar.spanId } : {};
    // The library's type allows the metric's own labels alone, its code and OpenMetrics any.
    this.#histograms.get(name)?.observe({ labels: bounded, value, exemplarLabels } as never);
  }

  /** The gauge's values are asked for at each scrape. Values of labels that are not named then are gone. */
  ask<Name extends GaugeName>(name: Name, samples: () => Iterable<Sample<Name>>): void {
    const gauge = this.#gauges.get(name) as Gauge & { collect?: () => void };
    gauge.collect = () => {
      gauge.reset();
      for (const [labels, value] of samples()) gauge.set(this.#bounded(name, labels), value);
    };
  }

  /** The same for counts that somebody else keeps. */
  askCounts<Name extends CounterName>(name: Name, samples: () => Iterable<Sample<Name>>): void {
    const counter = this.#counters.get(name) as Counter & { collect?: () => void };
    counter.collect = () => {
      counter.reset();
      for (const [labels, value] of samples()) counter.inc(this.#bounded(name, labels), value);
    };
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The metrics as OpenMetrics text. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** The same as data, for whoever adds up several processes. */
  read(): Promise<Reading[]> {
    return this.#registry.getMetricsAsJSON() as Promise<unknown> as Promise<Reading[]>;
  }

  #create(key: MetricName): void {
    const { kind, name, help, labels, buckets, merging } = table[key];
    this.#bounds.set(key, boundsOf(labels));
    const common = { name, help, labelNames: Object.keys(labels), registers: [this.#registry] };
    const aggregator = typeof merging === 'string' ? merging : 'omit';
    if (kind === 'gauge') this.#gauges.set(key, new Gauge({ ...common, aggregator }));
    else if (kind === 'counter') {
      const counter = new Counter(common);
      this.#counters.set(key, counter);
      for (const known of combinations(labels)) counter.inc(known, 0);
    } else {
      const histogram = new Histogram({ ...common, buckets: [...buckets], enableExemplars: true });
      this.#histograms.set(key, histogram);
      for (const known of combinations(labels)) histogram.zero(known);
    }
  }

  /** Nearly always these very labels. */
  #bounded(name: MetricName, labels: Labels): Labels {
    let bounded = labels;
    for (const bound of this.#bounds.get(name) ?? []) {
      const value = labels[bound.label] ?? 'other';
      if (!isKnown(bound, value)) bounded = { ...bounded, [bound.label]: 'other' };
    }
    return bounded;
  }
}

/** The values of a label that are told apart: all that it lists, or as many as it may have, as they come. */
interface Bound {
  label: string;
  known: Set<string>;
  room: number;
}

const boundsOf = (labels: Readonly<Record<string, LabelValues>>): Bound[] =>
  Object.entries(labels).map(([label, values]) =>
    'atMost' in values
      ? { label, known: new Set<string>(), room: values.atMost }
      : { label, known: new Set(values), room: 0 },
  );

function isKnown(bound: Bound, value: string): boolean {
  if (bound.known.has(value)) return true;
  if (bound.known.size >= bound.room) return false;
  bound.known.add(value);
  return true;
}

/** Every set of labels that can be told before anything was measured; none where a label lists no values. */
function combinations(labels: Readonly<Record<string, LabelValues>>): Labels[] {
  let all: Labels[] = [{}];
  for (const [label, bound] of Object.entries(labels)) {
    const values: readonly string[] = 'atMost' in bound ? [] : bound;
    all = all.flatMap((known) => values.map((value) => ({ ...known, [label]: value })));
  }
  return all;
}
