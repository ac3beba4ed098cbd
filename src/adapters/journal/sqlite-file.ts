/**
 * Owns: opening a SQLite journal file: what it refuses, how it makes a new one, how the connection is set.
 * Does not own: the tables (`migrations.ts`), what is read and written (`sqlite-tables.ts`).
 *
 * Invariants:
 * J6. A file that is refused keeps every byte.
 * J7. From its first byte on, a file of ours carries our application id: anything else is somebody else's.
 */
import { closeSync, existsSync, mkdirSync, openSync, readSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GiveUpError, RetryError } from '../../runtime/ports/errors.ts';
import { migrate, migrations, readVersion } from './migrations.ts';
import { type Migration, newestVersion, refuseNewer } from './schema-steps.ts';
import { genericError, sqliteErrorNumber, toJournalError } from './sqlite-errors.ts';
import { inTransaction, waitForLock } from './sqlite-transaction.ts';

/** "Hold" in ASCII (SQLite, PRAGMA application_id). */
export const applicationId = 0x48_6f_6c_64;

/**
 * SQLite, Database File Format, section 1.3: the header's length, its first 16 bytes, where the application id is, and
 * the versions that are needed to write and to read the file, at most 2 so far.
 */
const headerBytes = 100;
const headerMagic = 'SQLite format 3\0';
const applicationIdOffset = 68;
const versionOffsets = [18, 19] as const;
const newestFormat = 2;

const writeAheadAttempts = 10;

/** A larger file is not checked page by page at start: that would take longer than a caller waits. */
const checkedFileBytes = 64 * 1024 * 1024;

/**
 * Opens the journal at `path`, creates it where there is none or an empty file.
 * Blocks: belongs into a worker thread.
 *
 * @throws GiveUpError `journal.corrupt`, `journal.future`; RetryError `journal.unavailable`
 */
export function openJournalFile(path: string, steps: readonly Migration[] = migrations): DatabaseSync {
  try {
    if (isNew(path)) createEmpty(path);
    else refuseForeign(path, steps);
    return connect(path, steps);
  } catch (error) {
    if (sqliteErrorNumber(error) === genericError) throw corrupt(path, (error as Error).message);
    throw toJournalError(error, path);
  }
}

/** The log beside it is looked at first: another process that creates the journal writes the file before the log. */
function isNew(path: string): boolean {
  const logBytes = sizeOf(logOf(path));
  if (sizeOf(path) > 0) return false;
  if (logBytes > 0) throw corrupt(path, 'it is gone but its write-ahead log is not');
  return true;
}

function logOf(path: string): string {
  return `${path}-wal`;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** It will hold personal data: for this user only. SQLite gives the files beside it the same mode. */
function createEmpty(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
}

function refuseForeign(path: string, steps: readonly Migration[]): void {
  const header = readHeader(path);
  if (header.length < headerBytes || header.toString('latin1', 0, headerMagic.length) !== headerMagic)
    throw corrupt(path, 'it is not a SQLite file');
  if (header.readUInt32BE(applicationIdOffset) !== applicationId)
    throw corrupt(path, 'it belongs to another application');
  if (versionOffsets.some((offset) => header.readUInt8(offset) > newestFormat))
    throw corrupt(path, 'no SQLite of today writes its format');
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    waitForLock(() => refuseDamaged(database, path, steps));
  } finally {
    database.close();
  }
}

function readHeader(path: string): Buffer {
  const descriptor = openSync(path, 'r');
  try {
    const header = Buffer.alloc(headerBytes);
    return header.subarray(0, readSync(descriptor, header, 0, headerBytes, 0));
  } finally {
    closeSync(descriptor);
  }
}

function refuseDamaged(database: DatabaseSync, path: string, steps: readonly Migration[]): void {
  refuseNewer(path, readVersion(database), steps);
  const size = sizeOf(path);
  if (size % readPageBytes(database) !== 0 && sizeOf(logOf(path)) === 0)
    throw corrupt(path, 'its end is missing');
  if (size > checkedFileBytes) return;
  const verdict = database.prepare('PRAGMA quick_check(1)').get()?.quick_check;
  if (verdict !== 'ok') throw corrupt(path, 'its pages do not hold together');
}

function readPageBytes(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA page_size').get()?.page_size);
}

function connect(path: string, steps: readonly Migration[]): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    waitForLock(() => {
      enterWriteAheadMode(database);
      database.exec('PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = ON');
      if (readVersion(database) < newestVersion(steps)) migrate(database, steps);
    });
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * A new file gets its application id with its first page and without a rollback journal: whatever a crash leaves
 * behind is either empty or ours. `auto_vacuum` must come before that page, and lets the file shrink one day.
 * Another process that opens the same new file may undo a step before this one holds the file: so look again.
 */
function enterWriteAheadMode(database: DatabaseSync): void {
  for (let attempt = 0; !isInWriteAheadMode(database); attempt += 1) {
    if (attempt === writeAheadAttempts)
      throw new RetryError('journal.unavailable', 'the file system does not let processes share memory');
    database.exec('PRAGMA journal_mode = MEMORY');
    inTransaction(database, 'DEFERRED', () => {
      database.exec(`PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = ${applicationId}`);
    });
    database.exec('PRAGMA journal_mode = WAL');
  }
}

function isInWriteAheadMode(database: DatabaseSync): boolean {
  return database.prepare('PRAGMA journal_mode').get()?.journal_mode === 'wal';
}

function corrupt(path: string, reason: string): GiveUpError {
  return new GiveUpError(
    'journal.corrupt',
    `${path} is not a usable Holdfast journal: ${reason}. Nothing was written.`,
  );
}
