/** `erase`: after a yes, of one call that has ended or of all that ended long ago. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteJournal } from '../../src/adapters/journal/sqlite.ts';
import { current } from '../../src/machines/charts/table.ts';
import { systemClock as clock } from '../../src/platform/clock.ts';
import type { Journal } from '../../src/runtime/ports/journal.ts';
import { commitOf, endedAt } from '../contract/commits.ts';
import { type CallFolder, endedCall, folderWithCalls, liveCall } from './journal-of-calls.ts';
import { type Person, run } from './run-command.ts';

let folder: CallFolder;
let journal: Journal;
beforeEach(async () => {
  folder = await folderWithCalls();
  journal = await openSqliteJournal(folder.journalPath, { clock });
});
afterEach(async () => {
  await journal.close();
  folder.remove();
});

const runHere = (words: string, person?: Person) =>
  run(words, { JOURNAL_URL: `sqlite:${folder.journalPath}` }, person);
const left = async (callId: string) => (await journal.readPayloads(callId)).length;
const dayMs = 24 * 60 * 60 * 1_000;

describe('erase of one call', () => {
  it.each(['n', '', 'maybe'])('leaves all as it is where the answer is %j', async (answer) => {
    const before = await left(endedCall);
    const { code, out, error } = await runHere(`erase ${endedCall}`, { answer });
    expect([code, out]).toEqual([0, 'Nothing was erased.']);
    expect(error).toContain(`call ${endedCall}`);
    expect(await left(endedCall)).toBe(before);
  });

  it.each<[string, Person]>([
    ['', { answer: 'y' }],
    ['', { answer: 'YES ' }],
    [' --yes', {}],
  ])('erases after a yes, and the log says who did it (%j, %j)', async (more, person) => {
    const pieces = await left(endedCall);
    const { code, out } = await runHere(`erase ${endedCall}${more}`, person);
    expect([code, out]).toEqual([0, expect.stringContaining(`${pieces} pieces of personal data erased`)]);
    expect(await left(endedCall)).toBe(0);
    expect((await journal.read(endedCall)).commits.at(-1)?.entries).toMatchObject([
      { type: 'payloads.erased', by: 'operator', operator: 'ann', payloads: pieces },
    ]);
    expect((await runHere(`erase ${endedCall} -y`)).out).toBe(`Nothing was left of call ${endedCall}.`);
  });

  it('needs a yes on the command line where nobody can be asked', async () => {
    const { code, error } = await runHere(`erase ${endedCall}`);
    expect([code, error]).toEqual([2, expect.stringContaining('add --yes')]);
    expect(await left(endedCall)).toBeGreaterThan(0);
  });

  it('refuses a live call, and one that nobody knows', async () => {
    const refused = await runHere(`erase ${liveCall} --yes`);
    expect([refused.code, refused.error]).toEqual([1, `The call ${liveCall} has not ended yet.`]);
    expect(await left(liveCall)).toBeGreaterThan(0);
    expect(await runHere('erase nobody --yes')).toMatchObject({
      code: 1,
      error: expect.stringContaining('nobody'),
    });
  });
});

describe('erase by age', () => {
  it('erases every call that ended longer ago, and no other one', async () => {
    for (let index = 0; index < 120; index += 1) {
      const ended = Date.now() - (index < 110 ? 31 : 29) * dayMs;
      const row = { ...endedAt(ended), startedAt: ended - 1 };
      await journal.append(
        commitOf(`aged-${index}`, 1, { row, payloads: [{ seq: 1, name: 'from', content: 'abc' }] }),
      );
    }
    const { code, out, error } = await runHere('erase --older-than 30d', { answer: 'y' });
    // The recorded call ended long ago as well.
    expect([code, out]).toEqual([0, expect.stringMatching(/^111 calls: \d+ pieces of personal data erased/)]);
    expect(error).toMatch(/every call that ended before \d{4}-\d\d-\d\d \d\d:\d\d UTC/);
    const rows = await journal.list({ hasPayloads: true, limit: 500 });
    expect(rows.map(({ callId }) => callId).sort()).toEqual(
      [liveCall, ...Array.from({ length: 10 }, (_, index) => `aged-${110 + index}`)].sort(),
    );
    expect((await runHere('erase --older-than 30d', { answer: 'y' })).out).toContain('No call');
  });

  it('leaves the calls of a newer version as they are, erases all others, and says so', async () => {
    const ended = Date.now() - 31 * dayMs;
    const row = { ...endedAt(ended), startedAt: ended - 1 };
    const commit = commitOf('newer', 1, { row, payloads: [{ seq: 1, name: 'from', content: 'abc' }] });
    const created = { seq: 1, at: ended - 1, type: 'call.created', chart: current.number + 1, format: 1 };
    await journal.append({ ...commit, entries: [created] });
    const { code, error } = await runHere('erase --older-than 30d --yes');
    expect([code, error]).toEqual([
      1,
      expect.stringMatching(/^1 call: \d+ pieces .*; 1 call of a newer Holdfast left/),
    ]);
    expect([await left(endedCall), await left('newer')]).toEqual([0, 1]);
    expect(await runHere('erase newer --yes')).toMatchObject({
      code: 1,
      error: expect.stringContaining('use the newer one'),
    });
    expect((await journal.read('newer', { fromStart: true })).commits).toHaveLength(1);
  });

  it('asks first', async () => {
    expect((await runHere('erase --older-than 1d', { answer: 'no' })).out).toBe('Nothing was erased.');
    expect(await left(endedCall)).toBeGreaterThan(0);
  });

  it.each(['erase', `erase ${endedCall} --older-than 3d`, 'erase --older-than 3h', 'erase --older-than 0d'])(
    'makes no sense as %s',
    async (words) => {
      expect((await runHere(`${words} --yes`)).code).toBe(2);
      expect(await left(endedCall)).toBeGreaterThan(0);
    },
  );
});
