/**
 * Owns: `holdfast erase`: the personal data of one call, or of all that ended long enough ago, goes for good.
 * Does not own: how (`src/runtime/erasure.ts`).
 */
import { type Erased, eraseCall } from '../runtime/erasure.ts';
import type { Clock } from '../runtime/ports/clock.ts';
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

export async function eraseOlder(surroundings: EraseSurroundings, days: number): Promise<string> {
  const { journal, clock, operator, confirm } = surroundings;
  const endedBefore = clock.now() - days * dayMs;
  const [any] = await journal.list({ live: false, endedBefore, hasPayloads: true, limit: 1 });
  if (!any) return `No call that ended more than ${days} days ago has personal data left.`;
  const when = new Date(endedBefore).toISOString().slice(0, 16).replace('T', ' ');
  const question = `Erase the personal data of every call that ended before ${when} UTC, for good?`;
  if (!(await confirm(question))) return leftAsItWas;
  const sum: Erased = { payloads: 0, bytes: 0 };
  let calls = 0;
  let rows: CallRow[] = [];
  do {
    const after = rows.at(-1);
    rows = await journal.list({
      live: false,
      endedBefore,
      hasPayloads: true,
      limit: batch,
      ...(after && { after }),
    });
    for (const { callId } of rows) {
      const { payloads, bytes } = await eraseCall(journal, clock, callId, { by: 'operator', operator });
      sum.payloads += payloads;
      sum.bytes += bytes;
      calls += payloads === 0 ? 0 : 1;
    }
  } while (rows.length === batch);
  return `${calls} call${calls === 1 ? '' : 's'}: ${describe(sum)}.`;
}

const describe = ({ payloads, bytes }: Erased): string =>
  `${payloads} piece${payloads === 1 ? '' : 's'} of personal data erased, ${bytes} bytes`;
