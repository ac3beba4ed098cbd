/** Owns: the board of calls: is the line healthy? Does not own: how panels look (`../panel.ts`). */
import { boards, metrics } from '../../../src/telemetry/metrics/names.ts';
import type { Board } from '../board.ts';
import { bestAtLeast, worseAbove, worseAt, worseThanNone } from '../panel.ts';
import { onBoards as q, share } from '../promql.ts';
import { budgetUsed, capacityUsed, goals, latencyTargets } from '../targets.ts';

const inRange = q.over('$__range');
const minute = (expr: string): string => `60 * ${expr}`;

/** Regions of the call chart that say where a call is. */
const regions = boards.calls.callsInState.labels.region;

export const callsBoard: Board = {
  name: 'calls',
  title: 'Holdfast: calls',
  question: 'Is the line healthy? Goals, calls, and what became of them.',
  rows: [
    {
      title: 'Goals',
      panels: [
        {
          id: 1,
          view: 'stat',
          title: 'Callers served to the end',
          question: `Which share of the calls that ended in this time had their callers served to the end? The goal is ${goals.callCompletion}.`,
          unit: 'percentunit',
          queries: [
            {
              expr: share(inRange.increase('calls', { where: { served: 'yes' } }), inRange.increase('calls')),
              legend: 'served',
            },
          ],
          thresholds: bestAtLeast(goals.callCompletion),
        },
        {
          id: 2,
          view: 'stat',
          title: 'Served since the start of the process',
          question: 'What does the process with the worst share say of all its calls so far?',
          unit: 'percentunit',
          queries: [{ expr: q.gauges('min', 'callCompletion'), legend: 'worst process' }],
          thresholds: bestAtLeast(goals.callCompletion),
        },
        {
          id: 3,
          view: 'stat',
          title: 'Live calls',
          question: 'How many callers are on the line now?',
          unit: 'short',
          queries: [{ expr: q.gauges('sum', 'callsLive'), legend: 'live' }],
        },
        {
          id: 4,
          view: 'stat',
          title: 'Voice to voice, median',
          question: 'How long does a caller wait for the first sound of an answer, in the last minutes?',
          unit: 's',
          queries: [{ expr: inRange.quantile(0.5, 'voiceToVoice'), legend: 'p50', exemplars: true }],
          thresholds: worseAbove(latencyTargets.voiceToVoiceMedian),
        },
        {
          id: 5,
          view: 'graph',
          title: 'Callers who were not served to the end',
          question:
            'How fast is the budget of the goal spent? At 1 it lasts exactly its time; from 14.4 on somebody is woken.',
          unit: 'short',
          queries: (['5m', '1h'] as const).map((window) => ({
            expr: `(1 - job:${metrics.callCompletion.name}:rate${window}{job=~"$job"}) / ${budgetOf(goals.callCompletion)}`,
            legend: `{{job}} over ${window}`,
          })),
          thresholds: worseAt(14.4),
          width: 12,
        },
        {
          id: 6,
          view: 'stacked',
          title: 'Alerts that fire',
          question: 'What was wrong when?',
          unit: 'short',
          queries: [
            {
              expr: 'sum by (alertname) (ALERTS{alertstate="firing", service="holdfast"})',
              legend: '{{alertname}}',
            },
          ],
          width: 12,
        },
      ],
    },
    {
      title: 'Calls',
      panels: [
        {
          id: 7,
          view: 'stacked',
          title: 'Live calls by process',
          question: 'Who has how many calls, and did they move?',
          unit: 'short',
          queries: [{ expr: q.gauges('sum', 'callsLive', { by: ['instance'] }), legend: '{{instance}}' }],
        },
        {
          id: 8,
          view: 'stacked',
          title: 'Calls that ended, by reason',
          question: 'Why do calls end?',
          unit: 'cpm',
          queries: [{ expr: `${minute(q.rate('calls', { by: ['reason'] }))} > 0`, legend: '{{reason}}' }],
        },
        {
          id: 9,
          view: 'graph',
          title: 'Calls that were not taken',
          question: 'Which new calls heard the busy message or the fallback, and why?',
          unit: 'cpm',
          queries: [{ expr: minute(q.rate('callsDeclined', { by: ['cause'] })), legend: '{{cause}}' }],
          thresholds: worseThanNone,
        },
        {
          id: 10,
          view: 'graph',
          title: 'How long calls last',
          question: 'Do calls end sooner than they should?',
          unit: 's',
          queries: [0.5, 0.95].map((quantile) => ({
            expr: q.quantile(quantile, 'callDuration'),
            legend: `p${quantile * 100}`,
            exemplars: true,
          })),
        },
        {
          id: 11,
          view: 'stacked',
          title: 'Turns, by what became of them',
          question: 'Are callers answered, or do they speak into the void?',
          unit: 'cpm',
          queries: [{ expr: minute(q.rate('turns', { by: ['outcome'] })), legend: '{{outcome}}' }],
        },
        {
          id: 12,
          view: 'stacked',
          title: 'Callers handed on',
          question: 'Are callers put through, and does somebody answer?',
          unit: 'cpm',
          queries: [{ expr: minute(q.rate('transfers', { by: ['outcome'] })), legend: '{{outcome}}' }],
        },
      ],
    },
    {
      title: 'Room for more',
      panels: [
        {
          id: 14,
          view: 'graph',
          title: 'Capacity in use',
          question: 'How full is each process? At 1 it takes no new call. Without CALLS_LIMIT it stays at 0.',
          unit: 'percentunit',
          queries: [
            { expr: q.gauges('max', 'capacityUsed', { by: ['instance'] }), legend: '{{instance}}' },
            { expr: q.gauges('avg', 'capacityUsed'), legend: 'all together' },
          ],
          thresholds: worseAbove(capacityUsed),
        },
        {
          id: 15,
          view: 'graph',
          title: 'New calls that were passed on',
          question: 'With which new calls was the balancer sent to another process, and why?',
          unit: 'cpm',
          queries: [{ expr: minute(q.rate('callsPassedOn', { by: ['cause'] })), legend: '{{cause}}' }],
        },
        {
          id: 16,
          view: 'graph',
          title: 'Budgets in use',
          question:
            'How near is each process to what it may add to audio, to the delay of its event loop, to its memory, to suffering calls? Beyond 1 it takes no new call.',
          unit: 'percentunit',
          queries: [
            {
              expr: q.gauges('max', 'budgetUsed', { by: ['instance', 'budget'] }),
              legend: '{{instance}} {{budget}}',
            },
          ],
          thresholds: worseAbove(budgetUsed),
        },
      ],
    },
    {
      title: 'Where calls are',
      panels: [
        ...regions.map((region, index) => ({
          id: 20 + index,
          view: 'stacked' as const,
          title: `Region ${region}`,
          question: `In which state of the region ${region} are the live calls, and is any of them stuck?`,
          unit: 'short' as const,
          queries: [
            {
              expr: q.gauges('sum', 'callsInState', { by: ['state'], where: { region } }),
              legend: '{{state}}',
            },
          ],
        })),
        {
          id: 13,
          view: 'stacked',
          title: 'Entries of calls, the ten most frequent',
          question: 'What happens in the calls, and is one kind of entry running wild?',
          unit: 'ops',
          queries: [{ expr: `topk(10, ${q.rate('entries', { by: ['type'] })})`, legend: '{{type}}' }],
          width: 24,
        },
      ],
    },
  ],
};

/** As the rule has it, without the noise of binary fractions. */
function budgetOf(goal: number): number {
  return Number((1 - goal).toFixed(6));
}
