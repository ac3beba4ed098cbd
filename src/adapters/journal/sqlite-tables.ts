/**
 * Owns: a journal's rows in SQLite, and each operation on them as prepared statements.
 * Does not own: transactions (`sqlite-turn.ts`): every writing operation runs inside one, so what it checked still
 * holds when it writes.
 *
 * Invariants: J1, J2, J4. Every operation checks everything before it changes anything.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { InstanceRow, Payload } from '../../runtime/ports/journal.ts';
import {
  type ListQuery,
  type OperationHandlers,
  type PackedCommit,
  type PackedLog,
  type PackedRow,
  type PackedSignal,
  signalsPerCall,
} from './operations.ts';

const rowColumns = `call_id AS callId, carrier_call_id AS carrierCallId, direction, owner, started_at AS startedAt,
  ended_at AS endedAt, end_reason AS endReason, last_seq AS lastSeq, state`;

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
  insertPayload: 'INSERT INTO payloads (call_id, seq, name, content) VALUES (?, ?, ?, ?)',
  saveCheckpoint: `
    INSERT INTO checkpoints (call_id, seq, state) VALUES (?, ?, ?)
    ON CONFLICT (call_id) DO UPDATE SET seq = excluded.seq, state = excluded.state`,
  findWaiting: 'SELECT 1 FROM inbox WHERE id = ? AND call_id = ? AND taken_seq IS NULL',
  takeSignal: 'UPDATE inbox SET taken_seq = ?, signal = NULL WHERE id = ?',
  readCheckpoint: 'SELECT seq, state FROM checkpoints WHERE call_id = ?',
  readCommits: 'SELECT entries, state FROM commits WHERE call_id = ? AND first_seq > ? ORDER BY first_seq',
  readPayloads: 'SELECT seq, name, content FROM payloads WHERE call_id = ? ORDER BY seq, name',
  findByCarrierId: `SELECT ${rowColumns} FROM calls WHERE carrier_call_id = ?`,
  undelivered: `
    SELECT ${rowColumns} FROM calls WHERE ended_at IS NOT NULL AND delivered = 0 ORDER BY ended_at, call_id LIMIT ?`,
  markDelivered: 'UPDATE calls SET delivered = 1 WHERE call_id = ?',
  findSignal: 'SELECT 1 FROM inbox WHERE id = ?',
  countWaiting: 'SELECT count(*) AS waiting FROM inbox WHERE call_id = ? AND taken_seq IS NULL',
  insertSignal: 'INSERT INTO inbox (id, call_id, signal) VALUES (?, ?, ?)',
  /** The calls of one owner are few, the signals that nobody will ever take many: so begin with the calls. */
  pending: `
    SELECT inbox.id, inbox.call_id AS callId, inbox.signal FROM calls CROSS JOIN inbox USING (call_id)
    WHERE calls.owner = ? AND inbox.taken_seq IS NULL ORDER BY inbox.position`,
  newestSignal: 'SELECT max(position) AS position FROM inbox',
  beat: `
    INSERT INTO instances (instance, pid, host, ready, started_at, beat_at) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (instance) DO UPDATE SET pid = excluded.pid, host = excluded.host, ready = excluded.ready,
      started_at = excluded.started_at, beat_at = excluded.beat_at`,
  instances: `
    SELECT instance, pid, host, ready, started_at AS startedAt, max(0, ? - beat_at) AS beatAgeMs
    FROM instances ORDER BY instance`,
  forget: 'DELETE FROM instances WHERE instance = ?',
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
    return 'stored';
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

  list({ live, owner, callId, limit }: ListQuery): PackedRow[] {
    const conditions = ['1'];
    const values: SQLInputValue[] = [];
    if (live !== null) conditions.push(live ? 'ended_at IS NULL' : 'ended_at IS NOT NULL');
    if (owner !== null) conditions.push(`owner = ?${values.push(owner)}`);
    if (callId !== null) conditions.push(`call_id = ?${values.push(callId)}`);
    return this.#all(
      `SELECT ${rowColumns} FROM calls WHERE ${conditions.join(' AND ')}
       ORDER BY started_at DESC, call_id DESC LIMIT ?${values.push(limit)}`,
      ...values,
    );
  }

  put({ id, callId, signal }: PackedSignal): 'put' | 'duplicate' | 'full' {
    if (this.#get(statements.findSignal, id) !== null) return 'duplicate';
    const { waiting } = this.#get<{ waiting: number }>(statements.countWaiting, callId) ?? { waiting: 0 };
    if (waiting >= signalsPerCall) return 'full';
    this.#run(statements.insertSignal, id, callId, signal);
    return 'put';
  }

  pending({ owner }: { owner: string }): PackedSignal[] {
    return this.#all(statements.pending, owner);
  }

  /** The position of the last signal put, 0 before the first. It only grows. */
  newestSignal(): number {
    return this.#get<{ position: number | null }>(statements.newestSignal)?.position ?? 0;
  }

  beat(row: Omit<InstanceRow, 'beatAgeMs'> & { beatAt: number }): null {
    const { instance, pid, host, ready, startedAt, beatAt } = row;
    this.#run(statements.beat, instance, pid, host, Number(ready), startedAt, Math.trunc(beatAt));
    return null;
  }

  instances({ now }: { now: number }): InstanceRow[] {
    const rows = this.#all<Omit<InstanceRow, 'ready'> & { ready: number }>(statements.instances, now);
    return rows.map((row) => ({ ...row, ready: row.ready === 1 }));
  }

  forget({ instance }: { instance: string }): null {
    this.#run(statements.forget, instance);
    return null;
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

  /** The texts are few and fixed, and so is the number of statements kept. */
  #prepare(sql: string): StatementSync {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#prepared.set(sql, statement);
    return statement;
  }
}
