import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { openJournal } from '../../src/adapters/journal/open-journal.ts';
import { applicationId, openJournalFile } from '../../src/adapters/journal/sqlite-file.ts';
import { systemClock as clock } from '../../src/platform/clock.ts';
import { commitOf } from '../contract/commits.ts';
import { makeFolder } from './folder.ts';

const folder = makeFolder();
/** SQLite's default page size. */
const pageBytes = 4_096;
let files = 0;

function fileWith(bytes: Uint8Array | string): string {
  files += 1;
  const path = join(folder, `file-${files}.db`);
  writeFileSync(path, bytes);
  return path;
}

/** Opens and closes the file in this thread. Returns what was thrown. */
function refusalOf(path: string): { name: string; code: string; message: string } | null {
  try {
    openJournalFile(path).close();
    return null;
  } catch (error) {
    return error as { name: string; code: string; message: string };
  }
}

function expectRefusedUntouched(path: string, code = 'journal.corrupt'): void {
  const before = readFileSync(path);
  const refusal = refusalOf(path);
  expect(refusal).toMatchObject({ name: 'GiveUpError', code });
  expect(refusal?.message).toContain(path);
  expect(readFileSync(path).equals(before)).toBe(true);
}

/** A journal with a few hundred commits, closed in order. */
let journalBytes: Buffer;

beforeAll(async () => {
  const path = join(folder, 'good.db');
  const journal = await openJournal(`sqlite:${path}`, { clock });
  const payloads = [{ seq: 1, name: 'text', content: 'words '.repeat(50) }];
  for (let index = 0; index < 200; index += 1)
    await journal.append(
      commitOf(`call-${index}`, 1, { payloads, checkpoint: { index }, note: 'x'.repeat(200) }),
    );
  await journal.close();
  journalBytes = readFileSync(path);
});

describe('a file that is no journal', () => {
  test('is refused by name, without a change and without files beside it', async () => {
    const path = fileWith('This is my shopping list. '.repeat(500));
    const before = readFileSync(path);
    await expect(openJournal(`sqlite:${path}`, { clock })).rejects.toMatchObject({
      name: 'GiveUpError',
      code: 'journal.corrupt',
      message: expect.stringContaining(path),
    });
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(
      readdirSync(folder).filter((name) => path.endsWith(name.replace(/-(wal|shm|journal)$/, ''))),
    ).toHaveLength(1);
  });

  test('is refused whatever bytes it has', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc
        .uint8Array({ minLength: 1, maxLength: 300 })
        .map((tail) => Buffer.from([...Buffer.from('SQLite format 3\0'), ...tail])),
      fc.uint8Array({ minLength: 1, maxLength: 9_000, size: 'max' }),
    );
    fc.assert(
      fc.property(bytes, (content) => expectRefusedUntouched(fileWith(content))),
      { numRuns: 100 },
    );
  });

  test.each(['DELETE', 'WAL'])('is refused when it is another application’s database in mode %s', (mode) => {
    const path = join(folder, `foreign-${mode}.db`);
    const foreign = new DatabaseSync(path);
    foreign.exec(
      `PRAGMA journal_mode = ${mode}; CREATE TABLE contacts (name TEXT); INSERT INTO contacts VALUES ('Ann')`,
    );
    expectRefusedUntouched(path);
    expect(foreign.prepare('SELECT name FROM contacts').all()).toEqual([{ name: 'Ann' }]);
    foreign.close();
  });

  test('is refused when it bears our application id and nothing else of ours', () => {
    const header = Buffer.from(journalBytes.subarray(0, pageBytes)).fill(7, 100);
    expectRefusedUntouched(fileWith(header));
  });

  test('is refused when it is gone but its write-ahead log is left', () => {
    const path = join(folder, 'gone.db');
    writeFileSync(`${path}-wal`, 'what was not copied yet');
    expect(refusalOf(path)).toMatchObject({ code: 'journal.corrupt' });
    expect(existsSync(path)).toBe(false);
    expect(readFileSync(`${path}-wal`, 'utf8')).toBe('what was not copied yet');
  });

  test('is unavailable, not damaged, when it is a folder', () => {
    const path = join(folder, 'folder.db');
    mkdirSync(path);
    expect(refusalOf(path)).toMatchObject({ name: 'RetryError', code: 'journal.unavailable' });
  });
});

describe('a damaged journal', () => {
  test('is refused when it was cut off anywhere', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: journalBytes.length - 1 }), (length) =>
        expectRefusedUntouched(fileWith(journalBytes.subarray(0, length))),
      ),
      { numRuns: 100 },
    );
  });

  test('is refused untouched or opens, wherever bytes were overwritten', () => {
    const damage = fc.record({
      offset: fc.integer({ min: 0, max: journalBytes.length - 1 }),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 2_000, size: 'max' }),
    });
    let refused = 0;
    fc.assert(
      fc.property(damage, ({ offset, bytes }) => {
        const damaged = Buffer.from(journalBytes);
        damaged.set(bytes.subarray(0, damaged.length - offset), offset);
        const path = fileWith(damaged);
        const refusal = refusalOf(path);
        if (refusal === null) return;
        refused += 1;
        expect(refusal.code).toMatch(/^journal\.(corrupt|future)$/);
        expect(readFileSync(path).equals(damaged)).toBe(true);
      }),
      { numRuns: 150 },
    );
    expect(refused).toBeGreaterThan(0);
  });

  test('is refused untouched or opens, whichever byte of its header was changed', () => {
    const changes = [1, 2, 3, 0x40, 0x80, 0xff];
    const cases = Array.from({ length: 100 }, (_, offset) => changes.map((change) => ({ offset, change })));
    const codes = cases.flat().map(({ offset, change }) => {
      const damaged = Buffer.from(journalBytes);
      damaged.writeUInt8((damaged.readUInt8(offset) + change) & 0xff, offset);
      const path = fileWith(damaged);
      const code = refusalOf(path)?.code ?? 'opens';
      if (code !== 'opens') expect(readFileSync(path).equals(damaged)).toBe(true);
      return `${code} ${offset}`;
    });
    const wrong = codes.filter((code) => !/^(opens|journal\.corrupt|journal\.future) /.test(code));
    expect(wrong).toEqual([]);
    expect(codes.filter((code) => code.startsWith('journal.corrupt')).length).toBeGreaterThan(100);
  });

  test('is refused when any of its pages holds something else', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: journalBytes.length / pageBytes - 1 }), (page) => {
        const damaged = Buffer.from(journalBytes).fill(0xee, page * pageBytes, (page + 1) * pageBytes);
        expectRefusedUntouched(fileWith(damaged));
      }),
      { numRuns: 60 },
    );
  });
});

describe('a journal of a newer version', () => {
  test('is refused untouched, and so is what its last process left in the write-ahead log', () => {
    const newer = openJournalFile(join(folder, 'newer.db'));
    newer.exec('PRAGMA user_version = 999');
    const path = join(folder, 'newer-killed.db');
    for (const suffix of ['', '-wal']) copyFileSync(join(folder, `newer.db${suffix}`), path + suffix);
    newer.close();
    const log = readFileSync(`${path}-wal`);
    expectRefusedUntouched(path, 'journal.future');
    expect(readFileSync(`${path}-wal`).equals(log)).toBe(true);
  });
});

describe('a file that is a journal', () => {
  test('opens when it is empty, and becomes one', () => {
    const path = fileWith('');
    openJournalFile(path).close();
    expect(readFileSync(path).readUInt32BE(68)).toBe(applicationId);
    expect(refusalOf(path)).toBeNull();
  });

  test('opens after a crash at any step of its creation', () => {
    const path = fileWith('');
    const crashed = new DatabaseSync(path);
    crashed.exec(`PRAGMA journal_mode = MEMORY; PRAGMA application_id = ${applicationId}`);
    crashed.close();
    const reopened = openJournalFile(path);
    expect(reopened.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    reopened.close();
  });

  test('opens with what a killed process left in the write-ahead log', () => {
    const live = openJournalFile(join(folder, 'live.db'));
    live.exec("INSERT INTO definitions VALUES ('digest', '{}')");
    const path = join(folder, 'killed.db');
    for (const suffix of ['', '-wal']) copyFileSync(join(folder, `live.db${suffix}`), path + suffix);
    live.close();
    const reopened = openJournalFile(path);
    expect(reopened.prepare('SELECT digest FROM definitions').all()).toEqual([{ digest: 'digest' }]);
    reopened.close();
  });

  test('is made with its folders, for this user only', () => {
    const path = join(folder, 'new', 'deeper', 'journal.db');
    const database = openJournalFile(path);
    const mode = (name: string) => (statSync(name).mode & 0o777).toString(8);
    expect(['', '-wal', '-shm'].map((suffix) => mode(path + suffix))).toEqual(['600', '600', '600']);
    expect(mode(join(folder, 'new'))).toBe('700');
    expect(mode(join(folder, 'new', 'deeper'))).toBe('700');
    database.close();
  });

  test('is written with full synchronisation in write-ahead mode and never locked for one process', () => {
    const database = openJournalFile(join(folder, 'settings.db'));
    const setting = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    expect(setting('journal_mode')).toBe('wal');
    expect(setting('synchronous')).toBe(2);
    expect(setting('locking_mode')).toBe('normal');
    expect(setting('auto_vacuum')).toBe(2);
    expect(setting('secure_delete')).toBe(1);
    database.close();
  });
});
