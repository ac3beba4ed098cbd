/**
 * Owns: how soon the calls of a process that went away were another one's.
 * Does not own: how it went (`scene.ts`).
 */
import { measuredDelays } from '../../src/twin/twilio/settings.ts';
import type { Absence, CallEvidence } from './evidence.ts';
import { percentile } from './table.ts';

/** What the twin's Twilio takes by itself until a new stream has its first message, where it asks by itself. */
export const reconnectMs =
  measuredDelays.continuationMs + measuredDelays.handshakeMs + measuredDelays.firstMessageMs;

export interface Takeover {
  callId: string;
  /** From the process's end to the claim; null where nobody claimed the call before it was over. */
  afterMs: number | null;
  /** The same without what Twilio takes: as if it had reconnected at once. */
  beyondMs: number | null;
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
      if (!next) return [{ callId, afterMs: null, beyondMs: null }];
      const afterMs = next.at - at;
      const ownMs = next.why === 'stream' ? reconnectMs : 0;
      return [{ callId, afterMs, beyondMs: Math.max(0, afterMs - ownMs) }];
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
