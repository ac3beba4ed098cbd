/**
 * Owns: what a measured process says of itself when it is asked over the channel to its parent: memory after a full
 * collection, and how busy its event loop was since it was asked last. Loaded before the program itself, which it ends
 * with its parent: nothing that was started to be measured outlives the measurement.
 */
import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

export interface ProbeAnswer {
  ask: number;
  rssBytes: number;
  /** Heap, external memory and buffers that are in use. */
  liveBytes: number;
  /** Share of the time since the last question in which the event loop was not idle. */
  busyShare: number;
}

let last = performance.eventLoopUtilization();

process.on('message', (question: unknown) => {
  if (typeof question !== 'object' || question === null || !('ask' in question)) return;
  const { utilization } = performance.eventLoopUtilization(last);
  collectGarbage();
  collectGarbage();
  const { rss, heapUsed, external } = process.memoryUsage();
  const answer: ProbeAnswer = {
    ask: Number(question.ask),
    rssBytes: rss,
    liveBytes: heapUsed + external,
    busyShare: utilization,
  };
  process.send?.(answer);
  last = performance.eventLoopUtilization();
});
process.on('disconnect', () => process.exit());
process.channel?.unref();
