/**
 * Owns: group commit. What was asked by the time of a turn shares one transaction and one wait for the disk.
 * Does not own: the operations themselves (`sqlite-tables.ts`), when a turn comes (`sqlite-service.ts`).
 *
 * Invariants:
 * J1. An operation's changes are all there or none is.
 * J3. An answer to a writing operation is given after its transaction is durable.
 * J11. An operation that fails or conflicts fails alone; only a fault of the disk or the lock fails all of a turn.
 */
import type { DatabaseSync } from 'node:sqlite';
import { type OperationName, perform, writingOperations } from './operations.ts';
import { toFailure, toJournalError } from './sqlite-errors.ts';
import type { Answer, Request } from './sqlite-messages.ts';
import type { SqliteTables } from './sqlite-tables.ts';
import { inTransaction, waitForLock } from './sqlite-transaction.ts';

export class SqliteTurn {
  readonly #database: DatabaseSync;
  readonly #tables: SqliteTables;
  readonly #path: string;

  constructor(database: DatabaseSync, tables: SqliteTables, path: string) {
    this.#database = database;
    this.#tables = tables;
    this.#path = path;
  }

  /** Reads come after the writes, outside their transaction: nobody else waits for them. */
  run(requests: readonly Request[]): Answer[] {
    const writes = requests.filter(({ name }) => writingOperations.has(name));
    const reads = requests.filter(({ name }) => !writingOperations.has(name));
    return [...this.#write(writes), ...reads.map((request) => this.#read(request))];
  }

  #write(requests: readonly Request[]): Answer[] {
    if (requests.length === 0) return [];
    try {
      return inTransaction(this.#database, 'IMMEDIATE', () =>
        requests.map((request) => this.#execute(request)),
      );
    } catch (error) {
      const failure = toFailure(toJournalError(error, this.#path));
      if (requests.length === 1 || failure.code !== 'log.invalid')
        return requests.map(({ id }) => ({ id, failure }));
      return requests.flatMap((request) => this.#write([request]));
    }
  }

  #read(request: Request): Answer {
    try {
      return waitForLock(() => this.#execute(request));
    } catch (error) {
      return { id: request.id, failure: toFailure(toJournalError(error, this.#path)) };
    }
  }

  #execute<Name extends OperationName>({ id, name, request }: Request<Name>): Answer {
    return { id, result: perform(this.#tables, name, request) };
  }
}
