/** Owns: the machine's own clock behind the `Clock` port. */
import type { Clock, TimerHandle } from '../runtime/ports/clock.ts';

/** `setTimeout` takes at most 2^31 - 1 ms and fires at once beyond that (Node.js, Timers). */
const longestDelayMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback: () => void, delayMs: number): TimerHandle =>
    setTimeout(callback, Math.min(Math.max(0, delayMs), longestDelayMs)),
  clearTimeout: (handle: TimerHandle): void => clearTimeout(handle as NodeJS.Timeout | undefined),
};
