import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryStore, openMemoryJournal } from '../../src/adapters/journal/memory.ts';
import { openSqliteJournal } from '../../src/adapters/journal/sqlite.ts';
import type { StartThread } from '../../src/adapters/journal/sqlite-link.ts';
import { systemClock as clock } from '../../src/platform/clock.ts';
import { startInThisThread } from '../journal/serving-thread.ts';
import { describeAudit } from './audit.ts';
import { describeJournal, type TwoHandles } from './journal.ts';

async function openTwoInMemory(): Promise<TwoHandles> {
  const store = createMemoryStore();
  const [one, other] = [openMemoryJournal(store, { clock }), openMemoryJournal(store, { clock })];
  return { one, other, cleanUp: async () => {} };
}

async function openTwoOnOneFile(startThread?: StartThread): Promise<TwoHandles> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-contract-'));
  const path = join(folder, 'journal.db');
  const options = startThread === undefined ? { clock } : { clock, startThread };
  const [one, other] = await Promise.all([
    openSqliteJournal(path, options),
    openSqliteJournal(path, options),
  ]);
  return { one, other, cleanUp: () => rm(folder, { recursive: true }) };
}

for (const describeSome of [describeJournal, describeAudit]) {
  describeSome('in memory', openTwoInMemory);
  describeSome('in SQLite behind worker threads', () => openTwoOnOneFile());
  describeSome('in SQLite within one thread', () => openTwoOnOneFile(startInThisThread));
}
