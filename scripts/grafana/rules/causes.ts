/**
 * Owns: the alerts on processes and what they depend on, for what callers do not feel yet.
 * Does not own: what they feel (`symptoms.ts`).
 */
import { inRules as q } from '../promql.ts';
import { budgetUsed, capacityUsed, latencyTargets } from '../targets.ts';
import { counterOf, gaugeOf, goneDuringFault, histogramOf, measuredOf, upOf } from './example.ts';
import type { Alert, RuleGroup } from './rule.ts';

const byProcess = ['instance'] as const;
const one = { instance: 'one' } as const;

const presence: Alert[] = [
  {
    name: 'ServiceDown',
    severity: 'page',
    expr: `max by (job) (${q.ofProcess('up')}) == 0 or absent(${q.ofProcess('up')})`,
    forMinutes: 1,
    summary: 'No process of the service answers',
    description: 'No process answers the scraper: nobody takes calls, or nobody can see it.',
    runbook: 'service-down',
    panel: ['runtime', 3],
    example: { series: [goneDuringFault], firing: [{ labels: {} }], firesOnNothing: [{ labels: {} }] },
  },
  {
    name: 'InstanceDown',
    severity: 'warn',
    expr: `${q.ofProcess('up')} == 0`,
    forMinutes: 5,
    summary: 'The process {{ $labels.instance }} does not answer',
    description: 'It has not answered the scraper for 5 minutes.',
    runbook: 'instance-down',
    panel: ['runtime', 3],
    example: { series: [upOf({ quiet: 1, fault: 0 })], firing: [{ labels: one }] },
  },
  {
    name: 'DrainingTooLong',
    severity: 'warn',
    expr: `${q.gauges('max', 'ready', { by: byProcess })} == 0 and ${q.gauges('max', 'callsLive', { by: byProcess })} > 0`,
    forMinutes: 5,
    summary: 'The process {{ $labels.instance }} is not ready and still has calls',
    description: 'It has been starting or draining for 5 minutes with live calls.',
    runbook: 'draining-too-long',
    panel: ['runtime', 1],
    example: {
      series: [
        gaugeOf('ready', {}, { quiet: 1, fault: 0 }),
        gaugeOf('callsLive', {}, { quiet: 3, fault: 3 }),
      ],
      firing: [{ labels: one }],
    },
  },
  {
    name: 'AdmissionClosed',
    severity: 'page',
    expr: `${q.gauges('max', 'admission', { by: byProcess })} == 0 and ${q.gauges('max', 'ready', { by: byProcess })} == 1 unless ${q.gauges('max', 'capacityUsed', { by: byProcess })} >= 1 unless ${q.gauges('max', 'budgetUsed', { by: byProcess })} > ${budgetUsed.warn}`,
    forMinutes: 1,
    summary: 'The process {{ $labels.instance }} takes no new calls',
    description: 'It is ready, neither full nor past a budget, and yet a new call would be turned away.',
    runbook: 'admission-closed',
    panel: ['runtime', 2],
    example: {
      series: [
        gaugeOf('ready', {}, { quiet: 1, fault: 1 }),
        gaugeOf('admission', {}, { quiet: 1, fault: 0 }),
      ],
      firing: [{ labels: one }],
    },
  },
];

const room: Alert[] = [
  {
    name: 'CapacityShort',
    severity: 'warn',
    expr: `${q.gauges('avg', 'capacityUsed')} > ${capacityUsed.warn}`,
    forMinutes: 5,
    summary: 'There is little room for more calls',
    description:
      'The processes use {{ $value | humanizePercentage }} of what they may carry. Full, they turn new callers away.',
    runbook: 'capacity-short',
    panel: ['calls', 14],
    example: {
      series: [gaugeOf('capacityUsed', {}, { quiet: 0.5, fault: 0.9 })],
      firing: [{ labels: {}, value: '90%' }],
    },
  },
  {
    name: 'BudgetExceeded',
    severity: 'warn',
    expr: `${q.gauges('max', 'budgetUsed', { by: ['instance', 'budget'] })} > ${budgetUsed.page}`,
    forMinutes: 1,
    summary: 'The process {{ $labels.instance }} is past its budget ({{ $labels.budget }})',
    description:
      'It uses {{ $value | humanizePercentage }} of it, and takes no new calls. The live ones begin to suffer.',
    runbook: 'budget-exceeded',
    panel: ['calls', 16],
    example: {
      series: [gaugeOf('budgetUsed', { budget: 'audio' }, { quiet: 0.4, fault: 1.5 })],
      firing: [{ labels: { ...one, budget: 'audio' }, value: '150%' }],
    },
  },
];

const dependencyIsDown = (where: Parameters<typeof q.gauges<'dependencyUp'>>[2]): string =>
  `${q.gauges('max', 'dependencyUp', where)} == 0`;

const dependencies: Alert[] = [
  {
    name: 'DependencyDown',
    severity: 'page',
    expr: dependencyIsDown({ by: ['dependency'], where: { dependency: { not: ['webhooks'] } } }),
    forMinutes: 2,
    summary: 'The dependency {{ $labels.dependency }} does not answer',
    description: 'No process has had an answer for 2 minutes. Live calls go on as far as they can.',
    runbook: 'dependency-down',
    panel: ['runtime', 5],
    example: {
      series: [gaugeOf('dependencyUp', { dependency: 'model' }, { quiet: 1, fault: 0 })],
      firing: [{ labels: { dependency: 'model' } }],
    },
  },
  {
    name: 'WebhooksPointElsewhere',
    severity: 'page',
    expr: dependencyIsDown({ where: { dependency: 'webhooks' } }),
    forMinutes: 2,
    summary: 'The calls of the number do not come here',
    description: 'The voice URL of the number names another address than this service’s.',
    runbook: 'webhooks-point-elsewhere',
    panel: ['runtime', 5],
    example: {
      series: [gaugeOf('dependencyUp', { dependency: 'webhooks' }, { quiet: 1, fault: 0 })],
      firing: [{ labels: {} }],
    },
  },
];

const journal: Alert[] = [
  {
    name: 'JournalStalled',
    severity: 'page',
    expr: `${q.gauges('max', 'journalStalled', { by: byProcess })} > ${latencyTargets.journalStall.page}`,
    forMinutes: 0,
    summary: 'The journal does not take entries ({{ $labels.instance }})',
    description:
      'The oldest entry has waited for {{ $value | humanizeDuration }}. After a minute calls end with an apology.',
    runbook: 'journal-stalled',
    panel: ['runtime', 9],
    example: {
      series: [gaugeOf('journalStalled', {}, { quiet: 0, fault: 8 })],
      firing: [{ labels: one, value: '8s' }],
    },
  },
  {
    name: 'JournalAppendsFail',
    severity: 'warn',
    expr: `${q.measured('journalAppend', { by: byProcess, where: { outcome: 'failed' } })} > 0`,
    forMinutes: 0,
    summary: 'Appends to the journal fail ({{ $labels.instance }})',
    description: '{{ $value | humanize }} appends failed within 5 minutes and are tried again.',
    runbook: 'journal-stalled',
    panel: ['latency', 17],
    example: {
      series: [measuredOf('journalAppend', { outcome: 'failed' }, { quiet: 0, fault: 2 })],
      firing: [{ labels: one, value: '10' }],
    },
  },
];

const process: Alert[] = [
  {
    name: 'EventLoopSlow',
    severity: 'warn',
    expr: `${q.quantile(0.99, 'loopDelay', { by: byProcess })} > ${latencyTargets.loopDelayTail.page}`,
    forMinutes: 5,
    summary: 'The process {{ $labels.instance }} is too busy for audio',
    description:
      'One timer in a hundred ran {{ $value | humanizeDuration }} late or more. A frame of audio is 20 ms.',
    runbook: 'event-loop-slow',
    panel: ['runtime', 7],
    example: {
      series: histogramOf('loopDelay', {}, { quiet: 0.004, fault: 0.3 }, 3_000),
      firing: [{ labels: one, value: '497.5ms' }],
    },
  },
  {
    name: 'ClockSkewed',
    severity: 'warn',
    expr: `max by (job, instance) (abs(${q.gauge('clockSkew')})) > 1`,
    forMinutes: 5,
    summary: 'The clock of {{ $labels.instance }} is wrong',
    description: 'It is {{ $value | humanizeDuration }} from the journal’s.',
    runbook: 'clock-skewed',
    panel: ['runtime', 11],
    example: {
      series: [gaugeOf('clockSkew', {}, { quiet: 0, fault: -3 })],
      firing: [{ labels: one, value: '3s' }],
    },
  },
  {
    name: 'WorkerLost',
    severity: 'warn',
    expr: `${q.increase('workersLost', { by: byProcess })} > 0`,
    forMinutes: 0,
    summary: 'A worker of {{ $labels.instance }} ended by itself',
    description:
      '{{ $value | humanize }} times within 5 minutes. It is started anew; its calls go on in the others.',
    runbook: 'process-lost',
    panel: ['runtime', 20],
    example: {
      series: [counterOf('workersLost', {}, { quiet: 0, fault: 1 })],
      firing: [{ labels: one, value: '5' }],
    },
  },
  {
    name: 'SpansDropped',
    severity: 'notice',
    expr: `${q.increase('tracesDropped', { by: byProcess })} > 0`,
    forMinutes: 10,
    summary: 'Traces are lost ({{ $labels.instance }})',
    description: 'No collector took {{ $value | humanize }} spans within 5 minutes. Calls are not affected.',
    runbook: 'spans-dropped',
    panel: ['runtime', 12],
    example: {
      series: [counterOf('tracesDropped', {}, { quiet: 0, fault: 10 })],
      firing: [{ labels: one, value: '50' }],
    },
  },
];

export const causeRules: RuleGroup = {
  name: 'causes',
  recordings: [],
  alerts: [...presence, ...room, ...dependencies, ...journal, ...process],
};
