/**
 * Owns: the length of the write-ahead log, and that nothing erased stays in it.
 * Does not own: what is written (`sqlite-tables.ts`).
 *
 * Invariants:
 * J8. Erased content is zeroed in its pages with the commit that erases; older copies of these pages lie in the log
 *     until it is cut to nothing. That takes a moment in which no other process writes or still reads what was before,
 *     so it is tried until it succeeds. The file counts what is owed: whoever has it open or opens it next pays.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** After this many writing turns the write-ahead log is copied into the file (SQLite, PRAGMA wal_checkpoint). */
const turnsPerCheckpoint = 200;

/** 16 MB. */
const longLogPages = 4_096;

const firstRetryMs = 20;
const longestRetryMs = 2_000;

const statements = {
  erasures: 'SELECT erased, scrubbed FROM erasures',
  markScrubbed: 'UPDATE erasures SET scrubbed = ?1 WHERE scrubbed < ?1',
};

export class WriteAheadLog {
  readonly #database: DatabaseSync;
  readonly #erasures: StatementSync;
  #turnsSinceCheckpoint = 0;
  #isLong = false;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = firstRetryMs;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#erasures = database.prepare(statements.erasures);
  }

  /**
   * The log begins anew when a writer finds all of it copied. While two processes write that hardly ever happens, so a
   * long log is copied after every turn.
   */
  afterTurn({ erased }: { erased: boolean }): void {
    this.#turnsSinceCheckpoint += 1;
    const isDue = this.#isLong || this.#turnsSinceCheckpoint >= turnsPerCheckpoint;
    if (isDue) this.#copy();
    if (isDue || erased) this.scrub();
  }

  /** Nothing is lost where it fails: the log keeps what the file did not take, and the fault shows in the next turn. */
  #copy(): void {
    this.#turnsSinceCheckpoint = 0;
    try {
      const pages = this.#database.prepare('PRAGMA wal_checkpoint(PASSIVE)').get()?.log;
      this.#isLong = Number(pages) > longLogPages;
    } catch {
      // See above.
    }
  }

  /** Cuts the log to nothing where an erasure asks for it, now or as soon as the others let it. */
  scrub(): void {
    if (this.#retry !== undefined || this.#isScrubbed()) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#retryMs = Math.min(this.#retryMs * 2, longestRetryMs);
      this.scrub();
    }, this.#retryMs);
  }

  #isScrubbed(): boolean {
    try {
      const { erased, scrubbed } = this.#readErasures();
      if (scrubbed >= erased) return true;
      if (this.#database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.busy !== 0) return false;
      this.#database.prepare(statements.markScrubbed).run(erased);
      this.#retryMs = firstRetryMs;
      return true;
    } catch {
      return false;
    }
  }

  #readErasures(): { erased: number; scrubbed: number } {
    const row = this.#erasures.get();
    return { erased: Number(row?.erased), scrubbed: Number(row?.scrubbed) };
  }

  /** One last try: what it leaves, the next one who opens the file finds. */
  stop(): void {
    clearTimeout(this.#retry);
    this.#isScrubbed();
  }
}
