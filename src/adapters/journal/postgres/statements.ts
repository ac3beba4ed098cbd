/**
 * Owns: what is asked of PostgreSQL, as SQL.
 * Does not own: the list of calls (`../list-sql.ts`), the tables (`migrations.ts`).
 *
 * Every name is found in the schema of the connection's `search_path`. What is looked up for each row of a batch is
 * looked up by a subquery of its own, by index: a join could be planned as a walk through a whole table.
 */
import { factsPerInstance, signalsPerCall } from '../operations.ts';

export const rowColumns = `call_id AS "callId", carrier_call_id AS "carrierCallId", direction, owner,
  started_at AS "startedAt", ended_at AS "endedAt", end_reason AS "endReason", last_seq AS "lastSeq", state`;

/**
 * Group commit: the commits of many calls, at most one of each call, in one transaction and one round trip. Gives back
 * the ids of those that are stored; the others met a conflict.
 *
 * The guard reads what is committed. Two that pass it for one seq at a time meet at the primary key of `commits`: the
 * second waits for the first, and is not stored. Everything else follows from what is stored, so it needs no guard. Rows
 * are inserted by call id, so that two batches never wait for each other in a circle.
 */
export const appendSql = `
  WITH asked AS MATERIALIZED (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[],
      $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::text[], $13::text[], $14::text[], $15::text[], $16::int[])
    AS asked (id, call_id, first_seq, last_seq, entries, state, carrier_call_id,
      direction, owner, started_at, ended_at, end_reason, checkpoint, payloads, taken, erases)
  ), accepted AS MATERIALIZED (
    SELECT * FROM asked
    WHERE first_seq = 1 + coalesce((SELECT last_seq FROM calls WHERE calls.call_id = asked.call_id), 0)
      AND call_id = coalesce(
        (SELECT call_id FROM calls WHERE calls.carrier_call_id = asked.carrier_call_id), asked.call_id)
      AND (taken = '[]' OR json_array_length(taken::json) = (
        SELECT count(*) FROM inbox WHERE inbox.call_id = asked.call_id AND inbox.taken_seq IS NULL
          AND inbox.id = ANY (ARRAY(SELECT json_array_elements_text(asked.taken::json)))))
  ), inserted AS (
    INSERT INTO commits (call_id, first_seq, last_seq, id, entries, state)
    SELECT call_id, first_seq, last_seq, id, entries, state FROM accepted ORDER BY call_id
    ON CONFLICT DO NOTHING RETURNING id
  ), stored AS MATERIALIZED (
    SELECT accepted.* FROM accepted JOIN inserted USING (id)
  ), indexed AS (
    INSERT INTO calls
      (call_id, carrier_call_id, direction, owner, started_at, ended_at, end_reason, last_seq, state)
    SELECT call_id, carrier_call_id, direction, owner, started_at, ended_at, end_reason, last_seq, state FROM stored
    ON CONFLICT (call_id) DO UPDATE SET
      carrier_call_id = excluded.carrier_call_id, direction = excluded.direction, owner = excluded.owner,
      started_at = excluded.started_at, ended_at = excluded.ended_at, end_reason = excluded.end_reason,
      last_seq = excluded.last_seq, state = excluded.state
  ), checkpointed AS (
    INSERT INTO checkpoints (call_id, seq, state)
    SELECT call_id, last_seq, checkpoint FROM stored WHERE checkpoint IS NOT NULL
    ON CONFLICT (call_id) DO UPDATE SET seq = excluded.seq, state = excluded.state
  ), paid AS (
    INSERT INTO payloads (call_id, seq, name, content)
    SELECT call_id, payload.seq, payload.name, payload.content
    FROM stored, json_to_recordset(payloads::json) AS payload (seq bigint, name text, content text)
    WHERE payloads <> '[]'
  ), taken_ids AS MATERIALIZED (
    SELECT json_array_elements_text(taken::json) AS id FROM stored WHERE taken <> '[]'
  ), taken AS (
    UPDATE inbox SET taken_seq = (SELECT last_seq FROM stored WHERE stored.call_id = inbox.call_id), signal = NULL
    WHERE id = ANY (ARRAY(SELECT id FROM taken_ids))
  ), left_over AS (
    UPDATE inbox SET taken_seq = (SELECT last_seq FROM stored WHERE stored.call_id = inbox.call_id), signal = NULL
    WHERE taken_seq IS NULL AND call_id = ANY (ARRAY(SELECT call_id FROM stored WHERE erases = 1))
      AND id <> ALL (ARRAY(SELECT id FROM taken_ids))
  ), erased AS (
    DELETE FROM payloads WHERE call_id = ANY (ARRAY(SELECT call_id FROM stored WHERE erases = 1))
  )
  SELECT id FROM stored`;

/**
 * Which commits of an earlier try are there. Writes a mark into the log of the database, so that the answer is as durable
 * as they: one whose wait for the standby was broken off can be seen before it is there, too.
 */
export const settleSql = `
  SELECT commits.id, pg_logical_emit_message(true, 'holdfast', 'settled')
  FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS asked (id, call_id, first_seq)
  JOIN commits ON commits.call_id = asked.call_id AND commits.first_seq = asked.first_seq AND commits.id = asked.id`;

/** By the journal's clock, which is the database's: milliseconds since the epoch. */
const now = 'floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint';

export const statements = {
  readCheckpoint: 'SELECT seq, state FROM checkpoints WHERE call_id = $1',
  readCommits: 'SELECT entries, state FROM commits WHERE call_id = $1 AND first_seq > $2 ORDER BY first_seq',
  /** Begins with the commit that holds the entry after `seq`. */
  readAfter: `
    SELECT entries, state FROM commits WHERE call_id = $1 AND last_seq > $2::bigint AND first_seq >= coalesce(
      (SELECT max(first_seq) FROM commits WHERE call_id = $1 AND first_seq <= $2::bigint + 1), 1)
    ORDER BY first_seq LIMIT $3`,
  readPayloads: 'SELECT seq, name, content FROM payloads WHERE call_id = $1 ORDER BY seq, name',
  findByCarrierId: `SELECT ${rowColumns} FROM calls WHERE carrier_call_id = $1`,
  undelivered: `
    SELECT ${rowColumns} FROM calls WHERE ended_at IS NOT NULL AND NOT delivered ORDER BY ended_at, call_id LIMIT $1`,
  markDelivered: 'UPDATE calls SET delivered = true WHERE call_id = $1',
  /** Holds the call's row, so that its end waits for this signal or this signal sees its end. */
  put: `
    WITH held AS MATERIALIZED (
      SELECT last_seq, ended_at FROM calls WHERE call_id = $2 FOR SHARE
    ), over AS MATERIALIZED (
      SELECT last_seq FROM held WHERE ended_at IS NOT NULL
    ), waiting AS MATERIALIZED (
      SELECT count(*) AS waiting FROM inbox WHERE call_id = $2 AND taken_seq IS NULL
    ), put AS (
      INSERT INTO inbox (id, call_id, signal, taken_seq)
      SELECT $1, $2, CASE WHEN EXISTS (SELECT FROM over) THEN NULL ELSE $3 END, (SELECT last_seq FROM over)
      FROM waiting WHERE waiting < ${signalsPerCall}
      ON CONFLICT (id) DO NOTHING RETURNING id
    )
    SELECT CASE
      WHEN EXISTS (SELECT FROM put) THEN 'put'
      WHEN waiting < ${signalsPerCall} OR EXISTS (SELECT FROM inbox WHERE id = $1) THEN 'duplicate'
      ELSE 'full' END AS outcome
    FROM waiting`,
  /** The calls of one owner are few, the signals that nobody will ever take many: so begin with the calls. */
  pending: `
    SELECT inbox.id, inbox.call_id AS "callId", inbox.signal FROM calls JOIN inbox USING (call_id)
    WHERE calls.owner = $1 AND inbox.taken_seq IS NULL ORDER BY inbox.position`,
  /**
   * An instance that is known keeps its number. Waits for no standby: where none follows, every instance would seem dead
   * to every other.
   */
  beat: `
    WITH locally AS MATERIALIZED (
      SELECT set_config('synchronous_commit', 'local', true), ${now} AS beat_at
    ), renewed AS (
      UPDATE instances SET pid = $2, host = $3, ready = $4, started_at = $5, address = $6, beat_at = locally.beat_at
      FROM locally WHERE instance = $1 RETURNING number, instances.beat_at
    ), begun AS (
      INSERT INTO instances (instance, pid, host, ready, started_at, address, beat_at)
      SELECT $1, $2, $3, $4, $5, $6, beat_at FROM locally WHERE NOT EXISTS (SELECT FROM renewed)
      ON CONFLICT (instance) DO UPDATE SET pid = excluded.pid, host = excluded.host, ready = excluded.ready,
        started_at = excluded.started_at, address = excluded.address, beat_at = excluded.beat_at
      RETURNING number, beat_at
    )
    SELECT number, beat_at AS "beatAt" FROM renewed UNION ALL SELECT number, beat_at FROM begun`,
  instances: `
    WITH connected AS MATERIALIZED (
      SELECT DISTINCT objid::bigint AS number FROM pg_locks
      WHERE locktype = 'advisory' AND objsubid = 2 AND granted AND classid = $1::regnamespace
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    )
    SELECT instance, pid, host, ready, started_at AS "startedAt", address,
      greatest(0, ${now} - beat_at) AS "beatAgeMs", number IN (SELECT number FROM connected) AS "isConnected"
    FROM instances ORDER BY instance`,
  forget: 'DELETE FROM instances WHERE instance = $1',
  noteFacts: `
    INSERT INTO instance_facts (instance, at, type, detail)
    SELECT instance, at, type, detail
    FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[]) WITH ORDINALITY
      AS facts (instance, at, type, detail, position)
    ORDER BY facts.position`,
  dropOldFacts: `
    DELETE FROM instance_facts WHERE position IN (
      SELECT position FROM instance_facts WHERE instance = $1 ORDER BY at DESC, position DESC
      OFFSET ${factsPerInstance})`,
  readFacts: `
    SELECT instance, at, type, detail FROM instance_facts
    WHERE at < $1 ORDER BY at DESC, position DESC LIMIT $2`,
  readFactsOfOne: `
    SELECT instance, at, type, detail FROM instance_facts
    WHERE at < $1 AND instance = $2 ORDER BY at DESC, position DESC LIMIT $3`,
  saveDefinition: 'INSERT INTO definitions (digest, definition) VALUES ($1, $2) ON CONFLICT DO NOTHING',
  readDefinition: 'SELECT definition FROM definitions WHERE digest = $1',
  /** The schema's own number is the first half of the key: two journals of one database are told apart. */
  holdInstance: `
    SELECT pg_advisory_unlock_all(),
      pg_try_advisory_lock_shared((($1::regnamespace::oid::bigint << 32) >> 32)::int, $2::int)`,
  notify: 'SELECT pg_notify($1, $2)',
};
