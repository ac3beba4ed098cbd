/** Owns: `holdfast show`, one call's log as it was written. */
import { referencesOf } from '../machines/entries.ts';
import { readEntries } from '../runtime/history.ts';
import { FixCallError } from '../runtime/ports/errors.ts';
import type { CallRow, Journal } from '../runtime/ports/journal.ts';
import { formatEntry } from '../service/words/entry-text.ts';
import { formatState } from '../service/words/states.ts';
import { formatDuration, formatMoment, formatOffset } from './time.ts';

/** @throws FixCallError `call.unknown` */
export async function findCall(journal: Journal, callId: string): Promise<CallRow> {
  const [row] = await journal.list({ callId, limit: 1 });
  if (!row)
    throw new FixCallError(
      'call.unknown',
      `There is no call ${callId}. \`holdfast calls\` lists those there are.`,
    );
  return row;
}

export const headline = (row: CallRow): string => {
  const lasted =
    row.endedAt === null ? 'still live' : `lasted ${formatDuration(row.endedAt - row.startedAt)}`;
  const end = row.endReason === null ? formatState(row.state) : `ended: ${row.endReason}`;
  return `call ${row.callId}, ${row.direction}, ${formatMoment(row.startedAt)}, ${lasted}, ${end}`;
};

export async function showCall(
  journal: Journal,
  callId: string,
  options: { json: boolean },
): Promise<string> {
  const row = await findCall(journal, callId);
  const [entries, payloads] = await Promise.all([readEntries(journal, callId), journal.readPayloads(callId)]);
  if (options.json) {
    const withContent = entries.map((entry) => {
      const content = referencesOf(entry).map((name) => [
        name,
        payloads.find((payload) => payload.seq === entry.seq && payload.name === name)?.content ?? null,
      ]);
      return content.length === 0 ? entry : { ...entry, payloads: Object.fromEntries(content) };
    });
    return JSON.stringify({ call: row, entries: withContent }, null, 2);
  }
  const lines = entries.map(
    (entry) =>
      `${String(entry.seq).padStart(5)}  ${formatOffset(entry.at, row.startedAt).padStart(9)}  ${formatEntry(entry, payloads)}`,
  );
  return [headline(row), '', '  seq    seconds  entry', ...lines].join('\n');
}
