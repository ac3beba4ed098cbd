/**
 * Owns: the PostgreSQL schema, as the numbered steps that lead to it, and the way forward from any older one.
 * Does not own: what is read and written (`statements.ts`).
 *
 * A step is never edited once released, and only adds: processes of the version before it may still be running on the
 * schema. `journal_version` holds the number of the last step taken.
 */
import { GiveUpError } from '../../../runtime/ports/errors.ts';
import { type Migration, newestVersion, refuseNewer } from '../schema-steps.ts';
import type { PostgresConnection } from './connection.ts';
import { stateOf } from './failures.ts';

/**
 * Texts compare by bytes and know upper and lower case of ASCII alone, whatever the database's locale: as in SQLite.
 * `entries`, `state`, `signal`, `definition` and `detail` are JSON text and no `jsonb`, which would neither keep a NUL nor
 * the order of fields. `payloads.content` is escaped text (`escaping.ts`).
 *
 * A page of `calls`, `checkpoints` and `instances` keeps room for a row's next version: what is updated all the time then
 * touches no index. Erased contents lie in dead rows until a vacuum: `payloads` and `inbox` get one as soon as there is
 * any.
 */
export const migrations: readonly Migration[] = [
  {
    number: 1,
    sql: `
      CREATE TABLE calls (
        call_id text COLLATE "C" PRIMARY KEY,
        carrier_call_id text COLLATE "C",
        direction text COLLATE "C" NOT NULL,
        owner text COLLATE "C",
        started_at bigint NOT NULL,
        ended_at bigint,
        end_reason text COLLATE "C",
        last_seq bigint NOT NULL,
        state text NOT NULL,
        delivered boolean NOT NULL DEFAULT false
      ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
      CREATE UNIQUE INDEX calls_by_carrier_id ON calls (carrier_call_id) WHERE carrier_call_id IS NOT NULL;
      CREATE INDEX calls_by_start ON calls (started_at, call_id);
      CREATE INDEX calls_live ON calls (started_at, call_id) WHERE ended_at IS NULL;
      CREATE INDEX calls_by_owner ON calls (owner) WHERE owner IS NOT NULL;
      CREATE INDEX calls_undelivered ON calls (ended_at, call_id) WHERE ended_at IS NOT NULL AND NOT delivered;

      -- The id tells a commit of ours from another one with the same seqs, where an answer was lost.
      CREATE TABLE commits (
        call_id text COLLATE "C" NOT NULL,
        first_seq bigint NOT NULL,
        last_seq bigint NOT NULL,
        id uuid NOT NULL,
        entries text NOT NULL,
        state text NOT NULL,
        PRIMARY KEY (call_id, first_seq)
      );

      CREATE TABLE checkpoints (
        call_id text COLLATE "C" PRIMARY KEY,
        seq bigint NOT NULL,
        state text NOT NULL
      ) WITH (fillfactor = 50);

      CREATE TABLE payloads (
        call_id text COLLATE "C" NOT NULL,
        seq bigint NOT NULL,
        name text COLLATE "C" NOT NULL,
        content text COLLATE "C" NOT NULL,
        PRIMARY KEY (call_id, seq, name)
      ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 0);

      -- A taken signal keeps its id, against a second put, and loses its content, which may be personal data.
      CREATE TABLE inbox (
        position bigint GENERATED ALWAYS AS IDENTITY,
        id text COLLATE "C" PRIMARY KEY,
        call_id text COLLATE "C" NOT NULL,
        signal text,
        taken_seq bigint
      ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 0);
      CREATE INDEX inbox_waiting ON inbox (call_id) WHERE taken_seq IS NULL;

      -- The number names the advisory lock that the instance's process holds.
      CREATE TABLE instances (
        instance text COLLATE "C" PRIMARY KEY,
        number int GENERATED ALWAYS AS IDENTITY,
        pid bigint NOT NULL,
        host text NOT NULL,
        ready boolean NOT NULL,
        started_at bigint NOT NULL,
        address text,
        beat_at bigint NOT NULL
      ) WITH (fillfactor = 10);

      CREATE TABLE instance_facts (
        position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        instance text COLLATE "C" NOT NULL,
        at bigint NOT NULL,
        type text NOT NULL,
        detail text NOT NULL
      );
      CREATE INDEX instance_facts_by_instance ON instance_facts (instance, at, position);
      CREATE INDEX instance_facts_by_time ON instance_facts (at, position);

      CREATE TABLE definitions (
        digest text COLLATE "C" PRIMARY KEY,
        definition text NOT NULL
      );
    `,
  },
];

/** "Hold" in ASCII: the first half of the key under which processes take turns at a schema. */
const turnKey = 0x48_6f_6c_64;

/** A step waits no longer for the processes that read a table: they in turn would wait behind it. */
const stepLockTimeout = '5s';

const duplicateTable = '42P07';

export interface SchemaPlace {
  schema: string;
  /** For people. */
  place: string;
}

/**
 * Makes the schema where there is none, or takes every step that is missing, all or none. Waits for another process that
 * is at it.
 *
 * @throws GiveUpError `journal.future`, `journal.corrupt`
 */
export async function migrate(
  connection: PostgresConnection,
  { schema, place }: SchemaPlace,
  steps: readonly Migration[] = migrations,
): Promise<void> {
  const version = await readVersion(connection.query.bind(connection), schema);
  refuseNewer(place, version, steps);
  if (version === newestVersion(steps)) return;
  try {
    await connection.inTransaction((query) => takeSteps(query, { schema, place }, steps));
  } catch (error) {
    if (stateOf(error) !== duplicateTable) throw error;
    throw new GiveUpError(
      'journal.corrupt',
      `${place} is not a usable Holdfast journal: the schema belongs to another application. Nothing was written.`,
    );
  }
}

type Query = PostgresConnection['query'];

async function takeSteps(
  query: Query,
  { schema, place }: SchemaPlace,
  steps: readonly Migration[],
): Promise<void> {
  await query('SELECT pg_advisory_xact_lock($1::int, hashtext($2))', [turnKey, schema]);
  await query(`SET LOCAL lock_timeout = '${stepLockTimeout}'`);
  const [known] = await query<{ isThere: boolean }>('SELECT to_regnamespace($1) IS NOT NULL AS "isThere"', [
    schema,
  ]);
  if (!known?.isThere) await query(`CREATE SCHEMA "${schema}"`);
  const version = await readVersion(query, schema);
  refuseNewer(place, version, steps);
  if (version === 0) await query('CREATE TABLE journal_version (version int NOT NULL)');
  for (const { number, sql } of steps) if (number > version) await query(sql);
  await query('DELETE FROM journal_version');
  await query('INSERT INTO journal_version VALUES ($1)', [newestVersion(steps)]);
}

/** 0 where there is no journal. */
async function readVersion(query: Query, schema: string): Promise<number> {
  const [table] = await query<{ isThere: boolean }>('SELECT to_regclass($1) IS NOT NULL AS "isThere"', [
    `"${schema}".journal_version`,
  ]);
  if (!table?.isThere) return 0;
  const [row] = await query<{ version: number }>('SELECT version FROM journal_version');
  return row?.version ?? 0;
}
