/** Owns: which timers of one side are set, where several sides share a clock: what a leak check looks at. */
import type { Clock, TimerHandle } from '../../src/runtime/ports/clock.ts';

/** The same time, with a list of the timers that are set. */
export const countTimers = (clock: Clock, timers: Set<TimerHandle>): Clock => ({
  now: () => clock.now(),
  monotonic: () => clock.monotonic(),
  setTimeout: (callback, delayMs) => {
    const handle = clock.setTimeout(() => {
      timers.delete(handle);
      callback();
    }, delayMs);
    timers.add(handle);
    return handle;
  },
  clearTimeout: (handle) => {
    timers.delete(handle);
    clock.clearTimeout(handle);
  },
});
