import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { migrations, readVersion } from '../../src/adapters/journal/migrations.ts';
import { packCommit } from '../../src/adapters/journal/packing.ts';
import { type Migration, newestVersion } from '../../src/adapters/journal/schema-steps.ts';
import { openJournalFile } from '../../src/adapters/journal/sqlite-file.ts';
import { SqliteTables } from '../../src/adapters/journal/sqlite-tables.ts';
import { commitOf } from '../contract/commits.ts';
import { makeFolder } from './folder.ts';

const folder = makeFolder();
const next = newestVersion(migrations) + 1;
const withNext: Migration[] = [
  ...migrations,
  { number: next, sql: 'ALTER TABLE calls ADD COLUMN region TEXT' },
];

describe('the schema', () => {
  test('has steps numbered from 1 without a hole', () => {
    expect(migrations.map(({ number }) => number)).toEqual(migrations.map((_, index) => index + 1));
  });

  test('goes forward from an older file and keeps what it holds', () => {
    const path = join(folder, 'forward.db');
    const older = openJournalFile(path);
    older.exec("INSERT INTO definitions VALUES ('digest', '{}')");
    older.close();
    const newer = openJournalFile(path, withNext);
    expect(readVersion(newer)).toBe(next);
    expect(newer.prepare('SELECT region FROM calls').all()).toEqual([]);
    expect(newer.prepare('SELECT digest FROM definitions').all()).toEqual([{ digest: 'digest' }]);
    newer.close();
    expect(() => openJournalFile(path)).toThrow(expect.objectContaining({ code: 'journal.future' }));
  });

  test('goes forward under the feet of a process that has the file open', () => {
    const path = join(folder, 'shared.db');
    const older = openJournalFile(path);
    openJournalFile(path, withNext).close();
    expect(new SqliteTables(older).append(packCommit(commitOf('a', 1)))).toBe('stored');
    expect(older.prepare('SELECT region FROM calls').all()).toEqual([{ region: null }]);
    older.close();
  });

  test('stays where it was when a step fails', () => {
    const path = join(folder, 'failed.db');
    openJournalFile(path).close();
    const failing = [...withNext, { number: next + 1, sql: 'CREATE TABLE more (x TEXT); NONSENSE' }];
    expect(() => openJournalFile(path, failing)).toThrow(/NONSENSE/);
    const unchanged = openJournalFile(path);
    expect(readVersion(unchanged)).toBe(newestVersion(migrations));
    expect(unchanged.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'more'").all()).toEqual([]);
    unchanged.close();
  });
});
