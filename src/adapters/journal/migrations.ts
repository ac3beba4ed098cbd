/**
 * Owns: the SQLite schema, as the numbered steps that lead to it, and the way forward from any older one.
 * Does not own: whether a file is a journal at all (`sqlite-file.ts`).
 *
 * A step is never edited once released, and only adds: processes of the version before it may still be running on
 * the file. `PRAGMA user_version` holds the number of the last step taken.
 */
import type { DatabaseSync } from 'node:sqlite';
import { type Migration, newestVersion } from './schema-steps.ts';
import { inTransaction } from './sqlite-transaction.ts';

/** Times are milliseconds since the epoch; `entries`, `state`, `signal`, `definition` and `detail` are JSON text. */
export const migrations: readonly Migration[] = [
  {
    number: 1,
    sql: `
      CREATE TABLE calls (
        call_id TEXT PRIMARY KEY,
        carrier_call_id TEXT,
        direction TEXT NOT NULL,
        owner TEXT,
        started_at INTEGER NOT NULL,
        ended_at INTEGER,
        end_reason TEXT,
        last_seq INTEGER NOT NULL,
        state TEXT NOT NULL,
        delivered INTEGER NOT NULL DEFAULT 0
      ) STRICT, WITHOUT ROWID;
      CREATE UNIQUE INDEX calls_by_carrier_id ON calls (carrier_call_id) WHERE carrier_call_id IS NOT NULL;
      CREATE INDEX calls_by_start ON calls (started_at, call_id);
      CREATE INDEX calls_live ON calls (started_at, call_id) WHERE ended_at IS NULL;
      CREATE INDEX calls_by_owner ON calls (owner) WHERE owner IS NOT NULL;
      CREATE INDEX calls_undelivered ON calls (ended_at, call_id) WHERE ended_at IS NOT NULL AND delivered = 0;

      CREATE TABLE commits (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        call_id TEXT NOT NULL,
        first_seq INTEGER NOT NULL,
        last_seq INTEGER NOT NULL,
        entries TEXT NOT NULL,
        state TEXT NOT NULL
      ) STRICT;
      CREATE UNIQUE INDEX commits_by_call ON commits (call_id, first_seq);

      CREATE TABLE checkpoints (
        call_id TEXT PRIMARY KEY,
        seq INTEGER NOT NULL,
        state TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE payloads (
        call_id TEXT NOT NULL,
        seq INTEGER NOT NULL,
        name TEXT NOT NULL,
        content TEXT NOT NULL,
        PRIMARY KEY (call_id, seq, name)
      ) STRICT, WITHOUT ROWID;

      -- A taken signal keeps its id, against a second put, and loses its content, which may be personal data.
      CREATE TABLE inbox (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        call_id TEXT NOT NULL,
        signal TEXT,
        taken_seq INTEGER
      ) STRICT;
      CREATE INDEX inbox_waiting ON inbox (call_id) WHERE taken_seq IS NULL;

      CREATE TABLE instances (
        instance TEXT PRIMARY KEY,
        pid INTEGER NOT NULL,
        host TEXT NOT NULL,
        ready INTEGER NOT NULL,
        started_at INTEGER NOT NULL,
        beat_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE definitions (
        digest TEXT PRIMARY KEY,
        definition TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    number: 2,
    /**
     * SQLite leaves copies behind in a page's unused space when it moves a row to another page, which it does as rows
     * come between others or go. So contents are now only added at a table's end, and zeroed in place: neither moves
     * a row. To processes of step 1 `payloads` looks as before. The rows that are there stay where they are; what
     * their pages keep of them after an erasure goes with `VACUUM` alone.
     */
    sql: `
      ALTER TABLE payloads RENAME TO older_payloads;

      CREATE TABLE payload_contents (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        call_id TEXT NOT NULL,
        seq INTEGER NOT NULL,
        name TEXT NOT NULL,
        content TEXT NOT NULL,
        erased INTEGER NOT NULL DEFAULT 0
      ) STRICT;
      CREATE UNIQUE INDEX payload_contents_left ON payload_contents (call_id, seq, name) WHERE erased = 0;

      CREATE VIEW payloads AS
        SELECT call_id, seq, name, content FROM older_payloads
        UNION ALL
        SELECT call_id, seq, name, content FROM payload_contents WHERE erased = 0;
      CREATE TRIGGER payloads_insert INSTEAD OF INSERT ON payloads BEGIN
        INSERT INTO payload_contents (call_id, seq, name, content)
        VALUES (NEW.call_id, NEW.seq, NEW.name, NEW.content);
      END;

      -- How often was erased, and up to which of these the write-ahead log holds nothing of it any more.
      CREATE TABLE erasures (erased INTEGER NOT NULL, scrubbed INTEGER NOT NULL) STRICT;
      INSERT INTO erasures VALUES (0, 0);

      ALTER TABLE instances ADD COLUMN address TEXT;

      CREATE TABLE instance_facts (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        instance TEXT NOT NULL,
        at INTEGER NOT NULL,
        type TEXT NOT NULL,
        detail TEXT NOT NULL
      ) STRICT;
      CREATE INDEX instance_facts_by_instance ON instance_facts (instance, at, position);
      CREATE INDEX instance_facts_by_time ON instance_facts (at, position);
    `,
  },
];

export function readVersion(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.user_version);
}

/** Takes every step that is missing, all or none. Waits for another process that is at it. */
export function migrate(database: DatabaseSync, steps: readonly Migration[] = migrations): void {
  inTransaction(database, 'IMMEDIATE', () => {
    const version = readVersion(database);
    for (const { number, sql } of steps) if (number > version) database.exec(sql);
    database.exec(`PRAGMA user_version = ${Math.max(version, newestVersion(steps))}`);
  });
}
