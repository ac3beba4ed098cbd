/**
 * Owns: a story on which a rule is tried out: half an hour in which all is well, half an hour of the fault, and an
 * hour after it, a sample a minute.
 * Does not own: the trial itself (`trial.ts`).
 */
import { type MetricName, metrics } from '../../../src/telemetry/metrics/names.ts';
import type { HistogramName } from '../promql.ts';

export const phases = { quietMinutes: 30, faultMinutes: 30, afterMinutes: 60 } as const;

/** Labels beyond those of the process. */
export type ExampleLabels = Readonly<Record<string, string>>;

export interface Series {
  name: string;
  labels: ExampleLabels;
  /** In promtool's notation. */
  values: string;
}

/** An alert that fires: its labels beyond its own, and its value as its texts show it. */
export interface Firing {
  labels: ExampleLabels;
  value?: string;
}

export interface AlertExample {
  series: readonly Series[];
  firing: readonly Firing[];
  /** It fires as well where the count stood in a process before it was scraped for the first time. */
  inNewProcess?: readonly Series[];
  /** It fires where there are no series at all. */
  firesOnNothing?: readonly Firing[];
}

export interface RecordingExample {
  series: readonly Series[];
  /** In the midst of the fault. */
  value: number;
}

/** What happens each minute: in quiet times, during the fault. */
export interface Course {
  quiet: number;
  fault: number;
}

/** A counter that has been zero since the start of its process. */
function counting({ quiet, fault }: Course): string {
  const { quietMinutes, faultMinutes, afterMinutes } = phases;
  const atFault = quiet * quietMinutes;
  const afterFault = atFault + fault * faultMinutes;
  return [
    `0+${quiet}x${quietMinutes - 1}`,
    `${atFault}+${fault}x${faultMinutes - 1}`,
    `${afterFault}+${quiet}x${afterMinutes}`,
  ].join(' ');
}

function holding({ quiet, fault }: Course): string {
  const { quietMinutes, faultMinutes, afterMinutes } = phases;
  return `${quiet}+0x${quietMinutes - 1} ${fault}+0x${faultMinutes - 1} ${quiet}+0x${afterMinutes}`;
}

const withSuffix = (name: MetricName, suffix: string): string => `${metrics[name].name}${suffix}`;

export const counterOf = (name: MetricName, labels: ExampleLabels, course: Course): Series => ({
  name: metrics[name].name,
  labels,
  values: counting(course),
});

export const gaugeOf = (name: MetricName, labels: ExampleLabels, course: Course): Series => ({
  name: metrics[name].name,
  labels,
  values: holding(course),
});

/** How many were measured. */
export const measuredOf = (name: HistogramName, labels: ExampleLabels, course: Course): Series => ({
  name: withSuffix(name, '_count'),
  labels,
  values: counting(course),
});

/** The first thing that is seen of a process is that it measured so many. */
export const freshMeasuredOf = (name: HistogramName, labels: ExampleLabels, count: number): Series => ({
  name: withSuffix(name, '_count'),
  labels,
  values: `_x${phases.quietMinutes} ${count}+0x${phases.faultMinutes + phases.afterMinutes}`,
});

/** All that is measured has the value of its time. */
export function histogramOf(
  name: HistogramName,
  labels: ExampleLabels,
  value: Course,
  perMinute: number,
): Series[] {
  const isWithin = (bound: number): Course => ({
    quiet: value.quiet <= bound ? perMinute : 0,
    fault: value.fault <= bound ? perMinute : 0,
  });
  const buckets = [...metrics[name].buckets, Number.POSITIVE_INFINITY].map((bound) => ({
    name: withSuffix(name, '_bucket'),
    labels: { ...labels, le: bound === Number.POSITIVE_INFINITY ? '+Inf' : String(bound) },
    values: counting(isWithin(bound)),
  }));
  return [...buckets, measuredOf(name, labels, { quiet: perMinute, fault: perMinute })];
}

/** `up` as Prometheus writes it. */
export const upOf = (course: Course): Series => ({ name: 'up', labels: {}, values: holding(course) });

/** A target that is gone: no series, as `_` in promtool's notation. */
export const goneDuringFault: Series = {
  name: 'up',
  labels: {},
  values: `1+0x${phases.quietMinutes - 1} _x${phases.faultMinutes} 1+0x${phases.afterMinutes}`,
};
