/**
 * Owns: a journal's rows in SQLite, and each operation on them as prepared statements.
 * Does not own: transactions (`sqlite-turn.ts`): every writing operation runs inside one, so what it checked still
 * holds when it writes.
 *
 * Invariants: J1, J2, J4, J8. Every operation checks everything before it changes anything.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { InstanceBeat, InstanceRow, Payload } from '../../runtime/ports/journal.ts';
import { isSearch, lastSearchedSql, listSql, type SqlDialect } from './list-sql.ts';
import {
  factsPerInstance,
  type ListPart,
  type ListPlace,
  type ListQuery,
  type OperationHandlers,
  type PackedCommit,
  type PackedFact,
  type PackedLog,
  type PackedRow,
  type PackedSignal,
  type PackedStep,
  signalsPerCall,
} from './operations.ts';

const rowColumns = `call_id AS callId, carrier_call_id AS carrierCallId, direction, owner, started_at AS startedAt,
  ended_at AS endedAt, end_reason AS endReason, last_seq AS lastSeq, state`;

/** `instr` and not `LIKE`, which stops at a NUL; both know upper and lower case of ASCII alone. */
const dialect: SqlDialect = {
  columns: rowColumns,
  startedAt: 'started_at AS startedAt',
  callId: 'call_id AS callId',
  place: (number) => `?${number}`,
  holds: (column, place) => `instr(lower(${column}), lower(${place}))`,
  escapeContent: (text) => text,
};

const statements = {
  findLastSeq: 'SELECT last_seq AS lastSeq FROM calls WHERE call_id = ?',
  findCarried: 'SELECT call_id AS callId FROM calls WHERE carrier_call_id = ?',
  insertCommit: 'INSERT INTO commits (call_id, first_seq, last_seq, entries, state) VALUES (?, ?, ?, ?, ?)',
  upsertCall: `
    INSERT INTO calls (call_id, carrier_call_id, direction, owner, started_at, ended_at, end_reason, last_seq, state)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (call_id) DO UPDATE SET
      carrier_call_id = excluded.carrier_call_id, direction = excluded.direction, owner = excluded.owner,
      started_at = excluded.started_at, ended_at = excluded.ended_at, end_reason = excluded.end_reason,
      last_seq = excluded.last_seq, state = excluded.state`,
  insertPayload: 'INSERT INTO payload_contents (call_id, seq, name, content) VALUES (?, ?, ?, ?)',
  saveCheckpoint: `
    INSERT INTO checkpoints (call_id, seq, state) VALUES (?, ?, ?)
    ON CONFLICT (call_id) DO UPDATE SET seq = excluded.seq, state = excluded.state`,
  findWaiting: 'SELECT 1 FROM inbox WHERE id = ? AND call_id = ? AND taken_seq IS NULL',
  takeSignal: 'UPDATE inbox SET taken_seq = ?, signal = NULL WHERE id = ?',
  /** The same number of bytes, so that SQLite writes over the old ones and moves nothing. */
  zeroPayloads: `
    UPDATE payload_contents SET content = CAST(zeroblob(octet_length(content)) AS TEXT), erased = 1
    WHERE call_id = ? AND erased = 0`,
  deleteOlderPayloads: 'DELETE FROM older_payloads WHERE call_id = ?',
  eraseSignals: 'UPDATE inbox SET taken_seq = ?, signal = NULL WHERE call_id = ? AND taken_seq IS NULL',
  countErasure: 'UPDATE erasures SET erased = erased + 1',
  readCheckpoint: 'SELECT seq, state FROM checkpoints WHERE call_id = ?',
  readCommits: 'SELECT entries, state FROM commits WHERE call_id = ? AND first_seq > ? ORDER BY first_seq',
  /** Begins with the commit that holds the entry after `seq`. */
  readAfter: `
    SELECT entries, state FROM commits WHERE call_id = ?1 AND last_seq > ?2 AND first_seq >= coalesce(
      (SELECT max(first_seq) FROM commits WHERE call_id = ?1 AND first_seq <= ?2 + 1), 1)
    ORDER BY first_seq LIMIT ?3`,
  readPayloads: 'SELECT seq, name, content FROM payloads WHERE call_id = ? ORDER BY seq, name',
  findByCarrierId: `SELECT ${rowColumns} FROM calls WHERE carrier_call_id = ?`,
  undelivered: `
    SELECT ${rowColumns} FROM calls WHERE ended_at IS NOT NULL AND delivered = 0 ORDER BY ended_at, call_id LIMIT ?`,
  markDelivered: 'UPDATE calls SET delivered = 1 WHERE call_id = ?',
  findSignal: 'SELECT 1 FROM inbox WHERE id = ?',
  countWaiting: 'SELECT count(*) AS waiting FROM inbox WHERE call_id = ? AND taken_seq IS NULL',
  findOver: 'SELECT last_seq AS lastSeq FROM calls WHERE call_id = ? AND ended_at IS NOT NULL',
  insertSignal: 'INSERT INTO inbox (id, call_id, signal, taken_seq) VALUES (?, ?, ?, ?)',
  /** The calls of one owner are few, the signals that nobody will ever take many: so begin with the calls. */
  pending: `
    SELECT inbox.id, inbox.call_id AS callId, inbox.signal FROM calls CROSS JOIN inbox USING (call_id)
    WHERE calls.owner = ? AND inbox.taken_seq IS NULL ORDER BY inbox.position`,
  newestSignal: 'SELECT max(position) AS position FROM inbox',
  beat: `
    INSERT INTO instances (instance, pid, host, ready, started_at, address, beat_at) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (instance) DO UPDATE SET pid = excluded.pid, host = excluded.host, ready = excluded.ready,
      started_at = excluded.started_at, address = excluded.address, beat_at = excluded.beat_at`,
  instances: `
    SELECT instance, pid, host, ready, started_at AS startedAt, address, max(0, ? - beat_at) AS beatAgeMs
    FROM instances ORDER BY instance`,
  forget: 'DELETE FROM instances WHERE instance = ?',
  noteFact: 'INSERT INTO instance_facts (instance, at, type, detail) VALUES (?, ?, ?, ?)',
  dropOldFacts: `
    DELETE FROM instance_facts WHERE position IN (
      SELECT position FROM instance_facts WHERE instance = ? ORDER BY at DESC, position DESC
      LIMIT -1 OFFSET ${factsPerInstance})`,
  readFacts: `
    SELECT instance, at, type, detail FROM instance_facts
    WHERE at < ? ORDER BY at DESC, position DESC LIMIT ?`,
  readFactsOfOne: `
    SELECT instance, at, type, detail FROM instance_facts
    WHERE at < ? AND instance = ? ORDER BY at DESC, position DESC LIMIT ?`,
  saveDefinition: 'INSERT INTO definitions (digest, definition) VALUES (?, ?) ON CONFLICT DO NOTHING',
  readDefinition: 'SELECT definition FROM definitions WHERE digest = ?',
};

export class SqliteTables implements OperationHandlers {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  append(commit: PackedCommit): 'stored' | 'conflict' {
    if (!this.#accepts(commit)) return 'conflict';
    const { row, firstSeq, entries, payloads, checkpoint, taken } = commit;
    const { callId, lastSeq, state } = row;
    this.#run(statements.insertCommit, callId, firstSeq, lastSeq, entries, state);
    this.#saveRow(row);
    for (const { seq, name, content } of payloads)
      this.#run(statements.insertPayload, callId, seq, name, content);
    if (checkpoint !== null) this.#run(statements.saveCheckpoint, callId, lastSeq, checkpoint);
    for (const id of taken) this.#run(statements.takeSignal, lastSeq, id);
    if (commit.erases) this.#erase(callId, lastSeq);
    return 'stored';
  }

  #erase(callId: string, lastSeq: number): void {
    this.#run(statements.zeroPayloads, callId);
    this.#run(statements.deleteOlderPayloads, callId);
    this.#run(statements.eraseSignals, lastSeq, callId);
    this.#run(statements.countErasure);
  }

  #accepts({ row, firstSeq, taken }: PackedCommit): boolean {
    const { callId, carrierCallId } = row;
    const lastSeq = this.#get<{ lastSeq: number }>(statements.findLastSeq, callId)?.lastSeq ?? 0;
    if (firstSeq !== lastSeq + 1) return false;
    const carried = this.#get<{ callId: string }>(statements.findCarried, carrierCallId);
    if (carried !== null && carried.callId !== callId) return false;
    if (new Set(taken).size !== taken.length) return false;
    return taken.every((id) => this.#get(statements.findWaiting, id, callId) !== null);
  }

  #saveRow(row: PackedRow): void {
    this.#run(
      statements.upsertCall,
      row.callId,
      row.carrierCallId,
      row.direction,
      row.owner,
      row.startedAt,
      row.endedAt,
      row.endReason,
      row.lastSeq,
      row.state,
    );
  }

  read({ callId, fromStart }: { callId: string; fromStart: boolean }): PackedLog {
    const checkpoint = fromStart
      ? null
      : this.#get<{ seq: number; state: string }>(statements.readCheckpoint, callId);
    const commits = this.#all<{ entries: string; state: string }>(
      statements.readCommits,
      callId,
      checkpoint?.seq ?? 0,
    );
    return { commits, checkpoint };
  }

  readPayloads({ callId }: { callId: string }): Payload[] {
    return this.#all(statements.readPayloads, callId);
  }

  findByCarrierId({ carrierCallId }: { carrierCallId: string }): PackedRow | null {
    return this.#get(statements.findByCarrierId, carrierCallId);
  }

  readAfter({ callId, seq, limit }: { callId: string; seq: number; limit: number }): PackedStep[] {
    return this.#all(statements.readAfter, callId, seq, limit);
  }

  list(query: ListQuery): ListPart {
    const { sql, values } = listSql(query, dialect);
    const rows = this.#all<PackedRow>(sql, ...values);
    return { rows, next: isSearch(query) ? this.#lastSearched(query) : null };
  }

  #lastSearched(query: ListQuery): ListPlace | null {
    const { sql, values } = lastSearchedSql(query, dialect);
    return this.#get(sql, ...values);
  }

  put({ id, callId, signal }: PackedSignal): 'put' | 'duplicate' | 'full' {
    if (this.#get(statements.findSignal, id) !== null) return 'duplicate';
    const { waiting } = this.#get<{ waiting: number }>(statements.countWaiting, callId) ?? { waiting: 0 };
    if (waiting >= signalsPerCall) return 'full';
    const over = this.#get<{ lastSeq: number }>(statements.findOver, callId);
    this.#run(statements.insertSignal, id, callId, over ? null : signal, over?.lastSeq ?? null);
    return 'put';
  }

  pending({ owner }: { owner: string }): PackedSignal[] {
    return this.#all(statements.pending, owner);
  }

  /** The position of the last signal put, 0 before the first. It only grows. */
  newestSignal(): number {
    return this.#get<{ position: number | null }>(statements.newestSignal)?.position ?? 0;
  }

  beat(row: InstanceBeat & { beatAt: number }): number {
    const { instance, pid, host, ready, startedAt, address, beatAt } = row;
    this.#run(statements.beat, instance, pid, host, Number(ready), startedAt, address, Math.trunc(beatAt));
    return beatAt;
  }

  instances({ now }: { now: number }): InstanceRow[] {
    const rows = this.#all<Omit<InstanceRow, 'ready'> & { ready: number }>(statements.instances, now);
    return rows.map((row) => ({ ...row, ready: row.ready === 1, isConnected: null }));
  }

  forget({ instance }: { instance: string }): null {
    this.#run(statements.forget, instance);
    return null;
  }

  noteInstance({ facts }: { facts: PackedFact[] }): null {
    for (const { instance, at, type, detail } of facts)
      this.#run(statements.noteFact, instance, at, type, detail);
    for (const instance of new Set(facts.map((fact) => fact.instance)))
      this.#run(statements.dropOldFacts, instance);
    return null;
  }

  readInstanceLog(query: { instance: string | null; before: number | null; limit: number }): PackedFact[] {
    const before = query.before ?? Number.MAX_SAFE_INTEGER;
    return query.instance === null
      ? this.#all(statements.readFacts, before, query.limit)
      : this.#all(statements.readFactsOfOne, before, query.instance, query.limit);
  }

  saveDefinition({ digest, definition }: { digest: string; definition: string }): null {
    this.#run(statements.saveDefinition, digest, definition);
    return null;
  }

  readDefinition({ digest }: { digest: string }): string | null {
    return this.#get<{ definition: string }>(statements.readDefinition, digest)?.definition ?? null;
  }

  undelivered({ limit }: { limit: number }): PackedRow[] {
    return this.#all(statements.undelivered, limit);
  }

  markDelivered({ callId }: { callId: string }): null {
    this.#run(statements.markDelivered, callId);
    return null;
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    this.#prepare(sql).run(...values);
  }

  /** The caller names the columns, so it knows the row's type. */
  #get<Row>(sql: string, ...values: SQLInputValue[]): Row | null {
    return (this.#prepare(sql).get(...values) as Row | undefined) ?? null;
  }

  #all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[];
  }

  /** The texts are few (a list has one for each set of filters), and so is the number of statements kept. */
  #prepare(sql: string): StatementSync {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#prepared.set(sql, statement);
    return statement;
  }
}
