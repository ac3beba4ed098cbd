import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openJournal } from '../../src/adapters/journal/open-journal.ts';
import { systemClock as clock } from '../../src/platform/clock.ts';
import { hasPostgres, needPostgres } from '../support/postgres-needed.ts';
import { shareServer } from '../support/postgres-server.ts';
import { hear, startChild } from './child.ts';
import { makeFolder } from './folder.ts';

const folder = makeFolder();
const server = shareServer();

/** `newUrl` names a journal that nobody has made yet. */
function describeTwo(newUrl: (name: string) => string): void {
  test('that open a new journal at once race 1,000 rounds, and exactly one wins each', async () => {
    const url = newUrl('race');
    const names = ['one', 'other'];
    const children = names.map((name) => startChild('./racing-writer.ts', url, name, '1000'));
    expect(await Promise.all(children.map((child) => hear(child)))).toEqual(['opened', 'opened']);
    const results = children.map((child) => hear<{ won: number[]; codes: string[] }>(child));
    for (const child of children) child.send('go');
    const [one, other] = await Promise.all(results);

    const everySeq = Array.from({ length: 1_000 }, (_, index) => index + 1);
    expect([...one!.won, ...other!.won].toSorted((a, b) => a - b)).toEqual(everySeq);
    expect([...one!.codes, ...other!.codes].every((code) => code === 'journal.conflict')).toBe(true);

    const journal = await openJournal(url, { clock });
    const entries = (await journal.read('race')).commits.flatMap((commit) => commit.entries);
    await journal.close();
    expect(entries.map(({ seq }) => seq)).toEqual(everySeq);
    expect(entries.filter(({ note }) => note === 'one').map(({ seq }) => seq)).toEqual(one!.won);
  }, 60_000);

  test('notice a signal of the other one within 100 ms', async () => {
    const url = newUrl('watched');
    const journal = await openJournal(url, { clock });
    const child = startChild('./putting-process.ts', url);
    await hear(child);
    let noticedAt = 0;
    journal.watch('one', () => {
      noticedAt = Date.now();
    });
    await journal.pending('one');
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
}

describe('two processes on one file of SQLite', () =>
  describeTwo((name) => `sqlite:${join(folder, name, 'journal.db')}`));

if (hasPostgres)
  describe('two processes on one PostgreSQL', () => {
    describeTwo(() => server.newUrl());

    test('see at once that the other one died, and take a frozen one for connected', async () => {
      const url = server.newUrl();
      const journal = await openJournal(url, { clock });
      const children = ['dies', 'freezes'].map((name) => startChild('./beating-process.ts', url, name));
      const [dies, freezes] = children;
      const connected = async () =>
        Object.fromEntries((await journal.instances()).map((row) => [row.instance, row.isConnected]));
      try {
        await Promise.all(children.map((child) => hear(child)));
        expect(await connected()).toEqual({ dies: true, freezes: true });
        freezes!.kill('SIGSTOP');
        dies!.kill('SIGKILL');
        await expect.poll(connected).toEqual({ dies: false, freezes: true });
        freezes!.kill('SIGKILL');
        await expect.poll(connected).toEqual({ dies: false, freezes: false });
        await journal.forget('dies');
        expect(await connected()).toEqual({ freezes: false });
      } finally {
        for (const child of children) child.kill('SIGKILL');
        await journal.close();
      }
    });
  });
else test('two processes on one PostgreSQL', needPostgres);
