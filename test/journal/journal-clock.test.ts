import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createMemoryStore, openMemoryJournal } from '../../src/adapters/journal/memory.ts';
import { openSqliteJournal } from '../../src/adapters/journal/sqlite.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import { makeFolder } from './folder.ts';
import { startInThisThread } from './serving-thread.ts';

const folder = makeFolder();

test.each([
  ['in memory', async (clock: VirtualClock) => openMemoryJournal(createMemoryStore(), { clock })],
  [
    'in SQLite',
    (clock: VirtualClock) =>
      openSqliteJournal(join(folder, 'clock.db'), { clock, startThread: startInThisThread }),
  ],
])('beats age by the clock that the journal %s was given, and never below 0', async (_, open) => {
  const clock = new VirtualClock(1_000_000);
  const journal = await open(clock);
  const beat = () =>
    journal.beat({ instance: 'i', pid: 1, host: 'here', ready: true, startedAt: 1, address: null });
  expect(await beat()).toBe(1_000_000);
  clock.jump(750);
  expect(await journal.instances()).toMatchObject([{ beatAgeMs: 750 }]);
  clock.jump(-2_000);
  expect(await journal.instances()).toMatchObject([{ beatAgeMs: 0 }]);
  expect(await beat()).toBe(998_750);
  await journal.close();
});
