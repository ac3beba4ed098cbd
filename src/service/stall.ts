/**
 * Owns: how long a new call waits for the journal before it is declined.
 * Does not own: what becomes of calls that are live while the journal stalls (`src/runtime/writer.ts`).
 */
import type { Clock, TimerHandle } from '../runtime/ports/clock.ts';
import { RetryError } from '../runtime/ports/errors.ts';

/** A journal that has not answered by then stalls: new calls are declined. */
export const stallMs = 1_000;

/**
 * What `work` comes to. What it comes to after `stallMs` is dropped, a rejection included.
 *
 * @throws RetryError `journal.unavailable` after `stallMs`; what `work` throws before
 */
export async function unlessStalled<Result>(clock: Clock, work: Promise<Result>): Promise<Result> {
  let timer: TimerHandle;
  const stalled = new Promise<never>((_, reject) => {
    const error = new RetryError('journal.unavailable', `the journal has not answered for ${stallMs} ms`);
    timer = clock.setTimeout(() => reject(error), stallMs);
  });
  try {
    return await Promise.race([work, stalled]);
  } finally {
    clock.clearTimeout(timer);
  }
}
