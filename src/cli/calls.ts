/** Owns: `holdfast calls`, the list of calls, newest first. */
import type { CallRow, Journal } from '../runtime/ports/journal.ts';
import { formatState } from '../service/words/states.ts';
import { formatDuration, formatMoment } from './time.ts';

const describe = (row: CallRow): object => ({
  callId: row.callId,
  direction: row.direction,
  startedAt: new Date(row.startedAt).toISOString(),
  endedAt: row.endedAt === null ? null : new Date(row.endedAt).toISOString(),
  durationMs: row.endedAt === null ? null : row.endedAt - row.startedAt,
  endReason: row.endReason,
  owner: row.owner,
  entries: row.lastSeq,
  state: row.state,
});

const line = (row: CallRow): string => {
  const duration = row.endedAt === null ? 'live' : formatDuration(row.endedAt - row.startedAt);
  const outcome = row.endReason ?? formatState(row.state);
  return [
    row.callId.padEnd(34),
    formatMoment(row.startedAt),
    duration.padStart(11),
    String(row.lastSeq).padStart(7),
    outcome,
  ].join('  ');
};

const heading = [
  'call'.padEnd(34),
  'started'.padEnd(23),
  'duration'.padStart(11),
  'entries',
  'end or state',
].join('  ');

export async function listCalls(
  journal: Journal,
  options: { json: boolean; limit: number },
): Promise<string> {
  const rows = await journal.list({ limit: options.limit });
  if (options.json) return JSON.stringify(rows.map(describe), null, 2);
  return rows.length === 0 ? 'No calls yet.' : [heading, ...rows.map(line)].join('\n');
}
