/** Owns: the board of recovery: what is lost, and does it come back in time? Does not own: how panels look (`../panel.ts`). */
import { rungs } from '../../../src/telemetry/metrics/names.ts';
import type { Board } from '../board.ts';
import { worseAbove, worseThanNone } from '../panel.ts';
import { onBoards as q } from '../promql.ts';
import { latencyTargets } from '../targets.ts';
import { heat, quantiles } from './latency.ts';

const nameOf: Record<(typeof rungs)[number], string> = {
  model: 'model session',
  rollOver: 'announced end of a session',
  stream: 'media stream',
  process: 'process',
  move: 'move to another process',
};

export const recoveryBoard: Board = {
  name: 'recovery',
  title: 'Holdfast: recovery',
  question: 'What is lost, how often, and how long does it take until the call goes on?',
  rows: [
    {
      title: 'Losses',
      panels: [
        {
          id: 1,
          view: 'stacked',
          title: 'Losses, by what was lost',
          question: 'What do calls lose? Moves and roll-overs are on purpose.',
          unit: 'cpm',
          queries: [{ expr: `60 * ${q.rate('losses', { by: ['rung'] })}`, legend: '{{rung}}' }],
          width: 12,
        },
        {
          id: 2,
          view: 'stacked',
          title: 'Losses, by cause',
          question: 'Why are they lost?',
          unit: 'cpm',
          queries: [
            { expr: `60 * ${q.rate('losses', { by: ['rung', 'cause'] })}`, legend: '{{rung}} {{cause}}' },
          ],
          width: 12,
        },
        {
          id: 3,
          view: 'graph',
          title: 'Streams that brought nothing',
          question: 'Do streams look alive and bring no audio?',
          unit: 'cpm',
          queries: [{ expr: `60 * ${q.rate('mediaStarved')}`, legend: 'starved' }],
          thresholds: worseThanNone,
        },
        {
          id: 4,
          view: 'graph',
          title: 'Calls of dead processes',
          question: 'Did a process die, and who went on with its calls?',
          unit: 'cpm',
          queries: [
            { expr: `60 * ${q.rate('orphansAdopted', { by: ['instance'] })}`, legend: '{{instance}}' },
          ],
          thresholds: worseThanNone,
        },
        {
          id: 5,
          view: 'graph',
          title: 'Calls that another process took',
          question: 'Do calls leave this process? Outside a deploy they should not.',
          unit: 'cpm',
          queries: [{ expr: `60 * ${q.rate('callsYielded', { by: ['instance'] })}`, legend: '{{instance}}' }],
        },
      ],
    },
    {
      title: 'Recoveries',
      panels: [
        {
          id: 6,
          view: 'graph',
          title: 'Time until the call goes on',
          question: 'How long does the caller bear it, by what was lost?',
          unit: 's',
          queries: quantiles('recovery', { by: ['rung'] }, [0.95]),
          thresholds: worseAbove(latencyTargets.recoveryTail),
          width: 12,
        },
        heat(
          7,
          'Time until the call goes on, every one',
          'Is it slow for all or for some? A dot leads to the trace of one call.',
          'recovery',
        ),
        ...rungs.map((rung, index) => ({
          id: 10 + index,
          view: 'graph' as const,
          title: `Recoveries: ${nameOf[rung]}`,
          question: `How often do calls go on after the loss of a ${nameOf[rung]}?`,
          unit: 'cpm' as const,
          queries: [{ expr: `60 * ${q.measuredRate('recovery', { where: { rung } })}`, legend: rung }],
        })),
      ],
    },
  ],
};
