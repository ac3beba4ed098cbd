/**
 * Owns: the list of calls as SQL, and how far one question looks.
 * Does not own: running it.
 *
 * What a column says is found by an index or in passing. What payloads say takes a look into each call's: that is done
 * for `callsPerSearch` calls at a time, so that neither this thread's appends nor the write-ahead log wait long.
 */
import type { SQLInputValue } from 'node:sqlite';
import { callsPerSearch, type ListQuery } from './operations.ts';

export interface SqlText {
  sql: string;
  values: SQLInputValue[];
}

const order = 'ORDER BY started_at DESC, call_id DESC';

/** Whether a look into each call's payloads is needed. */
export function isSearch({ text, hasPayloads }: ListQuery): boolean {
  return text !== null || hasPayloads !== null;
}

export function listSql(query: ListQuery, columns: string): SqlText {
  const values: SQLInputValue[] = [];
  const from = isSearch(query) ? `(${searchedSql(query, values)}) AS calls` : 'calls';
  const where = isSearch(query) ? searchConditions(query, values) : columnConditions(query, values);
  const limit = `LIMIT ?${values.push(query.limit)}`;
  return { sql: `SELECT ${columns} FROM ${from} WHERE ${where.join(' AND ')} ${order} ${limit}`, values };
}

function searchedSql(query: ListQuery, values: SQLInputValue[]): string {
  const where = columnConditions(query, values).join(' AND ');
  return `SELECT * FROM calls WHERE ${where} ${order} LIMIT ${callsPerSearch}`;
}

/** The last call that the search of `query` looked into, where there may be more. */
export function lastSearchedSql(query: ListQuery): SqlText {
  const values: SQLInputValue[] = [];
  const where = columnConditions(query, values).join(' AND ');
  const sql = `SELECT started_at AS startedAt, call_id AS callId FROM calls WHERE ${where} ${order}
    LIMIT 1 OFFSET ${callsPerSearch - 1}`;
  return { sql, values };
}

function columnConditions(query: ListQuery, values: SQLInputValue[]): string[] {
  const conditions = ['1'];
  const add = (value: SQLInputValue, condition: (place: string) => string) => {
    if (value !== null) conditions.push(condition(`?${values.push(value)}`));
  };
  if (query.live !== null) conditions.push(query.live ? 'ended_at IS NULL' : 'ended_at IS NOT NULL');
  add(query.owner, (place) => `owner = ${place}`);
  add(query.callId, (place) => `call_id = ${place}`);
  add(query.direction, (place) => `direction = ${place}`);
  add(query.endReason, (place) => `end_reason = ${place}`);
  add(query.startedAfter, (place) => `started_at > ${place}`);
  add(query.startedBefore, (place) => `started_at < ${place}`);
  add(query.endedBefore, (place) => `ended_at < ${place}`);
  if (query.after !== null) {
    const { startedAt, callId } = query.after;
    conditions.push(`(started_at, call_id) < (?${values.push(startedAt)}, ?${values.push(callId)})`);
  }
  return conditions;
}

/** `instr` and not `LIKE`, which stops at a NUL; both know upper and lower case of ASCII alone. */
function searchConditions({ text, hasPayloads }: ListQuery, values: SQLInputValue[]): string[] {
  const conditions: string[] = [];
  const any = 'EXISTS (SELECT 1 FROM payloads WHERE payloads.call_id = calls.call_id';
  if (hasPayloads !== null) conditions.push(`${hasPayloads ? '' : 'NOT '}${any})`);
  if (text !== null) {
    const place = `?${values.push(text)}`;
    const holds = (column: string) => `instr(lower(${column}), lower(${place}))`;
    const columns = ['call_id', "coalesce(owner, '')", "coalesce(end_reason, '')"].map(holds);
    conditions.push(`(${columns.join(' OR ')} OR ${any} AND ${holds('content')}))`);
  }
  return conditions;
}
