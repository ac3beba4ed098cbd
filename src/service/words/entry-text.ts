/**
 * Owns: one entry as a line that a person reads. Where a field stands for a payload, its content is shown, for
 * whoever may read the journal file may read that as well.
 */
import { type Entry, referencesOf } from '../../machines/entries.ts';
import type { Payload } from '../../runtime/ports/journal.ts';

const hidden = new Set(['seq', 'at', 'type', 'settings', 'carried']);
const longestContent = 160;

const shorten = (text: string): string =>
  text.length > longestContent ? `${text.slice(0, longestContent)}…` : text;

/** Words and what no terminal should get as it is are put in quotes. */
const formatValue = (value: unknown): string =>
  typeof value === 'string' && /^[!-~]+$/.test(value) ? value : JSON.stringify(value);

/** `tool.requested  toolCallId=call_1 name=find_repair arguments="{...}"`, with the fields in columns below each other. */
export const formatEntry = (entry: Entry, payloads: readonly Payload[]): string =>
  [entry.type.padEnd(24), ...formatFields(entry, payloads)].join(' ').trimEnd();

/** `name=find_repair`, `arguments="{...}"`. An erased payload reads `(erased)`. */
export function formatFields(entry: Entry, payloads: readonly Payload[]): string[] {
  const references = new Set(referencesOf(entry));
  const content = (name: string): string => {
    const payload = payloads.find((row) => row.seq === entry.seq && row.name === name);
    return payload ? JSON.stringify(shorten(payload.content)) : '(erased)';
  };
  return Object.entries(entry)
    .filter(([name, value]) => !hidden.has(name) && value !== null)
    .map(([name, value]) => `${name}=${references.has(name) ? content(name) : formatValue(value)}`);
}
