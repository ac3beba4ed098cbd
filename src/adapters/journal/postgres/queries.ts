/**
 * Owns: each operation of the journal but the append, as statements on one connection.
 * Does not own: the statements (`statements.ts`), bounds and listeners (`store.ts`).
 */
import type { InstanceBeat, InstanceRow, Payload } from '../../../runtime/ports/journal.ts';
import { isSearch, lastSearchedSql, listSql, type SqlDialect } from '../list-sql.ts';
import type {
  ListPart,
  ListPlace,
  ListQuery,
  PackedFact,
  PackedLog,
  PackedRow,
  PackedSignal,
  PackedStep,
} from '../operations.ts';
import type { QueryValue } from './connection.ts';
import { escapeText, unescapeText } from './escaping.ts';
import type { PostgresLink } from './link.ts';
import { rowColumns, statements } from './statements.ts';

const dialect: SqlDialect = {
  columns: rowColumns,
  startedAt: 'started_at AS "startedAt"',
  callId: 'call_id AS "callId"',
  place: (number) => `$${number}`,
  holds: (column, place) => `strpos(lower(${column}), lower(${place}::text COLLATE "C")) > 0`,
  escapeContent: escapeText,
};

export interface QueriesOptions {
  link: PostgresLink;
  schema: string;
  inboxChannel: string;
  sender: string;
}

export class PostgresQueries {
  readonly #options: QueriesOptions;
  #tellingOfPuts: Promise<void> | null = null;

  constructor(options: QueriesOptions) {
    this.#options = options;
  }

  async read({ callId, fromStart }: { callId: string; fromStart: boolean }): Promise<PackedLog> {
    const checkpoint = fromStart
      ? null
      : await this.#one<{ seq: number; state: string }>(statements.readCheckpoint, callId);
    const commits = await this.#all<PackedStep>(statements.readCommits, callId, checkpoint?.seq ?? 0);
    return { commits, checkpoint };
  }

  async readPayloads({ callId }: { callId: string }): Promise<Payload[]> {
    const payloads = await this.#all<Payload>(statements.readPayloads, callId);
    return payloads.map(({ seq, name, content }) => ({ seq, name, content: unescapeText(content) }));
  }

  async findByCarrierId({ carrierCallId }: { carrierCallId: string }): Promise<PackedRow | null> {
    return await this.#one(statements.findByCarrierId, carrierCallId);
  }

  async readAfter({
    callId,
    seq,
    limit,
  }: {
    callId: string;
    seq: number;
    limit: number;
  }): Promise<PackedStep[]> {
    return await this.#all(statements.readAfter, callId, seq, limit);
  }

  async list(query: ListQuery): Promise<ListPart> {
    const { sql, values } = listSql(query, dialect);
    const rows = await this.#all<PackedRow>(sql, ...values);
    return { rows, next: isSearch(query) ? await this.#lastSearched(query) : null };
  }

  async #lastSearched(query: ListQuery): Promise<ListPlace | null> {
    const { sql, values } = lastSearchedSql(query, dialect);
    return await this.#one(sql, ...values);
  }

  async put({ id, callId, signal }: PackedSignal): Promise<'put' | 'duplicate' | 'full'> {
    const put = this.#one<{ outcome: 'put' | 'duplicate' | 'full' }>(statements.put, id, callId, signal);
    this.#tellingOfPuts ??= this.#tellOfPuts();
    return (await put)?.outcome ?? 'full';
  }

  /**
   * On its way behind the signals, so that none is put and not told, and carried out once they are durable. Those that
   * are put in one turn of the event loop are told together.
   */
  async #tellOfPuts(): Promise<void> {
    const { inboxChannel, sender } = this.#options;
    await Promise.resolve();
    this.#tellingOfPuts = null;
    await this.#run(statements.notify, inboxChannel, sender).catch(() => null);
  }

  async pending({ owner }: { owner: string }): Promise<PackedSignal[]> {
    return await this.#all(statements.pending, owner);
  }

  /** The instance's number, and when it beat by the database's clock. */
  async beat(row: InstanceBeat): Promise<{ number: number; beatAt: number }> {
    const { instance, pid, host, ready, startedAt, address } = row;
    const [beat] = await this.#all<{ number: number; beatAt: number }>(
      statements.beat,
      instance,
      pid,
      host,
      ready,
      startedAt,
      address,
    );
    if (beat === undefined) throw new Error('the instance has no row');
    return beat;
  }

  async instances(): Promise<InstanceRow[]> {
    return await this.#all(statements.instances, this.#options.schema);
  }

  async forget({ instance }: { instance: string }): Promise<null> {
    return await this.#run(statements.forget, instance);
  }

  async noteInstance({ facts }: { facts: PackedFact[] }): Promise<null> {
    if (facts.length === 0) return null;
    await this.#run(
      statements.noteFacts,
      facts.map(({ instance }) => instance),
      facts.map(({ at }) => at),
      facts.map(({ type }) => type),
      facts.map(({ detail }) => detail),
    );
    for (const instance of new Set(facts.map((fact) => fact.instance)))
      await this.#run(statements.dropOldFacts, instance);
    return null;
  }

  async readInstanceLog(query: {
    instance: string | null;
    before: number | null;
    limit: number;
  }): Promise<PackedFact[]> {
    const before = query.before ?? Number.MAX_SAFE_INTEGER;
    return query.instance === null
      ? await this.#all(statements.readFacts, before, query.limit)
      : await this.#all(statements.readFactsOfOne, before, query.instance, query.limit);
  }

  async saveDefinition({ digest, definition }: { digest: string; definition: string }): Promise<null> {
    return await this.#run(statements.saveDefinition, digest, definition);
  }

  async readDefinition({ digest }: { digest: string }): Promise<string | null> {
    return (await this.#one<{ definition: string }>(statements.readDefinition, digest))?.definition ?? null;
  }

  async undelivered({ limit }: { limit: number }): Promise<PackedRow[]> {
    return await this.#all(statements.undelivered, limit);
  }

  async markDelivered({ callId }: { callId: string }): Promise<null> {
    return await this.#run(statements.markDelivered, callId);
  }

  async #run(sql: string, ...values: QueryValue[]): Promise<null> {
    await this.#options.link.query(sql, values);
    return null;
  }

  /** The caller names the columns, so it knows the row's type. */
  async #one<Row>(sql: string, ...values: QueryValue[]): Promise<Row | null> {
    return (await this.#all<Row>(sql, ...values))[0] ?? null;
  }

  async #all<Row>(sql: string, ...values: QueryValue[]): Promise<Row[]> {
    return [...(await this.#options.link.query<Row>(sql, values))];
  }
}
