/** Owns: how the command line writes moments and durations. */

/** `4.2 s`, `3 min 05 s`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 60_000) return `${(durationMs / 1_000).toFixed(1)} s`;
  const seconds = Math.round(durationMs / 1_000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/** `2026-11-25 01:02:03 UTC`. */
export const formatMoment = (at: number): string =>
  `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** Seconds since the call began, `12.345`. */
export const formatOffset = (at: number, startedAt: number): string => ((at - startedAt) / 1_000).toFixed(3);
