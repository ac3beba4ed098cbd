/**
 * Owns: the alerts on the recovery ladder: one for each rung, and one for recoveries that take too long.
 * Does not own: how calls recover.
 *
 * They count recoveries by their measured times, which are there from the start at zero, and ends of calls; the counter
 * of losses has a cause that is not known before, so its first step is not seen by a rate.
 */
import type { Rung } from '../../../src/telemetry/metrics/names.ts';
import { inRules as q } from '../promql.ts';
import { latencyTargets, sessionMaximumSeconds } from '../targets.ts';
import { counterOf, freshMeasuredOf, gaugeOf, histogramOf, measuredOf, type Series } from './example.ts';
import type { Alert, RuleGroup } from './rule.ts';

const recovered = (rung: Rung): string => q.measured('recovery', { where: { rung } });

const anyOf = (...counts: readonly string[]): string => counts.map((count) => `${count} > 0`).join(' or ');

const live = `sum by (job) (avg_over_time(${q.gauge('callsLive')}[5m]))`;

/** What the far sides do every day: a couple, and this share of the live calls, is nothing to be told of. */
const everyday = `2 + 0.02 * ${live}`;

const liveCalls: Series = gaugeOf('callsLive', {}, { quiet: 20, fault: 20 });
const recoveries = (rung: Rung): Series[] => [
  measuredOf('recovery', { rung }, { quiet: 0, fault: 2 }),
  liveCalls,
];

const fiveMinutes = 300;
const expectedRollOvers = `2 + 2 * ${live} * ${fiveMinutes / sessionMaximumSeconds}`;

/** One for each, so that a rung that nobody watches does not compile. */
const rungAlerts: Record<Rung, Alert> = {
  model: {
    name: 'ModelSessionsLost',
    severity: 'warn',
    expr: `${recovered('model')} + ${q.increase('calls', { where: { reason: { anyOf: ['model.unavailable', 'model.refused'] } } })} > ${everyday}`,
    forMinutes: 0,
    summary: 'Calls lose their model sessions',
    description:
      '{{ $value | humanize }} sessions were lost within 5 minutes; the calls go on with new ones.',
    runbook: 'model-sessions-lost',
    panel: ['recovery', 10],
    example: {
      series: [
        ...recoveries('model'),
        counterOf('calls', { reason: 'model.refused', served: 'no' }, { quiet: 0, fault: 0 }),
      ],
      firing: [{ labels: {}, value: '10' }],
    },
  },
  rollOver: {
    name: 'SessionsRollOverOften',
    severity: 'notice',
    expr: `${recovered('rollOver')} > ${expectedRollOvers}`,
    forMinutes: 0,
    summary: 'Sessions are replaced more often than their hour explains',
    description: '{{ $value | humanize }} sessions were replaced at their announced end within 5 minutes.',
    runbook: 'sessions-roll-over-often',
    panel: ['recovery', 11],
    example: { series: recoveries('rollOver'), firing: [{ labels: {}, value: '10' }] },
  },
  stream: {
    name: 'StreamsLost',
    severity: 'warn',
    expr: `${recovered('stream')} + ${q.increase('calls', { where: { reason: 'stream.lost' } })} > ${everyday}`,
    forMinutes: 0,
    summary: 'Calls lose their media streams',
    description: '{{ $value | humanize }} streams were lost within 5 minutes.',
    runbook: 'streams-lost',
    panel: ['recovery', 12],
    example: {
      series: [
        ...recoveries('stream'),
        counterOf('calls', { reason: 'stream.lost', served: 'no' }, { quiet: 0, fault: 0 }),
      ],
      firing: [{ labels: {}, value: '10' }],
    },
  },
  process: {
    name: 'ProcessLost',
    severity: 'page',
    expr: anyOf(
      recovered('process'),
      q.increase('orphansAdopted'),
      q.freshMeasured('recovery', { rung: 'process' }),
      q.fresh('orphansAdopted'),
    ),
    forMinutes: 0,
    summary: 'A process died with calls',
    description: 'Its calls went on in another process or after its restart.',
    runbook: 'process-lost',
    panel: ['recovery', 4],
    example: {
      series: [
        measuredOf('recovery', { rung: 'process' }, { quiet: 0, fault: 1 }),
        counterOf('orphansAdopted', {}, { quiet: 0, fault: 1 }),
      ],
      firing: [{ labels: {} }],
      inNewProcess: [freshMeasuredOf('recovery', { rung: 'process' }, 10)],
    },
  },
  move: {
    name: 'CallsMoved',
    severity: 'notice',
    expr: anyOf(recovered('move'), q.freshMeasured('recovery', { rung: 'move' })),
    forMinutes: 0,
    summary: 'Live calls moved to another process',
    description: '{{ $value | humanize }} calls moved within 5 minutes. A deploy does this on purpose.',
    runbook: 'calls-moved',
    panel: ['recovery', 14],
    example: {
      series: recoveries('move'),
      firing: [{ labels: {}, value: '10' }],
      inNewProcess: [freshMeasuredOf('recovery', { rung: 'move' }, 10)],
    },
  },
};

const slow: Alert = {
  name: 'RecoverySlow',
  severity: 'warn',
  expr: `${q.quantile(0.95, 'recovery', { by: ['rung'] })} > ${latencyTargets.recoveryTail.page}`,
  forMinutes: 2,
  summary: 'Calls take long to go on after a loss ({{ $labels.rung }})',
  description: 'One in twenty recoveries took more than {{ $value | humanizeDuration }}.',
  runbook: 'recovery-slow',
  panel: ['recovery', 6],
  example: {
    series: histogramOf('recovery', { rung: 'stream' }, { quiet: 0.3, fault: 9 }, 2),
    firing: [{ labels: { rung: 'stream' }, value: '9.8s' }],
  },
};

export const ladderRules: RuleGroup = {
  name: 'ladder',
  recordings: [],
  alerts: [...Object.values(rungAlerts), slow],
};
