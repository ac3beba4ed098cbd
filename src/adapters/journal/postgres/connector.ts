/**
 * Owns: finding, among the hosts of a journal, the server that takes writes.
 * Does not own: when a connection is needed (`link.ts`).
 *
 * While there is none, a standby is asked again and again whether it has become one. It is asked over the connection that
 * is there: each login would cost a new process there, and milliseconds of the thread that carries the audio here.
 *
 * Invariants:
 * P1. All connections of a handle are with one server: whoever finds another one ends those with the one before. A server
 *     that was replaced behind its back answers with a past, and tells of no commit.
 */
import type { Clock } from '../../../runtime/ports/clock.ts';
import { HoldfastError, RetryError } from '../../../runtime/ports/errors.ts';
import { openConnection, type PostgresConnection } from './connection.ts';
import { describeTarget, nameHost, type PostgresHost, type PostgresTarget } from './target.ts';

/** After the first host, the next ones are asked as well where it has not answered by then. */
const nextHostAfterMs = 250;

const activitySql = `SELECT state FROM pg_stat_activity WHERE pid = $1 AND state <> 'idle'`;

export interface ConnectorOptions {
  target: PostgresTarget;
  applicationName: string;
  clock: Clock;
}

export class PostgresConnector {
  readonly #options: ConnectorOptions;
  readonly #open = new Set<PostgresConnection>();
  /** Connections to standbys, kept while no server takes writes. None is being asked. */
  #standbys: PostgresConnection[] = [];
  #current: PostgresHost | null = null;

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  /** For people: where the journal is. */
  get place(): string {
    return describeTarget(this.#options.target);
  }

  /** @throws what the first host said that knew more than that it is away: see `worst` */
  async connect(): Promise<PostgresConnection> {
    const connection = await this.#race();
    this.#hold(connection);
    return connection;
  }

  /** They are not asked any more: another server takes writes, or nobody wants one. */
  dropStandbys(): void {
    for (const standby of this.#standbys.splice(0)) standby.destroy();
  }

  #hold(connection: PostgresConnection): void {
    this.#open.add(connection);
    connection.onClosed(() => this.#open.delete(connection));
    this.#current = connection.host;
    for (const other of this.#open) if (other.host !== connection.host) other.destroy();
    this.dropStandbys();
  }

  /** The first one that takes writes; one that comes second is ended. */
  async #race(): Promise<PostgresConnection> {
    let isFound = false;
    const attempt = async (host: PostgresHost, before: Promise<unknown> | undefined) => {
      if (before) await Promise.race([before.catch(() => undefined), this.#pause(nextHostAfterMs)]);
      if (isFound) throw new RetryError('journal.unavailable', 'another host was faster');
      const connection = await this.#reach(host);
      if (isFound) connection.destroy();
      isFound = true;
      return connection;
    };
    const attempts: Promise<PostgresConnection>[] = [];
    for (const host of this.#hostsInOrder()) attempts.push(attempt(host, attempts.at(-1)));
    try {
      return await Promise.any(attempts);
    } catch (error) {
      throw worst((error as AggregateError).errors);
    }
  }

  /** @throws RetryError `journal.unavailable` where the server takes no writes */
  async #reach(host: PostgresHost): Promise<PostgresConnection> {
    const connection = (await this.#askAgain(host)) ?? (await openConnection({ ...this.#options, host }));
    if (!connection.isReadOnly) return connection;
    if (this.#open.size === 0) this.#standbys.push(connection);
    else connection.destroy();
    throw new RetryError('journal.unavailable', `${nameHost(host)} takes no writes: it is a standby`);
  }

  /** The connection to a standby that is there; null where there is none, or it has no answer. */
  async #askAgain(host: PostgresHost): Promise<PostgresConnection | null> {
    const standby = this.#standbys.find((each) => each.host === host);
    if (standby === undefined) return null;
    this.#standbys = this.#standbys.filter((each) => each !== standby);
    const { clock, target } = this.#options;
    const timer = clock.setTimeout(() => standby.destroy(), target.connectTimeoutMs);
    try {
      await standby.begin();
      return standby;
    } catch {
      standby.destroy();
      return null;
    } finally {
      clock.clearTimeout(timer);
    }
  }

  /** Begins with the one that served last. */
  #hostsInOrder(): PostgresHost[] {
    const { hosts } = this.#options.target;
    const current = this.#current;
    return current === null ? [...hosts] : [current, ...hosts.filter((host) => host !== current)];
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.setTimeout(resolve, delayMs));
  }

  /**
   * Whether the server still works on what `connection` was asked, as it does while a commit waits for a standby. False
   * too where it does not answer.
   */
  async isWorking(connection: PostgresConnection): Promise<boolean> {
    try {
      const { host } = connection;
      const inquirer = await openConnection({ ...this.#options, host });
      try {
        return (await inquirer.query(activitySql, [connection.pid])).length > 0;
      } finally {
        inquirer.destroy();
      }
    } catch {
      return false;
    }
  }
}

/** A host that is only away, or a standby, says less than one that refuses. */
function worst(errors: readonly unknown[]): unknown {
  const telling = errors.find((error) => isTelling(error));
  return telling ?? errors[0];
}

const absences = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'ECONNRESET', '57P03'];

function isTelling(error: unknown): boolean {
  if (error instanceof RetryError) return false;
  if (error instanceof HoldfastError) return true;
  return error instanceof Error && 'code' in error && !absences.includes(String(error.code));
}
