/**
 * Owns: transactions, and waiting for the lock that another process holds on the file. Blocks: belongs into a worker
 * thread.
 * Does not own: what is done in them.
 *
 * SQLite's own wait sleeps up to 100 ms at a time and does not wait at all where it fears a deadlock. With two
 * processes of 2,500 commits a second each, it made the slowest hundredth of them wait 10 to 23 ms; this one 3 ms.
 */
import type { DatabaseSync } from 'node:sqlite';
import { sqliteErrorNumber } from './sqlite-errors.ts';

/** After this long the error `SQLITE_BUSY` is let through. */
export const lockTimeoutMs = 2_000;

const shortestPauseMs = 0.2;
/** Long waits look less often: the pause is this part of what has been waited. */
const pauseShare = 1 / 50;

/** SQLite, Result Codes: SQLITE_BUSY. */
const busy = 5;

const neverNotified = new Int32Array(new SharedArrayBuffer(4));

/** Repeats `action`, which must change nothing when it throws, until it finds the lock free. */
export function waitForLock<Result>(action: () => Result): Result {
  const start = performance.now();
  for (;;) {
    try {
      return action();
    } catch (error) {
      const waitedMs = performance.now() - start;
      if (sqliteErrorNumber(error) !== busy || waitedMs > lockTimeoutMs) throw error;
      Atomics.wait(neverNotified, 0, 0, Math.max(shortestPauseMs, waitedMs * pauseShare));
    }
  }
}

/** All of `work` or nothing. `IMMEDIATE` takes the file's one write lock first, so that what `work` reads stays true. */
export function inTransaction<Result>(
  database: DatabaseSync,
  kind: 'IMMEDIATE' | 'DEFERRED',
  work: () => Result,
): Result {
  waitForLock(() => database.exec(`BEGIN ${kind}`));
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
