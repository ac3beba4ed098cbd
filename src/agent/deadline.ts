/**
 * Owns: running an author's code within a time, and telling how it ended.
 * Does not own: what the ending means.
 *
 * Invariants:
 * T1. The promise never rejects, and is settled within the time (code that never yields is beyond it).
 * T2. Once it is settled, no timer and no listener is left, and the code's signal is aborted.
 * T3. What the code does after that is not heard, a rejection included.
 */
import type { Clock } from '../runtime/ports/clock.ts';

export type Ending<Value> =
  | { how: 'returned'; value: Value }
  | { how: 'threw'; error: unknown }
  | { how: 'timedOut' }
  | { how: 'released' };

export interface Deadline {
  clock: Clock;
  timeoutMs: number;
  /** Aborted when nobody waits any more. Aborted from the start, nothing is run. */
  released?: AbortSignal | undefined;
}

export function withinDeadline<Value>(
  { clock, timeoutMs, released }: Deadline,
  work: (signal: AbortSignal) => Value | Promise<Value>,
): Promise<Ending<Value>> {
  if (released?.aborted) return Promise.resolve({ how: 'released' });
  return new Promise((resolve) => {
    const controller = new AbortController();
    const settle = (ending: Ending<Value>) => {
      clock.clearTimeout(timer);
      released?.removeEventListener('abort', release);
      resolve(ending);
      controller.abort();
    };
    const release = () => settle({ how: 'released' });
    const timer = clock.setTimeout(() => settle({ how: 'timedOut' }), timeoutMs);
    released?.addEventListener('abort', release, { once: true });
    new Promise<Value>((start) => start(work(controller.signal))).then(
      (value) => settle({ how: 'returned', value }),
      (error: unknown) => settle({ how: 'threw', error }),
    );
  });
}
