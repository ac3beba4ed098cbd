/** Owns: the board of turn latency: where did the time go? Does not own: how panels look (`../panel.ts`). */
import type { Board } from '../board.ts';
import { type Panel, type Query, type Threshold, worseAbove } from '../panel.ts';
import { type Choice, type HistogramName, onBoards as q } from '../promql.ts';
import { latencyTargets } from '../targets.ts';

const common = [0.5, 0.95] as const;

/** Traces hang on the buckets: exemplars are shown on every quantile. */
export const quantiles = <Name extends HistogramName>(
  name: Name,
  choice: Choice<Name> = {},
  shares: readonly number[] = common,
): Query[] =>
  shares.map((share) => ({
    expr: q.quantile(share, name, choice),
    legend: [`p${share * 100}`, ...(choice.by ?? []).map((label) => `{{${label}}}`)].join(' '),
    exemplars: true,
  }));

const seconds = (
  id: number,
  title: string,
  question: string,
  queries: readonly Query[],
  thresholds?: readonly Threshold[],
): Panel => ({
  id,
  view: 'graph',
  title,
  question,
  unit: 's',
  queries,
  ...(thresholds ? { thresholds } : {}),
});

export const heat = (id: number, title: string, question: string, name: HistogramName): Panel => ({
  id,
  view: 'heatmap',
  title,
  question,
  unit: 's',
  queries: [{ expr: q.buckets(name), legend: '{{le}}', exemplars: true }],
});

export const latencyBoard: Board = {
  name: 'latency',
  title: 'Holdfast: turn latency',
  question: 'How long do callers wait for an answer, and where does the time go?',
  rows: [
    {
      title: 'What the caller feels',
      panels: [
        {
          ...seconds(
            1,
            'Voice to voice',
            'How long is it from the end of the caller’s last word to the first sound of the answer? Median under 0.8 s is human.',
            quantiles('voiceToVoice', {}, [0.5, 0.95, 0.99]),
            worseAbove(latencyTargets.voiceToVoiceTail),
          ),
          width: 12,
        },
        heat(
          2,
          'Voice to voice, every answer',
          'Is it slow for all or for some? A dot leads to the trace of one call.',
          'voiceToVoice',
        ),
        seconds(
          3,
          'Voice to voice, with and without a tool',
          'Are answers slow because a tool is asked?',
          quantiles('voiceToVoice', { by: ['tool'] }),
        ),
        seconds(
          4,
          'Greeting',
          'How long is a caller met by silence?',
          quantiles('greeting'),
          worseAbove(latencyTargets.greeting),
        ),
        seconds(
          5,
          'Barge-in',
          'How long does the agent go on, as far as we decide it, after the model said that the caller speaks?',
          quantiles('bargeIn'),
          worseAbove(latencyTargets.bargeIn),
        ),
      ],
    },
    {
      title: 'Where the time goes',
      panels: [
        seconds(
          6,
          'End of turn',
          'How long does turn detection wait before it says that the caller is done?',
          quantiles('endOfTurn'),
          worseAbove(latencyTargets.endOfTurnMedian),
        ),
        seconds(
          7,
          'First sound of the model',
          'How long does the model take from the start of a reply to its first sound?',
          quantiles('modelFirstAudio'),
          worseAbove(latencyTargets.modelFirstAudioMedian),
        ),
        seconds(
          8,
          'Answer without the wait of turn detection',
          'What is left once the wait for the end of the turn is taken off?',
          quantiles('answer', { by: ['tool'] }),
        ),
        heat(
          9,
          'First sound of the model, every reply',
          'Is the model slow for all or for some?',
          'modelFirstAudio',
        ),
        heat(10, 'End of turn, every turn', 'Do some callers wait longer for turn detection?', 'endOfTurn'),
        seconds(
          11,
          'Tools',
          'Which tool keeps callers waiting?',
          quantiles('tool', { by: ['tool'] }, [0.95]),
        ),
        {
          id: 12,
          view: 'stacked',
          title: 'Tools, by outcome',
          question: 'Which tools fail or time out?',
          unit: 'cpm',
          queries: [
            {
              expr: `60 * ${q.measuredRate('tool', { by: ['tool', 'outcome'] })}`,
              legend: '{{tool}} {{outcome}}',
            },
          ],
        },
        seconds(
          13,
          'Model connections',
          'How long does it take to open a session?',
          quantiles('modelConnect'),
          worseAbove(latencyTargets.modelConnectTail),
        ),
      ],
    },
    {
      title: 'Below it',
      panels: [
        seconds(
          14,
          'Mark round trip',
          'How much later than it should does the carrier say that audio was played? This is network and queues at the carrier.',
          quantiles('markRoundTrip'),
        ),
        seconds(
          15,
          'Bridge',
          'How long does a piece of audio stay in this process?',
          quantiles('bridge', { by: ['direction'] }, [0.5, 0.99]),
        ),
        seconds(
          16,
          'Journal appends',
          'How long does an entry wait for its durability?',
          quantiles('journalAppend', { by: ['outcome'] }, [0.5, 0.99]),
        ),
        {
          id: 17,
          view: 'stacked',
          title: 'Journal appends, by outcome',
          question: 'Does the journal refuse entries, or do two processes write one call?',
          unit: 'ops',
          queries: [{ expr: q.measuredRate('journalAppend', { by: ['outcome'] }), legend: '{{outcome}}' }],
        },
        seconds(
          18,
          'Webhooks',
          'How long does the carrier wait for our answers?',
          quantiles('webhook', { by: ['route'] }, [0.95]),
        ),
        {
          id: 19,
          view: 'stacked',
          title: 'Webhooks, by status',
          question: 'Which of the carrier’s requests do we refuse or fail?',
          unit: 'cpm',
          queries: [
            {
              expr: `60 * ${q.measuredRate('webhook', { by: ['route', 'status'] })}`,
              legend: '{{route}} {{status}}',
            },
          ],
        },
      ],
    },
  ],
};
