/**
 * Owns: noticing that somebody committed to a call that is followed, in the worker's thread.
 * Does not own: who follows (`followers.ts`, on the main thread).
 *
 * A look is one number that SQLite keeps in shared memory (PRAGMA data_version); the table is asked only when it has
 * changed. Nobody looks while nobody follows. A commit of this connection does not change that number: it is told with
 * its turn.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** Two looks fit into the 50 ms within which a commit must be told. */
const feedPollMs = 20;

const statements = {
  newest: 'SELECT coalesce(max(position), 0) AS position FROM commits',
  changed: 'SELECT DISTINCT call_id AS callId FROM commits WHERE position > ? AND position <= ?',
  version: 'PRAGMA data_version',
};

export class SqliteFeed {
  readonly #newestRow: StatementSync;
  readonly #changedRows: StatementSync;
  readonly #versionRow: StatementSync;
  readonly #tell: (callIds: string[]) => void;
  #any = false;
  #followed: ReadonlySet<string> = new Set();
  #poll: NodeJS.Timeout | undefined;
  #version: unknown;
  #position = 0;

  constructor(database: DatabaseSync, tell: (callIds: string[]) => void) {
    this.#newestRow = database.prepare(statements.newest);
    this.#changedRows = database.prepare(statements.changed);
    this.#versionRow = database.prepare(statements.version);
    this.#tell = tell;
  }

  /** Whoever begins to follow is told at once: a commit may have come while their wish was on its way. */
  follow({ any, callIds }: { any: boolean; callIds: readonly string[] }): void {
    const begun = callIds.filter((callId) => !this.#followed.has(callId));
    const isNews = begun.length > 0 || (any && !this.#any);
    this.#any = any;
    this.#followed = new Set(callIds);
    if (!any && callIds.length === 0) this.stop();
    else if (this.#poll === undefined) this.#begin();
    if (isNews) this.#tell(begun);
  }

  #begin(): void {
    this.#quietly(() => {
      this.#version = this.#readVersion();
      this.#position = this.#newest();
    });
    this.#poll = setInterval(() => this.#look(), feedPollMs);
  }

  stop(): void {
    clearInterval(this.#poll);
    this.#poll = undefined;
  }

  #look(): void {
    this.#quietly(() => {
      const version = this.#readVersion();
      if (version === this.#version) return;
      this.notice();
      this.#version = version;
    });
  }

  /** Tells of what was committed since the last time, if anybody follows it. */
  notice(): void {
    if (this.#poll !== undefined) this.#quietly(() => this.#noticeCommits());
  }

  #noticeCommits(): void {
    const newest = this.#newest();
    const rows = this.#changedRows.all(this.#position, newest);
    this.#position = newest;
    const changed = rows.map(({ callId }) => String(callId)).filter((callId) => this.#followed.has(callId));
    if (changed.length > 0 || (this.#any && rows.length > 0)) this.#tell(changed);
  }

  /** A look that fails is no news: the next one is soon, and the fault shows in the requests. */
  #quietly(work: () => void): void {
    try {
      work();
    } catch {
      // See above.
    }
  }

  #readVersion(): unknown {
    return this.#versionRow.get()?.data_version;
  }

  #newest(): number {
    return Number(this.#newestRow.get()?.position);
  }
}
