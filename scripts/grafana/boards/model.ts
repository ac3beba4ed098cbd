/** Owns: the board of the model and its cost. Does not own: how panels look (`../panel.ts`). */
import type { Board } from '../board.ts';
import { worseAbove, worseThanNone } from '../panel.ts';
import { onBoards as q, share } from '../promql.ts';
import { failureTargets } from '../targets.ts';

const inRange = q.over('$__range');
const minute = (expr: string): string => `60 * ${expr}`;
const hour = (expr: string): string => `3600 * ${expr}`;

export const modelBoard: Board = {
  name: 'model',
  title: 'Holdfast: model and cost',
  question: 'Does the model answer, and what does it cost?',
  rows: [
    {
      title: 'Replies',
      panels: [
        {
          id: 1,
          view: 'stacked',
          title: 'Replies, by status',
          question: 'What becomes of the replies? A cancelled one was cut short by its caller.',
          unit: 'cpm',
          queries: [{ expr: minute(q.rate('replies', { by: ['status'] })), legend: '{{status}}' }],
        },
        {
          id: 2,
          view: 'graph',
          title: 'Replies that failed or were empty',
          question: 'Which share of the replies brings the caller nothing?',
          unit: 'percentunit',
          queries: [
            {
              expr: share(
                q.rate('replies', { where: { status: { anyOf: ['failed', 'incomplete', 'empty'] } } }),
                q.rate('replies'),
              ),
              legend: 'failed or empty',
            },
          ],
          thresholds: worseAbove(failureTargets.replies),
        },
        {
          id: 3,
          view: 'graph',
          title: 'Sessions that ended',
          question: 'Does the service close sessions, and can trying again help?',
          unit: 'cpm',
          queries: [{ expr: minute(q.rate('modelCloses', { by: ['reaction'] })), legend: '{{reaction}}' }],
        },
        {
          id: 4,
          view: 'stacked',
          title: 'Oddities',
          question: 'What went wrong in sessions that went on?',
          unit: 'cpm',
          queries: [{ expr: minute(q.rate('modelOddities', { by: ['kind'] })), legend: '{{kind}}' }],
          thresholds: worseThanNone,
        },
      ],
    },
    {
      title: 'Cost',
      panels: [
        {
          id: 5,
          view: 'stat',
          title: 'Cost in this time',
          question: 'What did the model cost by the configured prices?',
          unit: 'currencyUSD',
          queries: [{ expr: inRange.increase('cost'), legend: 'cost' }],
        },
        {
          id: 6,
          view: 'stat',
          title: 'Cost of a call',
          question: 'What did a call cost on average?',
          unit: 'currencyUSD',
          queries: [{ expr: share(inRange.increase('cost'), inRange.increase('calls')), legend: 'a call' }],
        },
        {
          id: 7,
          view: 'stat',
          title: 'Input from the cache',
          question: 'Which share of the input was billed at the price of cached tokens?',
          unit: 'percentunit',
          queries: [
            {
              expr: share(
                inRange.increase('tokens', { where: { direction: 'input', cached: 'yes' } }),
                inRange.increase('tokens', { where: { direction: 'input' } }),
              ),
              legend: 'cached',
            },
          ],
        },
        {
          id: 8,
          view: 'stacked',
          title: 'Cost an hour',
          question: 'What costs: what the model hears, or what it says?',
          unit: 'currencyUSD',
          queries: [
            {
              expr: hour(q.rate('cost', { by: ['direction', 'modality'] })),
              legend: '{{direction}} {{modality}}',
            },
          ],
          width: 12,
        },
        {
          id: 9,
          view: 'stacked',
          title: 'Tokens a minute',
          question: 'How many tokens are billed, of which kind?',
          unit: 'short',
          queries: [
            {
              expr: minute(q.rate('tokens', { by: ['direction', 'modality', 'cached'] })),
              legend: '{{direction}} {{modality}} cached {{cached}}',
            },
          ],
          width: 12,
        },
      ],
    },
  ],
};
