/**
 * Owns: the metrics of several processes as those of one: counts added up, gauges put together each in its own way, the
 * newest exemplar of each bucket.
 * Does not own: whose readings they are, and since when (`src/service/workers/worker-metrics.ts`), how each gauge is put
 * together (`names.ts`).
 *
 * Invariants:
 * Q3. An exemplar stays as it was measured, at a bucket that its value lies in.
 * Q4. What counts (`countsOf`) of a process is its counters and histograms: with what dead ones counted added, no sum
 *     goes back, or a scraper would take it for a restart of everything.
 */
import type { MetricDescription, Share } from './kinds.ts';
import { metrics as table } from './names.ts';
import { type Aggregator, familyOf, type Reading, type ReadSample } from './reading.ts';

type Merge = (values: readonly number[]) => number;

const add: Merge = (values) => values.reduce((total, value) => total + value, 0);

/** What is not known of one process (NaN) is left out. */
const ofKnown =
  (merge: Merge): Merge =>
  (values) => {
    const known = values.filter((value) => !Number.isNaN(value));
    return known.length === 0 ? Number.NaN : merge(known);
  };

const merges: Record<Exclude<Aggregator, 'omit'>, Merge> = {
  sum: add,
  average: ofKnown((values) => add(values) / values.length),
  min: ofKnown((values) => Math.min(...values)),
  max: ofKnown((values) => Math.max(...values)),
  first: ([value = Number.NaN]) => value,
};

const counting = new Set(['counter', 'histogram']);

/** Q4. */
export const countsOf = (readings: readonly Reading[]): Reading[] =>
  readings.filter(({ type }) => counting.has(type));

/** @param all the readings of each process; shares are worked out from the sum of their counters */
export function sumOf(all: readonly (readonly Reading[])[]): Reading[] {
  const families = new Map<string, Reading[]>();
  for (const reading of all.flat()) gather(families, familyOf(reading), reading);
  const summed = [...families.values()].flatMap(mergeFamily);
  return [...summed, ...sharesOf(summed)];
}

function gather<Each>(groups: Map<string, Each[]>, key: string, each: Each): void {
  const group = groups.get(key);
  if (group) group.push(each);
  else groups.set(key, [each]);
}

function mergeFamily(readings: readonly Reading[]): Reading[] {
  const [first] = readings;
  if (!first || first.aggregator === 'omit') return [];
  const samples = new Map<string, ReadSample[]>();
  for (const sample of readings.flatMap(({ values }) => values)) gather(samples, keyOf(sample), sample);
  const merge = merges[first.aggregator];
  return [{ ...first, values: [...samples.values()].map((group) => mergeSamples(group, merge)) }];
}

const keyOf = ({ metricName, labels }: ReadSample): string =>
  JSON.stringify([metricName, ...Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1))]);

function mergeSamples(samples: readonly ReadSample[], merge: Merge): ReadSample {
  const exemplars = samples.flatMap(({ exemplar }) => exemplar ?? []);
  const newest = exemplars.sort((one, other) => other.timestamp - one.timestamp)[0];
  const value = merge(samples.map((sample) => sample.value));
  return { ...(samples[0] as ReadSample), value, exemplar: newest };
}

const gaugesOfShares = Object.values<MetricDescription>(table).flatMap((metric) =>
  typeof metric.merging === 'object' ? [{ ...metric, share: metric.merging }] : [],
);

const sharesOf = (summed: readonly Reading[]): Reading[] =>
  gaugesOfShares.map(({ name, help, share }) => ({
    name,
    help,
    type: 'gauge',
    aggregator: 'omit',
    values: [{ labels: {}, value: shareIn(summed, share) }],
  }));

function shareIn(summed: readonly Reading[], { counter, label: [label, value], ofNothing }: Share): number {
  const family = summed.find((reading) => familyOf(reading) === `holdfast_${counter}`);
  const samples = family?.values ?? [];
  const part = samples.filter(({ labels }) => labels[label] === value);
  const whole = add(samples.map((sample) => sample.value));
  return whole === 0 ? ofNothing : add(part.map((sample) => sample.value)) / whole;
}
