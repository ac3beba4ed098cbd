/**
 * Owns: `holdfast erase`: the personal data of one call, or of all that ended long enough ago, goes for good.
 * Does not own: how (`src/runtime/erasure.ts`).
 */
import { type Erased, eraseCall } from '../runtime/erasure.ts';
import type { Clock } from '../runtime/ports/clock.ts';
import { GiveUpError, HoldfastError } from '../runtime/ports/errors.ts';
import type { CallRow, Journal } from '../runtime/ports/journal.ts';
import { findCall } from './show.ts';

const dayMs = 24 * 60 * 60 * 1_000;

/** Calls that are looked up at once. */
const batch = 100;

export interface EraseSurroundings {
  journal: Journal;
  clock: Clock;
  /** Goes into each call's log. */
  operator: string;
  /** Asks a person. @throws where nobody can be asked */
  confirm(question: string): Promise<boolean>;
}

const leftAsItWas = 'Nothing was erased.';

export async function eraseOne(surroundings: EraseSurroundings, callId: string): Promise<string> {
  const { journal, clock, operator, confirm } = surroundings;
  await findCall(journal, callId);
  const question = `Erase what was said in call ${callId}, its numbers, tool arguments and results, for good?`;
  if (!(await confirm(question))) return leftAsItWas;
  const erased = await eraseCall(journal, clock, callId, { by: 'operator', operator });
  return erased.payloads === 0
    ? `Nothing was left of call ${callId}.`
    : `Call ${callId}: ${describe(erased)}.`;
}

/** @throws GiveUpError `journal.future` once all others are erased, where a newer version wrote some of them */
export async function eraseOlder(surroundings: EraseSurroundings, days: number): Promise<string> {
  const { journal, clock, confirm } = surroundings;
  const endedBefore = clock.now() - days * dayMs;
  const [any] = await journal.list({ live: false, endedBefore, hasPayloads: true, limit: 1 });
  if (!any) return `No call that ended more than ${days} days ago has personal data left.`;
  const when = new Date(endedBefore).toISOString().slice(0, 16).replace('T', ' ');
  const question = `Erase the personal data of every call that ended before ${when} UTC, for good?`;
  if (!(await confirm(question))) return leftAsItWas;
  const sum = { calls: 0, payloads: 0, bytes: 0, newer: 0 };
  for await (const { callId } of callsWithData(journal, endedBefore)) await add(sum, surroundings, callId);
  const erased = `${callsText(sum.calls)}: ${describe(sum)}`;
  if (sum.newer === 0) return `${erased}.`;
  const left = `${callsText(sum.newer)} of a newer Holdfast left: use that one`;
  throw new GiveUpError('journal.future', `${erased}; ${left}.`);
}

/** Page by page: what is erased meanwhile is behind. */
async function* callsWithData(journal: Journal, endedBefore: number): AsyncGenerator<CallRow> {
  let rows: CallRow[] = [];
  do {
    const after = rows.at(-1);
    const query = { live: false, endedBefore, hasPayloads: true, limit: batch };
    rows = await journal.list({ ...query, ...(after && { after }) });
    yield* rows;
  } while (rows.length === batch);
}

type Sum = Erased & { calls: number; newer: number };

async function add(sum: Sum, { journal, clock, operator }: EraseSurroundings, callId: string): Promise<void> {
  try {
    const { payloads, bytes } = await eraseCall(journal, clock, callId, { by: 'operator', operator });
    sum.payloads += payloads;
    sum.bytes += bytes;
    sum.calls += payloads === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'journal.future') throw error;
    sum.newer += 1;
  }
}

const callsText = (count: number): string => `${count} call${count === 1 ? '' : 's'}`;

const describe = ({ payloads, bytes }: Erased): string =>
  `${payloads} piece${payloads === 1 ? '' : 's'} of personal data erased, ${bytes} bytes`;
