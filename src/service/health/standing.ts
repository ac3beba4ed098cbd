/**
 * Owns: what a balancer is told of this process with an answer: whether a new call would be taken, and how full it is.
 * Does not own: which answers bear it (the adapters), what the balancer makes of it (`deploy/`).
 *
 * `/ready` alone could not say it by its status: a process that is full still has to get `/twilio/continue`, callbacks
 * and the streams that name it.
 */
import type { Health } from './health.ts';

/** `open`, or why no new call would be taken. */
export const admissionHeader = 'holdfast-admission';

/** Live calls by the limit, two decimals; 1 and more is full. Left out where there is no limit. */
export const loadHeader = 'holdfast-load';

export function standingOf({
  refusal,
  capacity,
}: Pick<Health, 'refusal' | 'capacity'>): Record<string, string> {
  const { usedRatio } = capacity;
  return {
    [admissionHeader]: refusal ?? 'open',
    ...(usedRatio === null ? {} : { [loadHeader]: usedRatio.toFixed(2) }),
  };
}
