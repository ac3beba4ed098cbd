/** Owns: the board of the runtime: is the process well? Does not own: how panels look (`../panel.ts`). */
import type { Board } from '../board.ts';
import { bestAtLeast, worseAbove, worseAt, worseThanNone } from '../panel.ts';
import { type GaugeName, onBoards as q } from '../promql.ts';
import { latencyTargets } from '../targets.ts';
import { heat, quantiles } from './latency.ts';

const byInstance = (name: GaugeName) => [
  { expr: q.gauges('max', name, { by: ['instance'] }), legend: '{{instance}}' },
];

export const runtimeBoard: Board = {
  name: 'runtime',
  title: 'Holdfast: runtime',
  question: 'Are the processes and what they depend on well?',
  rows: [
    {
      title: 'Processes',
      panels: [
        {
          id: 1,
          view: 'timeline',
          title: 'Ready',
          question: 'Which processes take new calls, and since when?',
          unit: 'bool_yes_no',
          queries: byInstance('ready'),
          thresholds: bestAtLeast(1),
          width: 8,
        },
        {
          id: 2,
          view: 'timeline',
          title: 'Admission',
          question: 'Would a new call be taken now?',
          unit: 'bool_yes_no',
          queries: byInstance('admission'),
          thresholds: bestAtLeast(1),
          width: 8,
        },
        {
          id: 3,
          view: 'timeline',
          title: 'Scraped',
          question: 'Which processes answer the scraper?',
          unit: 'bool_yes_no',
          queries: [{ expr: `max by (instance) (${q.ofProcess('up')})`, legend: '{{instance}}' }],
          thresholds: bestAtLeast(1),
          width: 8,
        },
        {
          id: 4,
          view: 'graph',
          title: 'Versions',
          question: 'What runs? Two versions at once are a deploy.',
          unit: 'short',
          queries: [
            {
              expr: q.gauges('sum', 'build', { by: ['version', 'chart'] }),
              legend: '{{version}}, chart {{chart}}',
            },
          ],
        },
        {
          id: 5,
          view: 'timeline',
          title: 'Dependencies',
          question: 'Which dependency did not answer when it was last looked at?',
          unit: 'bool_yes_no',
          queries: [
            { expr: q.gauges('min', 'dependencyUp', { by: ['dependency'] }), legend: '{{dependency}}' },
          ],
          thresholds: bestAtLeast(1),
          width: 8,
        },
        {
          id: 6,
          view: 'graph',
          title: 'Latency of dependencies',
          question: 'How long did the last answer of each take?',
          unit: 's',
          queries: [
            { expr: q.gauges('max', 'dependencySeconds', { by: ['dependency'] }), legend: '{{dependency}}' },
          ],
        },
      ],
    },
    {
      title: 'Event loop and journal',
      panels: [
        {
          id: 7,
          view: 'graph',
          title: 'Event loop delay',
          question: 'How much later than asked do timers run? A frame of audio is 20 ms.',
          unit: 's',
          queries: quantiles('loopDelay', { by: ['instance'] }, [0.5, 0.99]),
          thresholds: worseAbove(latencyTargets.loopDelayTail),
        },
        {
          ...heat(8, 'Event loop delay, every sample', 'Is it always slow, or now and then?', 'loopDelay'),
          width: 8,
        },
        {
          id: 9,
          view: 'graph',
          title: 'Oldest entry that waits for the journal',
          question: 'Is the journal stalled?',
          unit: 's',
          queries: byInstance('journalStalled'),
          thresholds: worseAbove(latencyTargets.journalStall),
        },
        {
          id: 10,
          view: 'graph',
          title: 'Entries that wait for the journal',
          question: 'Does the journal keep up?',
          unit: 'short',
          queries: byInstance('journalQueue'),
        },
        {
          id: 11,
          view: 'graph',
          title: 'Clock skew',
          question: 'How far is this host’s clock from the journal’s?',
          unit: 's',
          queries: [{ expr: `max by (instance) (abs(${q.gauge('clockSkew')}))`, legend: '{{instance}}' }],
          thresholds: worseAt(1),
        },
        {
          id: 12,
          view: 'graph',
          title: 'Spans that no collector took',
          question: 'Are traces lost?',
          unit: 'ops',
          queries: [{ expr: q.rate('tracesDropped', { by: ['instance'] }), legend: '{{instance}}' }],
          thresholds: worseThanNone,
        },
      ],
    },
    {
      title: 'Resources',
      panels: [
        {
          id: 13,
          view: 'graph',
          title: 'Sockets of calls',
          question: 'Are sockets left behind? There is one to each peer for a live call.',
          unit: 'short',
          queries: [{ expr: q.gauges('sum', 'openSockets', { by: ['peer'] }), legend: '{{peer}}' }],
        },
        {
          id: 14,
          view: 'graph',
          title: 'Timers of charts',
          question: 'Are timers left behind?',
          unit: 'short',
          queries: byInstance('openTimers'),
        },
        {
          id: 15,
          view: 'graph',
          title: 'Processor time',
          question: 'How many cores does a process use?',
          unit: 'short',
          queries: [
            {
              expr: `sum by (instance) (rate(${q.ofProcess('process_cpu_seconds_total')}[$__rate_interval]))`,
              legend: '{{instance}}',
            },
          ],
        },
        {
          id: 16,
          view: 'graph',
          title: 'Memory',
          question: 'Does memory grow without calls?',
          unit: 'bytes',
          queries: [
            { expr: q.ofProcess('process_resident_memory_bytes'), legend: '{{instance}} resident' },
            { expr: q.ofProcess('nodejs_heap_size_used_bytes'), legend: '{{instance}} heap in use' },
          ],
        },
        {
          id: 17,
          view: 'graph',
          title: 'Garbage collection',
          question: 'How much of the time is spent on it?',
          unit: 'percentunit',
          queries: [
            {
              expr: `sum by (instance) (rate(${q.ofProcess('nodejs_gc_duration_seconds_sum')}[$__rate_interval]))`,
              legend: '{{instance}}',
            },
          ],
        },
        {
          id: 18,
          view: 'stacked',
          title: 'Events at the carrier’s edge',
          question: 'What did the edge refuse or notice?',
          unit: 'cpm',
          queries: [{ expr: `60 * ${q.rate('edgeEvents', { by: ['event'] })} > 0`, legend: '{{event}}' }],
        },
        {
          id: 19,
          view: 'stacked',
          title: 'Live calls by worker',
          question: 'Where WORKERS is more than 1: has each worker as many calls as the others?',
          unit: 'short',
          queries: [
            {
              expr: q.gauges('sum', 'workerCalls', { by: ['instance', 'worker'] }),
              legend: '{{instance}} worker {{worker}}',
            },
          ],
        },
        {
          id: 20,
          view: 'graph',
          title: 'Workers that ended by themselves',
          question: 'Does the system or a fault end worker processes?',
          unit: 'short',
          queries: [{ expr: q.increase('workersLost', { by: ['instance'] }), legend: '{{instance}}' }],
          thresholds: worseThanNone,
        },
      ],
    },
  ],
};
