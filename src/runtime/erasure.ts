/**
 * Owns: erasing the personal data of a call that has ended: by an entry, which says who did it and how much went.
 * Does not own: when (`src/service/retention.ts`, an operator), how a journal makes content unreadable (J8).
 *
 * Any process may do it: nobody owns a call that has ended, and the seq fences two of them as it fences every append
 * (I2). No entry and no guard reads a payload, so the log folds to the same states afterwards (I1). A log that is too
 * old to be folded can still be erased; one of a newer version is never written to: what may follow there is not known.
 */
import type { DraftOf } from '../machines/entries.ts';
import { refuseFuture } from './charts.ts';
import type { Clock } from './ports/clock.ts';
import { FixCallError, HoldfastError, RetryError } from './ports/errors.ts';
import type { CallRow, Log, Payload } from './ports/journal.ts';

/** Appends that may be met by another one before this process gives up. */
const eraseTries = 20;

export type ErasureBy = Pick<DraftOf<'payloads.erased'>, 'by' | 'operator'>;

/** What went; nothing where nothing was left. */
export interface Erased {
  payloads: number;
  bytes: number;
}

export type ErasureJournal = Pick<Log, 'append' | 'list' | 'read' | 'readPayloads'>;

/**
 * Erased twice is harmless: there is no second entry. Resolves when the erasure is durable.
 * @throws FixCallError `call.unknown`, `call.live`; GiveUpError `journal.future`; RetryError `journal.unavailable`
 */
export async function eraseCall(
  journal: ErasureJournal,
  clock: Pick<Clock, 'now'>,
  callId: string,
  by: ErasureBy,
): Promise<Erased> {
  for (let attempt = 0; attempt < eraseTries; attempt += 1) {
    const row = await findEnded(journal, callId);
    const payloads = await journal.readPayloads(callId);
    const erased = { payloads: payloads.length, bytes: bytesOf(payloads) };
    if (payloads.length === 0) return erased;
    if (await append(journal, row, { type: 'payloads.erased', ...by, ...erased }, clock.now())) return erased;
  }
  throw new RetryError(
    'journal.unavailable',
    `the erasure of ${callId} met another append ${eraseTries} times`,
  );
}

async function findEnded(journal: ErasureJournal, callId: string): Promise<CallRow> {
  const [row] = await journal.list({ callId, limit: 1 });
  if (!row) throw new FixCallError('call.unknown', `There is no call ${callId}.`);
  if (row.endedAt === null) throw new FixCallError('call.live', `The call ${callId} has not ended yet.`);
  return row;
}

const bytesOf = (payloads: readonly Payload[]): number =>
  payloads.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);

/** @returns false where another append was quicker @throws GiveUpError `journal.future` */
async function append(
  journal: ErasureJournal,
  row: CallRow,
  draft: DraftOf<'payloads.erased'>,
  now: number,
): Promise<boolean> {
  const { callId } = row;
  const { commits } = await journal.read(callId, { fromStart: true });
  const entries = commits.flatMap((commit) => commit.entries);
  refuseFuture(callId, entries);
  const seq = row.lastSeq + 1;
  const entry = { ...draft, seq, at: Math.max(now, entries.at(-1)?.at ?? 0) };
  const commit = {
    callId,
    entries: [entry],
    payloads: [],
    row: { ...row, lastSeq: seq },
    checkpoint: null,
    taken: [],
  };
  try {
    await journal.append({ ...commit, erases: true });
    return true;
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'journal.conflict') return false;
    throw error;
  }
}
