/** `instances`: who shares the journal, and what happened to them. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSqliteJournal } from '../../src/adapters/journal/sqlite.ts';
import { systemClock as clock } from '../../src/platform/clock.ts';
import { type CallFolder, folderWithCalls } from './journal-of-calls.ts';
import { run } from './run-command.ts';

let folder: CallFolder;
const runHere = (words: string) => run(words, { JOURNAL_URL: `sqlite:${folder.journalPath}` });
beforeAll(async () => {
  folder = await folderWithCalls();
});
afterAll(() => folder.remove());

it('lists the processes that beat, and says where there is none', async () => {
  expect((await runHere('instances')).out).toBe('No process has this journal open now.');
  const journal = await openSqliteJournal(folder.journalPath, { clock });
  const row = { pid: 7, host: 'h', ready: true, startedAt: 1_000 };
  await journal.beat({ instance: 'one', ...row, address: 'http://127.0.0.1:8081' });
  await journal.beat({ instance: 'two', ...row, ready: false, address: null });
  const [head = '', one = '', two = ''] = (await runHere('instances')).out.split('\n');
  expect(one).toMatch(/^one +1970-01-01 00:00:01 UTC +yes .* http:\/\/127.0.0.1:8081 \(process 7\)$/);
  expect(two).toMatch(/^two +1970-01-01 00:00:01 UTC +no .* - \(process 7\)$/);
  expect(one.indexOf('1970')).toBe(head.indexOf('started'));
  expect(one.indexOf('http')).toBe(head.indexOf('address'));
  expect(JSON.parse((await runHere('instances --json')).out)).toMatchObject([
    { instance: 'one' },
    { instance: 'two' },
  ]);
  await journal.close();
});

it('lists what happened, the newest last', async () => {
  const lines = (await runHere('instances --log')).out.split('\n');
  expect(lines).toHaveLength(4);
  expect(lines[0]).toMatch(
    /^2025-12-31 23:59:59 UTC {2}one +instance\.started +version="0\.2\.0" node="26"$/,
  );
  expect(lines[3]).toMatch(/ one +calls\.moved +count=3$/);
  const { out } = await runHere('instances --log --json --limit 1');
  expect(JSON.parse(out)).toMatchObject([{ type: 'calls.moved', detail: { count: 3 } }]);
  expect((await runHere('instances more')).code).toBe(2);
});
