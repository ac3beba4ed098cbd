/**
 * Owns: how times, durations and names are written.
 * Does not own: where.
 */
const two = (value: number): string => String(value).padStart(2, '0');

/** `0:07`, `12:05`, `1:02:05`. */
export function clockText(durationMs: number): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1_000));
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** Within a call, with tenths: `12:05.3`. */
export const offsetText = (durationMs: number): string =>
  `${clockText(durationMs)}.${Math.floor((Math.max(0, durationMs) % 1_000) / 100)}`;

/** `840 ms`, `2.4 s`, `3 min`, `2 h`. */
export function lengthText(durationMs: number): string {
  if (durationMs < 1_000) return `${Math.round(durationMs)} ms`;
  if (durationMs < 60_000) return `${(durationMs / 1_000).toFixed(1)} s`;
  if (durationMs < 3_600_000) return `${Math.round(durationMs / 60_000)} min`;
  return `${Math.round(durationMs / 3_600_000)} h`;
}

const time = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });

export const dayTimeText = (at: number): string => `${day.format(at)}, ${time.format(at)}`;

/** The ends of an id that is too long for its column. */
export const shortId = (id: string): string => (id.length > 14 ? `${id.slice(0, 6)}…${id.slice(-4)}` : id);

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString()} ${count === 1 ? one : many}`;
