/** Owns: the board of media: is the audio clean? Does not own: how panels look (`../panel.ts`). */
import { boards } from '../../../src/telemetry/metrics/names.ts';
import type { Board } from '../board.ts';
import { byOpinion, worseAbove, worseAt, worseThanNone } from '../panel.ts';
import { type CounterName, onBoards as q, share } from '../promql.ts';
import { goals, mediaTargets } from '../targets.ts';
import { heat, quantiles } from './latency.ts';

/** Seconds in which lines were open. */
const lineSeconds = `5 * ${q.rate('windows')}`;

const ofTheTime = (name: CounterName): string => share(q.rate(name), lineSeconds);

const minute = (expr: string): string => `60 * ${expr}`;

export const mediaBoard: Board = {
  name: 'media',
  title: 'Holdfast: media',
  question:
    'Is the audio clean, both ways? What is seen here is our leg; the phone network beyond the carrier is not.',
  rows: [
    {
      title: 'Goal',
      panels: [
        {
          id: 1,
          view: 'graph',
          title: 'Windows in which audio suffered',
          question: `Which share of the windows of 5 s had a gap, an underrun or an overflow? The goal is under ${goals.mediaIssue}.`,
          unit: 'percentunit',
          queries: [
            {
              expr: share(q.rate('windows', { where: { issue: 'yes' } }), q.rate('windows')),
              legend: 'suffered',
            },
          ],
          thresholds: worseAt(goals.mediaIssue),
        },
        {
          id: 2,
          view: 'stat',
          title: 'Suffered since the start of the process',
          question: 'What does the process with the worst share say of all its calls so far?',
          unit: 'percentunit',
          queries: [{ expr: q.gauges('max', 'mediaIssue'), legend: 'worst process' }],
          thresholds: worseAt(goals.mediaIssue),
          width: 8,
        },
        {
          id: 3,
          view: 'graph',
          title: 'Estimated opinion score of our leg',
          question:
            'Would callers be satisfied with our leg? Estimated by ITU-T G.107 from gaps and jitter alone.',
          unit: 'none',
          queries: [0.05, 0.5].map((quantile) => ({
            expr: q.quantile(quantile, 'estimatedMos'),
            legend: `p${quantile * 100}`,
          })),
          thresholds: byOpinion,
        },
      ],
    },
    {
      title: 'Callers’ audio',
      panels: [
        {
          id: 4,
          view: 'graph',
          title: 'Missing audio of callers',
          question: 'Which share of the time of open lines is missing by the line’s own timestamps?',
          unit: 'percentunit',
          queries: [{ expr: ofTheTime('gapSeconds'), legend: 'missing' }],
          thresholds: worseAbove(mediaTargets.gaps),
        },
        {
          id: 5,
          view: 'graph',
          title: 'Gaps',
          question: 'How often does the line skip?',
          unit: 'cpm',
          queries: [{ expr: minute(q.rate('gaps')), legend: 'gaps' }],
          thresholds: worseThanNone,
        },
        {
          id: 6,
          view: 'graph',
          title: 'Jitter',
          question: 'How unevenly does callers’ audio arrive?',
          unit: 's',
          queries: quantiles('jitter'),
        },
        heat(7, 'Jitter, every window', 'Is the network uneven for all calls or for some?', 'jitter'),
        {
          id: 8,
          view: 'graph',
          title: 'Pieces of audio',
          question: 'Does audio flow both ways? Callers’ lines bring 50 a second each.',
          unit: 'ops',
          queries: [{ expr: q.rate('frames', { by: ['direction'] }), legend: '{{direction}}' }],
          width: 12,
        },
      ],
    },
    {
      title: 'The agent’s audio',
      panels: [
        {
          id: 9,
          view: 'graph',
          title: 'Dry lines inside replies',
          question: 'Which share of the time of open lines was the line dry in the middle of a reply?',
          unit: 'percentunit',
          queries: [{ expr: ofTheTime('underrunSeconds'), legend: 'dry' }],
          thresholds: worseAbove(mediaTargets.underruns),
        },
        {
          id: 10,
          view: 'graph',
          title: 'Underruns and interruptions',
          question: 'How often does a line run dry, and how often does a caller cut a reply short?',
          unit: 'cpm',
          queries: [
            { expr: minute(q.rate('underruns')), legend: 'underruns' },
            { expr: minute(q.rate('interruptions')), legend: 'interruptions' },
          ],
        },
        {
          id: 11,
          view: 'graph',
          title: 'Longest queue of a line',
          question: 'How far ahead of the caller’s ear is the model?',
          unit: 's',
          queries: [{ expr: q.gauges('max', 'playbackQueue', { by: ['instance'] }), legend: '{{instance}}' }],
        },
      ],
    },
    {
      title: 'Silence and loss',
      panels: [
        {
          id: 12,
          view: 'graph',
          title: 'Dead air',
          question: 'Which share of the time of open lines was nobody heard for longer than is borne?',
          unit: 'percentunit',
          queries: [{ expr: ofTheTime('deadAirSeconds'), legend: 'dead air' }],
          thresholds: worseAbove(mediaTargets.deadAir),
        },
        {
          id: 13,
          view: 'graph',
          title: 'Holding sounds',
          question: 'How often does a soft sound bridge a silence?',
          unit: 'cpm',
          queries: [{ expr: minute(q.rate('holdingSounds')), legend: 'holding sounds' }],
        },
        {
          id: 14,
          view: 'graph',
          title: 'Overflows',
          question: 'How often is audio lost because the far side takes too little?',
          unit: 'cpm',
          queries: [{ expr: minute(q.rate('overflows', { by: ['direction'] })), legend: '{{direction}}' }],
          thresholds: worseThanNone,
        },
        {
          id: 15,
          view: 'graph',
          title: 'Audio lost in overflows',
          question: 'How much of it is lost, in seconds a second?',
          unit: 's',
          queries: boards.media.lostSeconds.labels.direction.map((direction) => ({
            expr: q.rate('lostSeconds', { where: { direction } }),
            legend: direction,
          })),
          thresholds: worseThanNone,
        },
      ],
    },
  ],
};
