/** Owns: commits for the journal's tests. They look like a call's, but mean nothing. */
import type { CallRow, Commit, Json, Payload } from '../../src/runtime/ports/journal.ts';

export interface CommitParts {
  entries?: number;
  note?: string;
  row?: Partial<CallRow>;
  payloads?: Payload[];
  checkpoint?: Json;
  taken?: string[];
  erases?: boolean;
}

/** A commit of `entries` entries from `firstSeq`. Without other words the call is live, owned by `one`, started at 1,000. */
export function commitOf(callId: string, firstSeq: number, parts: CommitParts = {}): Commit {
  const count = parts.entries ?? 1;
  const lastSeq = firstSeq + count - 1;
  return {
    callId,
    entries: Array.from({ length: count }, (_, index) => ({
      seq: firstSeq + index,
      at: 1_000 + firstSeq + index,
      type: 'something.happened',
      note: parts.note ?? '',
    })),
    payloads: parts.payloads ?? [],
    row: {
      callId,
      carrierCallId: null,
      direction: 'incoming',
      owner: 'one',
      startedAt: 1_000,
      endedAt: null,
      endReason: null,
      lastSeq,
      state: { live: { turn: `after ${lastSeq}` } },
      ...parts.row,
    },
    checkpoint: parts.checkpoint ?? null,
    taken: parts.taken ?? [],
    ...(parts.erases === undefined ? {} : { erases: parts.erases }),
  };
}

/** What a commit's row says of an ended call. */
export const endedAt = (at: number): Partial<CallRow> => ({
  owner: null,
  endedAt: at,
  endReason: 'completed',
});
