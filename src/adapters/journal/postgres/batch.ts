/**
 * Owns: which commits share a transaction, and their way into the statement's arrays.
 * Does not own: sending it (`appender.ts`).
 */
import type { PackedCommit } from '../operations.ts';
import type { QueryValue } from './connection.ts';
import { escapeText } from './escaping.ts';

const commitsPerBatch = 250;
/** A commit that is larger goes alone. */
const batchCharacters = 4 * 1024 * 1024;

export interface IdentifiedCommit {
  /** Of this append and no other one. */
  id: string;
  commit: PackedCommit;
}

/**
 * The commits that can share a transaction, taken out of `queue` from its front: one of each call, since the guard of a
 * second one does not see the first. The rest keeps its order.
 */
export function takeBatch<Waiting extends IdentifiedCommit>(queue: Waiting[]): Waiting[] {
  const batch: Waiting[] = [];
  const calls = new Set<string>();
  let characters = 0;
  const rest = queue.filter((waiting) => {
    const { row, entries } = waiting.commit;
    const isFull = batch.length >= commitsPerBatch || (batch.length > 0 && characters > batchCharacters);
    if (isFull || calls.has(row.callId)) return true;
    calls.add(row.callId);
    characters += entries.length + (waiting.commit.checkpoint?.length ?? 0);
    batch.push(waiting);
    return false;
  });
  queue.splice(0, queue.length, ...rest);
  return batch;
}

type Column = (commit: PackedCommit) => string | number | null;

/** In the order of the statement's parameters, after the ids. */
const columns: readonly Column[] = [
  ({ row }) => row.callId,
  ({ firstSeq }) => firstSeq,
  ({ row }) => row.lastSeq,
  ({ entries }) => entries,
  ({ row }) => row.state,
  ({ row }) => row.carrierCallId,
  ({ row }) => row.direction,
  ({ row }) => row.owner,
  ({ row }) => row.startedAt,
  ({ row }) => row.endedAt,
  ({ row }) => row.endReason,
  ({ checkpoint }) => checkpoint,
  ({ payloads }) =>
    JSON.stringify(payloads.map((payload) => ({ ...payload, content: escapeText(payload.content) }))),
  ({ taken }) => JSON.stringify(taken),
  ({ erases }) => Number(erases),
];

export function toAppendValues(batch: readonly IdentifiedCommit[]): QueryValue[] {
  return [batch.map(({ id }) => id), ...columns.map((column) => batch.map(({ commit }) => column(commit)))];
}

/** What tells these commits from others with their seqs. */
export function toSettleValues(batch: readonly IdentifiedCommit[]): QueryValue[] {
  return toAppendValues(batch).slice(0, 3);
}
