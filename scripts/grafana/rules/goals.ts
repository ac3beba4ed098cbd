/**
 * Owns: the goals of the service as ratios, and the alerts on how fast their budgets are spent: over two windows each, so
 * that a spike is over when it is over (Google, The Site Reliability Workbook, chapter 5).
 * Does not own: the goals themselves (`../targets.ts`).
 */
import { metrics } from '../../../src/telemetry/metrics/names.ts';
import { inRules, share } from '../promql.ts';
import { goals } from '../targets.ts';
import { type Course, counterOf, type Series } from './example.ts';
import type { Alert, Recording, RuleGroup, Severity } from './rule.ts';

const windows = ['5m', '30m', '1h', '6h'] as const;
type Window = (typeof windows)[number];

interface Pace {
  name: 'Fast' | 'Slowly';
  severity: Severity;
  short: Window;
  long: Window;
  /** Times the pace at which the budget lasts exactly its time. */
  factor: number;
  /** In their examples: the share of calls that broke off, and of windows that suffered. */
  shares: readonly [calls: string, windows: string];
}

const paces: readonly Pace[] = [
  { name: 'Fast', severity: 'page', short: '5m', long: '1h', factor: 14.4, shares: ['20%', '50%'] },
  { name: 'Slowly', severity: 'warn', short: '30m', long: '6h', factor: 6, shares: ['19.33%', '48.33%'] },
];

const rounded = (value: number): number => Number(value.toPrecision(6));

const completionName = (window: Window): string => `job:${metrics.callCompletion.name}:rate${window}`;
const issueName = (window: Window): string => `job:${metrics.mediaIssue.name}:rate${window}`;

const callSeries = (served: Course, unserved: Course): Series[] => [
  counterOf('calls', { reason: 'caller.hungUp', served: 'yes' }, served),
  counterOf('calls', { reason: 'stream.lost', served: 'no' }, unserved),
];
const windowSeries = (clean: Course, issue: Course): Series[] => [
  counterOf('windows', { issue: 'no' }, clean),
  counterOf('windows', { issue: 'yes' }, issue),
];

const tenthLost = callSeries({ quiet: 9, fault: 9 }, { quiet: 1, fault: 1 });
const quarterSuffers = windowSeries({ quiet: 75, fault: 75 }, { quiet: 25, fault: 25 });

const recordings: Recording[] = windows.flatMap((window) => {
  const q = inRules.over(window);
  return [
    {
      name: completionName(window),
      expr: share(q.rate('calls', { where: { served: 'yes' } }), q.rate('calls')),
      example: { series: tenthLost, value: 0.9 },
    },
    {
      name: issueName(window),
      expr: share(q.rate('windows', { where: { issue: 'yes' } }), q.rate('windows')),
      example: { series: quarterSuffers, value: 0.25 },
    },
  ];
});

/** So few callers make no trend: below it nobody is told. */
const fewestUnserved = 2;
const fewestWindows = 120;

const completionAlerts = paces.map(({ name, severity, short, long, factor, shares }): Alert => {
  const budget = rounded(factor * (1 - goals.callCompletion));
  const lost = inRules.over(long).increase('calls', { where: { served: 'no' } });
  return {
    name: `CallCompletionBurns${name}`,
    severity,
    expr: `(1 - ${completionName(short)} > ${budget}) and (1 - ${completionName(long)} > ${budget}) and (${lost} > ${fewestUnserved})`,
    forMinutes: 1,
    summary: 'Callers are not served to the end',
    description: `{{ $value | humanizePercentage }} of the calls of the last ${short} broke off. At this pace the budget of the goal of ${goals.callCompletion} lasts a ${factor}th of its time.`,
    runbook: 'call-completion',
    panel: ['calls', 5],
    example: {
      series: callSeries({ quiet: 10, fault: 8 }, { quiet: 0, fault: 2 }),
      firing: [{ labels: {}, value: shares[0] }],
    },
  };
});

const issueAlerts = paces.map(({ name, severity, short, long, factor, shares }): Alert => {
  const limit = rounded(factor * goals.mediaIssue);
  const seen = inRules.over(long).increase('windows');
  return {
    name: `MediaIssuesBurn${name}`,
    severity,
    expr: `(${issueName(short)} > ${limit}) and (${issueName(long)} > ${limit}) and (${seen} > ${fewestWindows})`,
    forMinutes: 1,
    summary: 'Callers hear gaps',
    description: `Audio suffered in {{ $value | humanizePercentage }} of the windows of 5 s of the last ${short}. The goal is under ${goals.mediaIssue}.`,
    runbook: 'media-issues',
    panel: ['media', 1],
    example: {
      series: windowSeries({ quiet: 100, fault: 50 }, { quiet: 0, fault: 50 }),
      firing: [{ labels: {}, value: shares[1] }],
    },
  };
});

export const goalRules: RuleGroup = {
  name: 'goals',
  recordings,
  alerts: [...completionAlerts, ...issueAlerts],
};
