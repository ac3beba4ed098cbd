/** Owns: a call that was recorded, as commits, and as they are read again. */
import { createMemoryStore, openMemoryJournal } from '../../../../src/adapters/journal/memory.ts';
import type { CallRow, Commit, Journal, Payload } from '../../../../src/runtime/ports/journal.ts';
import { CallProjection, type PayloadsBySeq } from '../../../../src/service/console/call-projection.ts';
import { VirtualClock } from '../../../../src/twin/virtual-clock.ts';
import type { Recording } from '../../../journals/recording.ts';

export const rowOf = (callId: string, startedAt = 0): CallRow => ({
  callId,
  carrierCallId: callId,
  direction: 'incoming',
  owner: null,
  startedAt,
  endedAt: null,
  endReason: null,
  lastSeq: 0,
  state: null,
});

export const commitsIn = ({ callId, commits }: Recording): Commit[] =>
  commits.map(({ entries, payloads, state }) => ({
    callId,
    entries,
    payloads,
    row: { ...rowOf(callId, commits[0]?.entries[0]?.at), lastSeq: entries.at(-1)?.seq ?? 0, state },
    checkpoint: null,
    taken: [],
  }));

export async function journalOf(commits: readonly Commit[]): Promise<Journal> {
  const journal = openMemoryJournal(createMemoryStore(), { clock: new VirtualClock() });
  for (const commit of commits) await journal.append(commit);
  return journal;
}

export const bySeq = (payloads: readonly Payload[]): PayloadsBySeq => Map.groupBy(payloads, ({ seq }) => seq);

export const projectionOf = (callId: string, startedAt?: number): CallProjection =>
  new CallProjection(rowOf(callId, startedAt), () => true);

/** @param left payloads that there still are; those of the commit unless told */
export function take(projection: CallProjection, commit: Commit, left = commit.payloads): void {
  const { callId, entries, row } = commit;
  projection.apply({ callId, entries: [...entries], state: row.state }, bySeq(left));
}
