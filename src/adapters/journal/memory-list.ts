/** Owns: which calls of a journal in memory a list names, and in which order. Does not own: the calls. */
import type { Payload } from '../../runtime/ports/journal.ts';
import type { ListPlace, ListQuery, PackedRow } from './operations.ts';

interface ListedCall {
  row: PackedRow;
  payloads: readonly Payload[];
}

export function isListed({ row, payloads }: ListedCall, query: ListQuery): boolean {
  return (
    isWanted(query.live, row.endedAt === null) &&
    isWanted(query.owner, row.owner) &&
    isWanted(query.callId, row.callId) &&
    isWanted(query.direction, row.direction) &&
    isWanted(query.endReason, row.endReason) &&
    isWanted(query.hasPayloads, payloads.length > 0) &&
    row.startedAt > (query.startedAfter ?? Number.NEGATIVE_INFINITY) &&
    row.startedAt < (query.startedBefore ?? Number.POSITIVE_INFINITY) &&
    (query.endedBefore === null || (row.endedAt !== null && row.endedAt < query.endedBefore)) &&
    (query.after === null || byStartNewestFirst(query.after, row) < 0) &&
    (query.text === null || holds({ row, payloads }, query.text))
  );
}

function isWanted<Value>(wanted: Value | null, value: Value): boolean {
  return wanted === null || wanted === value;
}

function holds({ row, payloads }: ListedCall, text: string): boolean {
  const places = [row.callId, row.owner, row.endReason, ...payloads.map(({ content }) => content)];
  return places.some((place) => place !== null && lowerAscii(place).includes(lowerAscii(text)));
}

/** As SQLite's `lower` without an extension. */
function lowerAscii(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

export function byStartNewestFirst(one: ListPlace, other: ListPlace): number {
  return other.startedAt - one.startedAt || compareText(other.callId, one.callId);
}

/** By code unit. SQLite compares bytes, which is the same order for all but rare pairs above U+FFFF. */
export function compareText(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
