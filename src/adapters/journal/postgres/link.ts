/**
 * Owns: one connection that is opened when it is needed, and again when it is lost; noticing that it is lost.
 * Does not own: which server (`connector.ts`), what is asked.
 *
 * Invariants:
 * P2. A query that is not answered within `silentAfterMs` and that the server does not work on either is lost, and its
 *     connection is ended. One that it works on is waited for: a commit that waits for a standby is never given up.
 */
import type { Clock, TimerHandle } from '../../../runtime/ports/clock.ts';
import type { PostgresConnection, QueryValue } from './connection.ts';
import type { PostgresConnector } from './connector.ts';
import { toUnavailable } from './failures.ts';

const silentAfterMs = 1_500;

export class PostgresLink {
  readonly #connector: PostgresConnector;
  readonly #clock: Clock;
  #connection: PostgresConnection | null = null;
  #connecting: Promise<PostgresConnection> | null = null;
  #asked: PostgresConnection | null = null;

  constructor(connector: PostgresConnector, clock: Clock) {
    this.#connector = connector;
    this.#clock = clock;
  }

  /** The open connection, or a new one. @throws RetryError `journal.unavailable` */
  async connection(): Promise<PostgresConnection> {
    if (this.#connection?.isOpen) return this.#connection;
    this.#connecting ??= this.#connect();
    return await this.#connecting;
  }

  async #connect(): Promise<PostgresConnection> {
    try {
      this.#connection = await this.#connector.connect();
      return this.#connection;
    } catch (error) {
      throw toUnavailable(error, this.#connector.place);
    } finally {
      this.#connecting = null;
    }
  }

  async query<Row>(sql: string, values: readonly QueryValue[] = []): Promise<Row[]> {
    const connection = await this.connection();
    const stopLooking = this.#lookEvery(connection);
    try {
      return await connection.query<Row>(sql, values);
    } finally {
      stopLooking();
    }
  }

  #lookEvery(connection: PostgresConnection): () => void {
    let timer: TimerHandle;
    const wait = () => {
      timer = this.#clock.setTimeout(() => {
        void this.#look(connection);
        wait();
      }, silentAfterMs);
    };
    wait();
    return () => this.#clock.clearTimeout(timer);
  }

  /** One question at a time, however many queries wait. */
  async #look(connection: PostgresConnection): Promise<void> {
    if (this.#asked === connection) return;
    this.#asked = connection;
    if (!(await this.#connector.isWorking(connection))) connection.destroy();
    this.#asked = null;
  }

  /** What it was asked and not answered fails. The next question finds a connection again. */
  drop(): void {
    this.#connection?.destroy();
  }

  async close(): Promise<void> {
    await this.#connecting?.catch(() => undefined);
    await this.#connection?.close();
  }
}
