/**
 * Owns: the walk through the whole state graph of the call chart, time limits as events: from every kind of state that
 * can be reached, a live conversation or the end can be reached, and every edge keeps the chart's promises.
 * Does not own: what a kind of state is (`test/machines/support/kinds.ts`), the promises beside it.
 *
 * Run with `npm run graph`. Some millions of kinds: minutes, and some 400 MB. Prints the size and the time;
 * `docs/charts.md` keeps the last result.
 */
import { smallSettings } from '../test/machines/alphabet.ts';
import { Graph } from '../test/machines/support/graph.ts';
import { exploreByPromise, shortcomingsOf } from '../test/machines/support/graph-promises.ts';
import { LearnedChart } from '../test/machines/support/learned-chart.ts';

/** The least limits with which every counter is seen below, and at, its limit. */
const leastLimits = { streamTries: 1, askCarrierTries: 2, modelTries: 2, replyTries: 1 };

const secondsSince = (startMs: number): string => ((performance.now() - startMs) / 1_000).toFixed(0);

for (const fallback of ['hangUp', 'transfer'] as const) {
  const startMs = performance.now();
  const chart = new LearnedChart({ ...smallSettings, ...leastLimits, fallback });
  const graph = new Graph(chart);
  exploreByPromise(graph);
  console.log(
    `call chart, fallback ${fallback}: ${graph.size} kinds of state, ${graph.transitions} transitions, ${secondsSince(startMs)} s; ${chart.learned} moves of the chart itself`,
  );
  const shortcomings = shortcomingsOf(graph);
  for (const { promise, kinds, example } of shortcomings) {
    console.log(`not so that ${promise}: ${kinds} kinds, for example ${JSON.stringify(example)}`);
    process.exitCode = 1;
  }
  console.log(`${shortcomings.length} of 3 promises of the graph are broken, ${secondsSince(startMs)} s`);
}
