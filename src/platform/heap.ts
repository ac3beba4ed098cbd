/**
 * Owns: how far the heap may grow between two whole collections of garbage.
 * Does not own: its upper bound, which stays that of Node.js (`--max-old-space-size`).
 *
 * Left to itself, V8 marks a heap that fills slowly again and again: that of a service with a hundred calls every four
 * seconds, though a tenth of it is garbage. Each time the audio of all calls waits for up to 30 ms. See
 * `docs/decisions/021-garbage.md`.
 */
import { setFlagsFromString } from 'node:v8';
import { memoryLimitBytes } from './memory.ts';

/** Beyond what the last collection left, percent of it. */
const growthPercent = 300;

/** With less than this for each process, memory is dearer than pauses. */
const ampleBytes = 1_024 ** 3;

/**
 * To be called first of all in a process that carries calls. It holds for all its threads.
 *
 * @param processes that share the memory of this host or control group
 * @returns whether the heap may grow further now
 */
export function collectSeldom(processes: number, memoryBytes = memoryLimitBytes()): boolean {
  if (memoryBytes / processes < ampleBytes) return false;
  setFlagsFromString(`--heap-growing-percent=${growthPercent}`);
  return true;
}
