import { statSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openJournal } from '../../src/adapters/journal/open-journal.ts';
import { systemClock as clock } from '../../src/platform/clock.ts';
import { commitOf } from '../contract/commits.ts';
import { makeFolder } from './folder.ts';

const folder = makeFolder();

describe('a journal URL', () => {
  test('memory: names a new journal each time', async () => {
    const one = await openJournal('memory:', { clock });
    await one.append(commitOf('a', 1));
    expect(await (await openJournal('memory:', { clock })).list({})).toEqual([]);
  });

  test.each([
    ['absolute', join(folder, 'absolute.db')],
    ['relative to the working directory', relative(process.cwd(), join(folder, 'relative.db'))],
  ])('sqlite: names a file whose path is %s', async (kind, path) => {
    expect(isAbsolute(path)).toBe(kind === 'absolute');
    const journal = await openJournal(`sqlite:${path}`, { clock });
    await journal.close();
    expect(statSync(path).isFile()).toBe(true);
  });

  test.each([
    '',
    'data/holdfast.db',
    'sqlite:',
    'sqlite::memory:',
    'sqlite://host/data.db',
    'sqlite:file:x',
    'memory:x',
    'postgres',
  ])('is refused as %j, and the refusal says which there are', async (url) => {
    await expect(openJournal(url, { clock })).rejects.toMatchObject({
      name: 'FixCallError',
      code: 'journal.url',
      message: expect.stringMatching(/sqlite:PATH.*memory:/),
    });
  });

  test('is not repeated in the refusal, for it may hold a password', async () => {
    const opening = openJournal('mysql://user:secret@host/name', { clock });
    await expect(opening).rejects.toThrow(/not mysql:$/);
  });
});
