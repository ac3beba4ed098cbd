/** Owns: waiting for somebody no longer than a limit. */
import type { Clock, TimerHandle } from '../../runtime/ports/clock.ts';

export const late = Symbol('late');

/** What `work` comes to, or `late` after `limitMs`; what it comes to later is dropped. */
export async function withinLimit<Result>(
  clock: Clock,
  limitMs: number,
  work: Promise<Result>,
): Promise<Result | typeof late> {
  let timer: TimerHandle;
  const limit = new Promise<typeof late>((resolve) => {
    timer = clock.setTimeout(() => resolve(late), limitMs);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clock.clearTimeout(timer);
  }
}
