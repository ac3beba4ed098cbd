/**
 * Owns: the list of calls as SQL, and how far one question looks.
 * Does not own: running it, what one store's SQL says otherwise than another's (`SqlDialect`).
 *
 * What a column says is found by an index or in passing. What payloads say takes a look into each call's: that is done
 * for `callsPerSearch` calls at a time, so that what else the store is asked does not wait long.
 */
import { callsPerSearch, type ListQuery } from './operations.ts';

export interface SqlText {
  sql: string;
  values: (string | number)[];
}

export interface SqlDialect {
  /** The columns of a row. */
  columns: string;
  startedAt: string;
  callId: string;
  /** The place of the value with this number, from 1. */
  place(number: number): string;
  /** Whether `column` holds the text of `place`; upper and lower case of ASCII are one. */
  holds(column: string, place: string): string;
  /** A text as the contents of payloads are kept. */
  escapeContent(text: string): string;
}

const order = 'ORDER BY started_at DESC, call_id DESC';

/** Whether a look into each call's payloads is needed. */
export function isSearch({ text, hasPayloads }: ListQuery): boolean {
  return text !== null || hasPayloads !== null;
}

export function listSql(query: ListQuery, dialect: SqlDialect): SqlText {
  const builder = new ListBuilder(dialect);
  const from = isSearch(query) ? `(${builder.searched(query)}) AS calls` : 'calls';
  const where = isSearch(query) ? builder.searchConditions(query) : builder.columnConditions(query);
  const limit = `LIMIT ${builder.add(query.limit)}`;
  return builder.finish(`SELECT ${dialect.columns} FROM ${from}${whereOf(where)} ${order} ${limit}`);
}

/** The last call that the search of `query` looked into, where there may be more. */
export function lastSearchedSql(query: ListQuery, dialect: SqlDialect): SqlText {
  const builder = new ListBuilder(dialect);
  const where = whereOf(builder.columnConditions(query));
  return builder.finish(`SELECT ${dialect.startedAt}, ${dialect.callId} FROM calls${where} ${order}
    LIMIT 1 OFFSET ${callsPerSearch - 1}`);
}

const whereOf = (conditions: readonly string[]): string =>
  conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;

class ListBuilder {
  readonly #dialect: SqlDialect;
  readonly #values: (string | number)[] = [];

  constructor(dialect: SqlDialect) {
    this.#dialect = dialect;
  }

  finish(sql: string): SqlText {
    return { sql, values: this.#values };
  }

  /** The place of `value`. */
  add(value: string | number): string {
    return this.#dialect.place(this.#values.push(value));
  }

  searched(query: ListQuery): string {
    const where = whereOf(this.columnConditions(query));
    return `SELECT * FROM calls${where} ${order} LIMIT ${callsPerSearch}`;
  }

  columnConditions(query: ListQuery): string[] {
    const conditions: string[] = [];
    const add = (value: string | number | null, condition: (place: string) => string) => {
      if (value !== null) conditions.push(condition(this.add(value)));
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
      conditions.push(`(started_at, call_id) < (${this.add(startedAt)}, ${this.add(callId)})`);
    }
    return conditions;
  }

  searchConditions({ text, hasPayloads }: ListQuery): string[] {
    const { holds, escapeContent } = this.#dialect;
    const conditions: string[] = [];
    const any = 'EXISTS (SELECT 1 FROM payloads WHERE payloads.call_id = calls.call_id';
    if (hasPayloads !== null) conditions.push(`${hasPayloads ? '' : 'NOT '}${any})`);
    if (text !== null) {
      const place = this.add(escapeContent(text));
      const columns = ['call_id', "coalesce(owner, '')", "coalesce(end_reason, '')"];
      const inColumns = columns.map((column) => holds(column, place)).join(' OR ');
      conditions.push(`(${inColumns} OR ${any} AND ${holds('content', place)}))`);
    }
    return conditions;
  }
}
