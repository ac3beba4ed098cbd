/**
 * Owns: a journal that notes what it acknowledged, in a file that outlives the process: in the place of
 * `src/adapters/journal/open-journal.ts`.
 * Does not own: reading the file (`acknowledged.ts`).
 */
import { openSync, writeSync } from 'node:fs';
import * as original from '../../src/adapters/journal/open-journal.ts';
import type { Commit, Journal } from '../../src/runtime/ports/journal.ts';

export const { describeJournal } = original;

const file = openSync(process.env.DRILL_ACKNOWLEDGED ?? '/dev/null', 'a');

function note({ callId, entries }: Commit): void {
  writeSync(file, `${JSON.stringify({ callId, entries })}\n`);
}

export async function openJournal(...how: Parameters<typeof original.openJournal>): Promise<Journal> {
  const journal = await original.openJournal(...how);
  const append = journal.append.bind(journal);
  journal.append = async (commit) => {
    await append(commit);
    note(commit);
  };
  return journal;
}
