import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSqliteJournal } from '../../src/adapters/journal/sqlite.ts';
import { systemClock as clock } from '../../src/platform/clock.ts';
import { hear, startChild } from './child.ts';
import { makeFolder } from './folder.ts';

const folder = makeFolder();

test('two processes that open a new file at once race 1,000 rounds, and exactly one wins each', async () => {
  const path = join(folder, 'race', 'journal.db');
  const names = ['one', 'other'];
  const children = names.map((name) => startChild('./racing-writer.ts', path, name, '1000'));
  expect(await Promise.all(children.map((child) => hear(child)))).toEqual(['opened', 'opened']);
  const results = children.map((child) => hear<{ won: number[]; codes: string[] }>(child));
  for (const child of children) child.send('go');
  const [one, other] = await Promise.all(results);

  const everySeq = Array.from({ length: 1_000 }, (_, index) => index + 1);
  expect([...one!.won, ...other!.won].toSorted((a, b) => a - b)).toEqual(everySeq);
  expect([...one!.codes, ...other!.codes].every((code) => code === 'journal.conflict')).toBe(true);

  const journal = await openSqliteJournal(path, { clock });
  const entries = (await journal.read('race')).commits.flatMap((commit) => commit.entries);
  await journal.close();
  expect(entries.map(({ seq }) => seq)).toEqual(everySeq);
  expect(entries.filter(({ note }) => note === 'one').map(({ seq }) => seq)).toEqual(one!.won);
});

test('a signal that another process put is noticed within 100 ms', async () => {
  const path = join(folder, 'watched.db');
  const journal = await openSqliteJournal(path, { clock });
  const child = startChild('./putting-process.ts', path);
  await hear(child);
  let noticedAt = 0;
  journal.watch('one', () => {
    noticedAt = Date.now();
  });
  /** Each put comes right after a look-out, so every one of them waits almost a whole pause. */
  const delaysMs: number[] = [];
  for (let index = 0; index < 9; index += 1) {
    noticedAt = 0;
    child.send(`signal-${index}`);
    const putAt = await hear<number>(child);
    while (noticedAt === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    delaysMs.push(noticedAt - putAt);
  }
  child.disconnect();
  await journal.close();
  expect(Math.min(...delaysMs)).toBeLessThan(100);
});
