/**
 * Owns: the connection on which a handle hears of commits and signals by any process, and which holds its instance's
 * advisory lock.
 * Does not own: who watches and follows (`store.ts`), what is said (`statements.ts`).
 *
 * Invariants:
 * P6. Nothing is missed: after every LISTEN, at first and on a connection that took another one's place, who listens is
 *     told once, whatever happened.
 * P7. A connection that does not hear its own call within `deafAfterMs` is replaced: it may be open and deaf.
 * P9. None is waited for that does not answer within `deafAfterMs`: other questions wait for what was wanted, and so does
 *     the end.
 */
import type { Clock, TimerHandle } from '../../../runtime/ports/clock.ts';
import type { PostgresConnection, QueryValue } from './connection.ts';
import type { PostgresConnector } from './connector.ts';
import { statements } from './statements.ts';

const pingEveryMs = 1_000;
const deafAfterMs = 1_500;
const firstPauseMs = 50;
const longestPauseMs = 500;

export interface ListenerOptions {
  connector: PostgresConnector;
  clock: Clock;
  schema: string;
  /** Null: whatever came to this channel may have been missed. */
  onHeard(channel: string, payload: string | null): void;
}

export class PostgresListener {
  readonly #options: ListenerOptions;
  readonly #pingChannel = `holdfast.ping.${crypto.randomUUID()}`;
  readonly #wanted = new Set<string>();
  #instanceNumber: number | null = null;
  #connection: PostgresConnection | null = null;
  /** What `#connection` listens to and holds. */
  #heard = new Set<string>();
  #held: number | null = null;
  #work: Promise<void> | null = null;
  #retry: TimerHandle;
  #pauseMs = firstPauseMs;
  #ping: TimerHandle;
  #deafness: TimerHandle;
  #isClosed = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  listen(channel: string): void {
    this.#wanted.add(channel);
    this.#adjust();
  }

  unlisten(channel: string): void {
    this.#wanted.delete(channel);
    this.#adjust();
  }

  /** Resolves when the lock is held, or cannot be for now. */
  async hold(instanceNumber: number): Promise<void> {
    this.#instanceNumber = instanceNumber;
    if (this.#held !== instanceNumber) this.#adjust();
    await this.settled();
  }

  /** Resolves when what was wanted is so, or could not be brought about at the first try. */
  async settled(): Promise<void> {
    await this.#work;
  }

  get #isWanted(): boolean {
    return this.#wanted.size > 0 || this.#instanceNumber !== null;
  }

  #adjust(): void {
    if (this.#work !== null || this.#isClosed) return;
    this.#work = this.#adjustAll().finally(() => {
      this.#work = null;
    });
  }

  /** What changes meanwhile is seen to as well. */
  async #adjustAll(): Promise<void> {
    this.#options.clock.clearTimeout(this.#retry);
    try {
      while (!this.#isClosed && (await this.#step()));
      this.#pauseMs = firstPauseMs;
    } catch {
      this.#connection?.destroy();
      this.#tryLater();
    }
  }

  /** @returns whether there was something to do */
  async #step(): Promise<boolean> {
    const connection = this.#connection?.isOpen ? this.#connection : null;
    if (connection === null) {
      if (!this.#isWanted) return false;
      await this.#connect();
      return true;
    }
    const missing = [...this.#wanted].find((channel) => !this.#heard.has(channel));
    if (missing !== undefined) await this.#listenTo(connection, missing);
    const surplus = [...this.#heard].find((channel) => !this.#wanted.has(channel));
    if (surplus !== undefined) await this.#leave(connection, surplus);
    const isHeld = this.#instanceNumber === this.#held;
    if (!isHeld) await this.#lock(connection);
    return missing !== undefined || surplus !== undefined || !isHeld;
  }

  async #connect(): Promise<void> {
    const connection = await this.#options.connector.connect();
    connection.onNotification = (channel, payload) => this.#hear(channel, payload);
    this.#connection = connection;
    this.#heard = new Set();
    this.#held = null;
    connection.onClosed(() => this.#onLost(connection));
    await this.#ask(connection, `LISTEN ${quote(this.#pingChannel)}`);
    this.#pingSoon(connection);
  }

  async #listenTo(connection: PostgresConnection, channel: string): Promise<void> {
    await this.#ask(connection, `LISTEN ${quote(channel)}`);
    this.#heard.add(channel);
    this.#options.onHeard(channel, null);
  }

  async #leave(connection: PostgresConnection, channel: string): Promise<void> {
    await this.#ask(connection, `UNLISTEN ${quote(channel)}`);
    this.#heard.delete(channel);
  }

  async #lock(connection: PostgresConnection): Promise<void> {
    const number = this.#instanceNumber;
    await this.#ask(connection, statements.holdInstance, [this.#options.schema, number]);
    this.#held = number;
  }

  /** P9. */
  async #ask(connection: PostgresConnection, sql: string, values: readonly QueryValue[] = []): Promise<void> {
    const { clock } = this.#options;
    const timer = clock.setTimeout(() => connection.destroy(), deafAfterMs);
    try {
      await connection.query(sql, values);
    } finally {
      clock.clearTimeout(timer);
    }
  }

  #hear(channel: string, payload: string): void {
    if (channel !== this.#pingChannel) this.#options.onHeard(channel, payload);
    else if (this.#connection?.isOpen) this.#pingSoon(this.#connection);
  }

  /** The next call to itself comes after the one before was heard. */
  #pingSoon(connection: PostgresConnection): void {
    const { clock } = this.#options;
    clock.clearTimeout(this.#deafness);
    this.#ping = clock.setTimeout(() => {
      this.#deafness = clock.setTimeout(() => connection.destroy(), deafAfterMs);
      connection.query(statements.notify, [this.#pingChannel, '']).catch(() => connection.destroy());
    }, pingEveryMs);
  }

  #onLost(connection: PostgresConnection): void {
    if (connection !== this.#connection) return;
    this.#options.clock.clearTimeout(this.#ping);
    this.#options.clock.clearTimeout(this.#deafness);
    if (this.#work === null && this.#isWanted) this.#tryLater();
  }

  #tryLater(): void {
    if (this.#isClosed) return;
    const { clock } = this.#options;
    clock.clearTimeout(this.#retry);
    this.#retry = clock.setTimeout(() => this.#adjust(), this.#pauseMs);
    this.#pauseMs = Math.min(longestPauseMs, this.#pauseMs * 2);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const { clock } = this.#options;
    for (const timer of [this.#retry, this.#ping, this.#deafness]) clock.clearTimeout(timer);
    await this.#work;
    await this.#connection?.close();
  }
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
