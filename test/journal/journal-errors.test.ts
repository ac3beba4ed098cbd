import { describe, expect, test } from 'vitest';
import { fromFailure, toFailure, toJournalError } from '../../src/adapters/journal/sqlite-errors.ts';
import { RetryError } from '../../src/runtime/ports/errors.ts';

const sqliteError = (errcode: number) => Object.assign(new Error('from SQLite'), { errcode });

describe('an error of SQLite or the file system', () => {
  test.each([
    ['a lock held too long', sqliteError(5), 'RetryError', 'journal.unavailable'],
    ['a lock held during recovery', sqliteError(261), 'RetryError', 'journal.unavailable'],
    ['a full disk', sqliteError(13), 'RetryError', 'journal.unavailable'],
    ['a write that failed', sqliteError(778), 'RetryError', 'journal.unavailable'],
    ['a read-only file', sqliteError(8), 'RetryError', 'journal.unavailable'],
    ['a file that cannot be opened', sqliteError(14), 'RetryError', 'journal.unavailable'],
    [
      'a missing permission',
      Object.assign(new Error('EACCES'), { code: 'EACCES' }),
      'RetryError',
      'journal.unavailable',
    ],
    ['what is not even an error', 'odd', 'RetryError', 'journal.unavailable'],
    ['a damaged page', sqliteError(11), 'GiveUpError', 'journal.corrupt'],
    ['a damaged index', sqliteError(779), 'GiveUpError', 'journal.corrupt'],
    ['what is no database', sqliteError(26), 'GiveUpError', 'journal.corrupt'],
    ['a value too big', sqliteError(18), 'FixCallError', 'log.invalid'],
    ['a broken constraint', sqliteError(1_555), 'FixCallError', 'log.invalid'],
    ['a value of no type that SQLite knows', new TypeError('cannot be bound'), 'FixCallError', 'log.invalid'],
  ])('that is %s keeps its meaning from thread to thread', (_, error, name, code) => {
    const meant = toJournalError(error, '/the/file.db');
    expect(meant).toMatchObject({ name, code });
    expect(fromFailure(structuredClone(toFailure(meant)))).toMatchObject({
      name,
      code,
      message: meant.message,
    });
  });

  test('that has a code of ours is left as it is', () => {
    const ours = new RetryError('journal.unavailable', 'said before');
    expect(toJournalError(ours, '/the/file.db')).toBe(ours);
  });
});
