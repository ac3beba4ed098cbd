/**
 * Owns: the alerts on what callers feel: slow answers, silence, gaps, replies and tools that fail, calls that are not
 * taken.
 * Does not own: thresholds (`../targets.ts`), the processes behind it (`causes.ts`).
 */
import { metrics } from '../../../src/telemetry/metrics/names.ts';
import { inRules as q, share } from '../promql.ts';
import { failureTargets, latencyTargets, mediaTargets } from '../targets.ts';
import { counterOf, histogramOf, measuredOf, type Series } from './example.ts';
import type { Alert, Recording, RuleGroup } from './rule.ts';

/** So few answers in 5 minutes make no quantile. */
const fewest = 10;

const voiceToVoice = (value: { quiet: number; fault: number }): Series[] =>
  histogramOf('voiceToVoice', { tool: 'no' }, value, 10);

const quantileName = (quantile: 'p50' | 'p95'): string =>
  `job:${metrics.voiceToVoice.name}:${quantile}_rate5m`;

const recordings: Recording[] = [
  {
    name: quantileName('p50'),
    expr: q.quantile(0.5, 'voiceToVoice'),
    example: { series: voiceToVoice({ quiet: 0.7, fault: 0.7 }), value: 0.7 },
  },
  {
    name: quantileName('p95'),
    expr: q.quantile(0.95, 'voiceToVoice'),
    example: { series: voiceToVoice({ quiet: 1.8, fault: 1.8 }), value: 1.975 },
  },
];

const slowAnswers = (
  [
    ['p50', 'Slow', latencyTargets.voiceToVoiceMedian, 'Half of the callers wait'],
    ['p95', 'TailSlow', latencyTargets.voiceToVoiceTail, 'One caller in twenty waits'],
  ] as const
).map(
  ([quantile, suffix, { page }, who]): Alert => ({
    name: `VoiceToVoice${suffix}`,
    severity: 'page',
    expr: `${quantileName(quantile)} > ${page} and on (job) (${q.measured('voiceToVoice')} > ${fewest})`,
    forMinutes: 10,
    summary: `${who} too long for an answer`,
    description: `${who} more than {{ $value | humanizeDuration }} for the first sound of an answer; ${page} s is where a conversation breaks.`,
    runbook: 'voice-to-voice-slow',
    panel: ['latency', 1],
    example: {
      series: voiceToVoice({ quiet: 0.7, fault: 4 }),
      firing: [{ labels: {}, value: quantile === 'p50' ? '4s' : '4.9s' }],
    },
  }),
);

const greetingSlow: Alert = {
  name: 'GreetingSlow',
  severity: 'page',
  expr: `${q.quantile(0.95, 'greeting')} > ${latencyTargets.greeting.page} and on (job) (${q.measured('greeting')} > ${fewest})`,
  forMinutes: 5,
  summary: 'Callers are met by silence',
  description: 'One caller in twenty waits more than {{ $value | humanizeDuration }} for the greeting.',
  runbook: 'greeting-slow',
  panel: ['latency', 4],
  example: {
    series: histogramOf('greeting', {}, { quiet: 0.7, fault: 4 }, 10),
    firing: [{ labels: {}, value: '4.9s' }],
  },
};

/** Of the time of open lines. */
const ofTheTime = (part: string): string => share(part, `5 * ${q.rate('windows')}`);
const openLines: Series = counterOf('windows', { issue: 'no' }, { quiet: 120, fault: 120 });

const deadAir: Alert = {
  name: 'DeadAir',
  severity: 'page',
  expr: `${ofTheTime(q.rate('deadAirSeconds'))} > ${mediaTargets.deadAir.warn}`,
  forMinutes: 5,
  summary: 'Callers hear nobody',
  description:
    'In {{ $value | humanizePercentage }} of the time of open lines nobody was heard for longer than is borne.',
  runbook: 'dead-air',
  panel: ['media', 12],
  example: {
    series: [openLines, counterOf('deadAirSeconds', {}, { quiet: 0, fault: 60 })],
    firing: [{ labels: {}, value: '10%' }],
  },
};

const mediaGaps: Alert = {
  name: 'MediaGaps',
  severity: 'warn',
  expr: `${ofTheTime(q.rate('gapSeconds'))} > ${mediaTargets.gaps.warn}`,
  forMinutes: 5,
  summary: 'Audio of callers is missing',
  description:
    '{{ $value | humanizePercentage }} of the audio of callers is missing by the line’s own timestamps.',
  runbook: 'media-gaps',
  panel: ['media', 4],
  example: {
    series: [openLines, counterOf('gapSeconds', {}, { quiet: 0, fault: 30 })],
    firing: [{ labels: {}, value: '5%' }],
  },
};

const mediaUnderruns: Alert = {
  name: 'MediaUnderruns',
  severity: 'warn',
  expr: `${ofTheTime(q.rate('underrunSeconds'))} > ${mediaTargets.underruns.warn}`,
  forMinutes: 5,
  summary: 'Replies stutter',
  description: 'Lines were dry inside replies in {{ $value | humanizePercentage }} of their time.',
  runbook: 'media-underruns',
  panel: ['media', 9],
  example: {
    series: [openLines, counterOf('underrunSeconds', {}, { quiet: 0, fault: 30 })],
    firing: [{ labels: {}, value: '5%' }],
  },
};

const mediaOverflows: Alert = {
  name: 'MediaOverflows',
  severity: 'warn',
  expr: `${q.increase('overflows', { by: ['direction'] })} > 0`,
  forMinutes: 0,
  summary: 'Audio is lost ({{ $labels.direction }})',
  description: 'The far side took too little, {{ $value | humanize }} times within 5 minutes.',
  runbook: 'media-overflows',
  panel: ['media', 14],
  example: {
    series: [counterOf('overflows', { direction: 'agent' }, { quiet: 0, fault: 1 })],
    firing: [{ labels: { direction: 'agent' }, value: '5' }],
  },
};

const barren = { status: { anyOf: ['failed', 'incomplete', 'empty'] } } as const;
const repliesFail: Alert = {
  name: 'RepliesFail',
  severity: 'page',
  expr: `${share(q.rate('replies', { where: barren }), q.rate('replies'))} > ${failureTargets.replies.page} and on (job) (${q.increase('replies')} > ${fewest})`,
  forMinutes: 2,
  summary: 'Replies of the model fail or are empty',
  description: '{{ $value | humanizePercentage }} of the replies brought their callers nothing.',
  runbook: 'replies-fail',
  panel: ['model', 2],
  example: {
    series: [
      counterOf('replies', { status: 'completed' }, { quiet: 10, fault: 8 }),
      counterOf('replies', { status: 'failed' }, { quiet: 0, fault: 1 }),
      counterOf('replies', { status: 'empty' }, { quiet: 0, fault: 1 }),
    ],
    firing: [{ labels: {}, value: '20%' }],
  },
};

const toolAlert = (name: string, outcome: 'failed' | 'timedOut', what: string): Alert => ({
  name,
  severity: 'warn',
  expr: `${share(q.measuredRate('tool', { by: ['tool'], where: { outcome } }), q.measuredRate('tool', { by: ['tool'] }))} > ${failureTargets.tools.page}`,
  forMinutes: 2,
  summary: `The tool {{ $labels.tool }} ${what}`,
  description: `It ${what} in {{ $value | humanizePercentage }} of its runs.`,
  runbook: 'tool-fails',
  panel: ['latency', 12],
  example: {
    series: [
      measuredOf('tool', { tool: 'look_up', outcome: 'completed' }, { quiet: 4, fault: 3 }),
      measuredOf('tool', { tool: 'look_up', outcome }, { quiet: 0, fault: 1 }),
    ],
    firing: [{ labels: { tool: 'look_up' }, value: '25%' }],
  },
});

/** A process that starts or drains declines on purpose: another one takes the call. */
const troubled = { cause: { not: ['starting', 'draining'] } } as const;
const callsDeclined: Alert = {
  name: 'CallsDeclined',
  severity: 'page',
  expr: `${q.increase('callsDeclined', { by: ['cause'], where: troubled })} > 0`,
  forMinutes: 0,
  summary: 'New callers are turned away ({{ $labels.cause }})',
  description: '{{ $value | humanize }} new calls within 5 minutes were not taken.',
  runbook: 'calls-declined',
  panel: ['calls', 9],
  example: {
    series: [
      counterOf('callsDeclined', { cause: 'full' }, { quiet: 0, fault: 2 }),
      counterOf('callsDeclined', { cause: 'draining' }, { quiet: 1, fault: 1 }),
    ],
    firing: [{ labels: { cause: 'full' }, value: '10' }],
  },
};

export const symptomRules: RuleGroup = {
  name: 'symptoms',
  recordings,
  alerts: [
    ...slowAnswers,
    greetingSlow,
    deadAir,
    mediaGaps,
    mediaUnderruns,
    mediaOverflows,
    repliesFail,
    toolAlert('ToolFails', 'failed', 'fails'),
    toolAlert('ToolTimesOut', 'timedOut', 'times out'),
    callsDeclined,
  ],
};
