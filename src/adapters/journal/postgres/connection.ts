/**
 * Owns: one connection to one server: opening it within a bound, its settings, ending it whatever the server does.
 * Does not own: which server (`connector.ts`), when one is needed (`link.ts`).
 *
 * The socket is ours and given to postgres.js, which would otherwise connect again by itself, to any host, and wait for
 * a frozen server for ever.
 */
import { connect, type Socket } from 'node:net';
import postgres from 'postgres';
import type { Clock } from '../../../runtime/ports/clock.ts';
import { FixCallError } from '../../../runtime/ports/errors.ts';
import { encryptionFor } from './encryption.ts';
import { findPassword } from './password-file.ts';
import { nameHost, type PostgresHost, type PostgresTarget } from './target.ts';

const noTls = 'N'.charCodeAt(0);

const oldestVersion = 150_000;

/** How long a server may take over a polite end. */
const closeTimeoutMs = 1_000;

/** `int8`, which the journal uses for whole milliseconds and for seqs: PostgreSQL's `pg_type`. */
const wholeNumber = { to: 20, from: [20], parse: Number, serialize: String };

/**
 * What a database or a role may have been given is undone: bounds are kept here, where an outcome can be settled, and a
 * resolved append is durable. A server notices within some seconds that this process is cut off, and lets its lock go.
 */
const settings = {
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  default_transaction_isolation: 'read committed',
  // What is asked is found by an index, however small or unknown a table is when the plan is made, once for all.
  enable_seqscan: 'off',
  jit: 'off',
  plan_cache_mode: 'force_generic_plan',
  tcp_keepalives_idle: '2',
  tcp_keepalives_interval: '1',
  tcp_keepalives_count: '3',
  tcp_user_timeout: '5000',
} as const;

const settingsSql = Object.entries(settings).map(
  ([name, value]) => `set_config('${name}', '${value}', false)`,
);

const beginSql = `
  SELECT pg_backend_pid() AS pid, current_setting('server_version_num')::int AS version,
    current_setting('server_encoding') AS encoding,
    pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS "isReadOnly",
    set_config('search_path', $1, false), ${settingsSql.join(', ')},
    set_config('synchronous_commit', CASE current_setting('synchronous_commit')
      WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)`;

interface Beginning {
  pid: number;
  version: number;
  encoding: string;
  isReadOnly: boolean;
}

export type QueryValue = string | number | boolean | null | readonly (string | number | null)[];

export interface ConnectionOptions {
  target: PostgresTarget;
  host: PostgresHost;
  applicationName: string;
  clock: Clock;
}

/** To a standby, too. @throws FixCallError `journal.url`, and whatever the network and the server say */
export async function openConnection(options: ConnectionOptions): Promise<PostgresConnection> {
  const { target, host, clock } = options;
  const socket = connect(host.host.startsWith('/') ? { path: nameHost(host) } : host);
  socket.setNoDelay(true);
  const ended = failsWithEnd(socket);
  const timer = clock.setTimeout(
    () => socket.destroy(new Error(`no answer within ${target.connectTimeoutMs} ms`)),
    target.connectTimeoutMs,
  );
  try {
    await Promise.race([new Promise((resolve) => socket.once('connect', resolve)), ended]);
    if (typeof encryptionFor(target.encryption, host) === 'object') refuseWithoutTls(socket, host);
    const connection = new PostgresConnection(options, socket);
    await Promise.race([connection.begin(), ended]);
    return connection;
  } catch (error) {
    socket.destroy();
    throw socket.errored ?? error;
  } finally {
    clock.clearTimeout(timer);
  }
}

/** The server's one byte before a handshake (PostgreSQL, 55.2.10 "SSL Session Encryption"); postgres.js shakes hands all the same. */
function refuseWithoutTls(socket: Socket, host: PostgresHost): void {
  const problem = `${nameHost(host)} does not speak TLS: turn TLS on there, or use sslmode=disable`;
  socket.once('data', ([answer]) => {
    if (answer === noTls) socket.destroy(new FixCallError('journal.url', `JOURNAL_URL: ${problem}`));
  });
}

/**
 * Rejects when the socket ends. postgres.js listens to a socket some turns after it was given one: of an end before that it
 * would never hear, nor of anything after.
 */
function failsWithEnd(socket: Socket): Promise<never> {
  const ended = new Promise<never>((_, reject) => {
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed')));
  });
  // Once the connection has begun, its end is no matter of its beginning.
  ended.catch(() => undefined);
  return ended;
}

export class PostgresConnection {
  readonly host: PostgresHost;
  readonly #socket: Socket;
  readonly #sql: postgres.Sql<{ wholeNumber: number }>;
  readonly #onClosed = new Set<() => void>();
  readonly #schema: string;
  #isOpen = true;
  /** The server's process that serves this connection. */
  pid = 0;
  /** The server takes no writes: it is a standby. */
  isReadOnly = false;
  /** What is told where the connection listens. */
  onNotification: (channel: string, payload: string) => void = () => undefined;

  constructor({ target, host, applicationName }: ConnectionOptions, socket: Socket) {
    this.host = host;
    this.#socket = socket;
    this.#schema = target.schema;
    let isGiven = false;
    const options = {
      host: host.host,
      port: host.port,
      user: target.user,
      database: target.database,
      pass: () => findPassword(target, host),
      ssl: encryptionFor(target.encryption, host),
      // Once: a second connection would be another server's, perhaps.
      socket: async () => {
        if (isGiven) throw new Error('the connection was closed');
        isGiven = true;
        return socket;
      },
      connection: { application_name: applicationName },
      types: { wholeNumber },
      max: 1,
      max_lifetime: null,
      idle_timeout: 0,
      connect_timeout: 0,
      keep_alive: 5,
      fetch_types: true,
      prepare: true,
      // `connector.ts` asks itself; this keeps the environment's word out.
      target_session_attrs: 'read-write' as const,
      onnotice: () => undefined,
      onnotify: (channel: string, payload: string) => this.onNotification(channel, payload),
      onclose: () => this.#noteClosed(),
    };
    this.#sql = postgres(options);
  }

  /** May be asked again: a standby may be one no more. @throws FixCallError `journal.url` from an unfit server */
  async begin(): Promise<void> {
    const [beginning] = await this.query<Beginning>(beginSql, [`"${this.#schema}"`]);
    if (beginning === undefined) throw new Error('the server did not answer');
    this.pid = beginning.pid;
    if (beginning.version < oldestVersion)
      throw new FixCallError(
        'journal.url',
        `JOURNAL_URL: ${nameHost(this.host)} is older than PostgreSQL 15`,
      );
    if (beginning.encoding !== 'UTF8')
      throw new FixCallError(
        'journal.url',
        `JOURNAL_URL: the database's encoding is ${beginning.encoding}: a journal needs UTF8`,
      );
    this.isReadOnly = beginning.isReadOnly;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** `sql` is a constant of the program: it is prepared, and kept. */
  async query<Row>(sql: string, values: readonly QueryValue[] = []): Promise<Row[]> {
    const rows = await this.#sql.unsafe(sql, values as never[], { prepare: true });
    return rows as unknown as Row[];
  }

  /** Each of `statements` in one transaction, which is undone where one fails. */
  async inTransaction(work: (query: PostgresConnection['query']) => Promise<void>): Promise<void> {
    await this.#sql.begin((transaction) =>
      work(async (sql, values = []) => (await transaction.unsafe(sql, values as never[])) as never),
    );
  }

  onClosed(listener: () => void): void {
    this.#onClosed.add(listener);
  }

  #noteClosed(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const listener of this.#onClosed) listener();
  }

  /** At once and without a word: what was asked and not answered fails. A commit that is under way there goes on. */
  destroy(): void {
    this.#socket.destroy();
    this.#noteClosed();
    void this.#sql.end({ timeout: 0 });
  }

  async close(): Promise<void> {
    await this.#sql.end({ timeout: closeTimeoutMs / 1_000 });
    this.destroy();
  }
}
