/**
 * Owns: how soon the calls of a process that went away were another one's.
 * Does not own: how it went (`scene.ts`).
 */
import type { Absence, CallEvidence } from './evidence.ts';
import { percentile } from './table.ts';

interface Takeover {
  callId: string;
  /** From the process's end to the claim; null where nobody claimed the call before it was over. */
  afterMs: number | null;
}

/** Of each call that the process held and that was not over. */
export function takeoversOf(
  results: readonly Pick<CallEvidence, 'callId' | 'entries'>[],
  absences: readonly Absence[],
): Takeover[] {
  return absences.flatMap(({ at, instance }) =>
    results.flatMap(({ callId, entries }): Takeover[] => {
      const claims = entries.filter((entry) => entry.type === 'owner.claimed');
      const held = claims.findLast((claim) => claim.at <= at)?.instance === instance;
      const wasOver = entries.some((entry) => entry.type === 'call.ended' && entry.at <= at);
      if (!held || wasOver) return [];
      const next = claims.find((claim) => claim.at > at && claim.instance !== instance);
      return [{ callId, afterMs: next ? next.at - at : null }];
    }),
  );
}

export function takeoverNote(takeovers: readonly Takeover[]): string[] {
  const times = takeovers.flatMap(({ afterMs }) => afterMs ?? []);
  if (times.length === 0) return [];
  const [half, most, all] = [50, 99, 100].map((percent) => percentile(times, percent));
  return [`${times.length} calls taken over, claimed after p50 ${half}, p99 ${most}, at most ${all} ms`];
}

export function brokenTakeovers(takeovers: readonly Takeover[], limitMs: number | undefined): string[] {
  if (limitMs === undefined) return [];
  const late = takeovers.filter(({ afterMs }) => afterMs !== null && afterMs > limitMs);
  if (late.length === 0) return [];
  const calls = late.map(({ callId, afterMs }) => `${callId} (${afterMs} ms)`);
  return [`a process that is gone is relieved of its calls within ${limitMs} ms: ${calls.join(', ')}`];
}
