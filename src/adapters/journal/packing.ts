/**
 * Owns: the way of commits, rows, logs and signals to JSON text and back, and the shape that a commit must have.
 * Does not own: where the text is kept.
 *
 * Invariants: J2 within one commit (its own seqs are dense); across commits the store holds it.
 */
import { FixCallError } from '../../runtime/ports/errors.ts';
import type {
  CallListQuery,
  CallLog,
  CallRow,
  Commit,
  InboxSignal,
  InstanceFact,
  Json,
  StoredCommit,
} from '../../runtime/ports/journal.ts';
import type {
  ListQuery,
  PackedCommit,
  PackedFact,
  PackedLog,
  PackedRow,
  PackedSignal,
  PackedStep,
} from './operations.ts';

const defaultListLimit = 50;

/** @throws FixCallError `log.invalid` where the commit could never be part of a log */
export function packCommit(commit: Commit): PackedCommit {
  const fault = findFault(commit);
  if (fault !== null) throw new FixCallError('log.invalid', `commit refused: ${fault}`);
  return {
    row: { ...commit.row, state: JSON.stringify(commit.row.state) },
    firstSeq: commit.row.lastSeq - commit.entries.length + 1,
    entries: JSON.stringify(commit.entries),
    payloads: commit.payloads.map(({ seq, name, content }) => ({ seq, name, content })),
    checkpoint: commit.checkpoint === null ? null : JSON.stringify(commit.checkpoint),
    taken: [...commit.taken],
    erases: commit.erases ?? false,
  };
}

function findFault({ callId, entries, payloads, row, erases }: Commit): string | null {
  const firstSeq = entries[0]?.seq ?? 0;
  if (!Number.isSafeInteger(firstSeq) || firstSeq < 1) return 'it has no entry with a seq from 1';
  if (entries.some((entry, index) => entry.seq !== firstSeq + index)) return 'its seqs are not dense';
  if (row.callId !== callId) return 'its row is of another call';
  if (row.lastSeq !== firstSeq + entries.length - 1) return 'its row does not end at its last entry';
  if (![row.startedAt, row.endedAt ?? 0].every(Number.isSafeInteger))
    return 'its times are not whole milliseconds';
  if (payloads.some((payload) => payload.seq < firstSeq || payload.seq > row.lastSeq))
    return 'a payload belongs to none of its entries';
  if (erases && payloads.length > 0) return 'it erases payloads and has some';
  const names = new Set(payloads.map((payload) => `${payload.seq}/${payload.name}`));
  return names.size === payloads.length ? null : 'two payloads have the same seq and name';
}

export function packQuery(query: CallListQuery): ListQuery {
  return {
    live: query.live ?? null,
    owner: query.owner ?? null,
    callId: query.callId ?? null,
    direction: query.direction ?? null,
    endReason: query.endReason ?? null,
    startedAfter: query.startedAfter ?? null,
    startedBefore: query.startedBefore ?? null,
    endedBefore: query.endedBefore ?? null,
    hasPayloads: query.hasPayloads ?? null,
    text: query.text ?? null,
    after: query.after ?? null,
    limit: query.limit ?? defaultListLimit,
  };
}

export function unpackRow(row: PackedRow): CallRow {
  return { ...row, state: JSON.parse(row.state) as Json };
}

export function unpackLog(callId: string, log: PackedLog): CallLog {
  return {
    commits: log.commits.map((step) => unpackStep(callId, step)),
    checkpoint: log.checkpoint && {
      seq: log.checkpoint.seq,
      state: JSON.parse(log.checkpoint.state) as Json,
    },
  };
}

export function unpackStep(callId: string, { entries, state }: PackedStep): StoredCommit {
  return { callId, entries: JSON.parse(entries), state: JSON.parse(state) as Json };
}

export function packFact({ instance, at, type, detail }: InstanceFact): PackedFact {
  return { instance, at: Math.trunc(at), type, detail: JSON.stringify(detail) };
}

export function unpackFact({ instance, at, type, detail }: PackedFact): InstanceFact {
  return { instance, at, type, detail: JSON.parse(detail) };
}

export function packSignal({ id, callId, signal }: InboxSignal): PackedSignal {
  return { id, callId, signal: JSON.stringify(signal) };
}

export function unpackSignal({ id, callId, signal }: PackedSignal): InboxSignal {
  return { id, callId, signal: JSON.parse(signal) as Json };
}
