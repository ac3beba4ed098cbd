/**
 * Owns: finding, among the hosts of a journal, the server that takes writes.
 * Does not own: when a connection is needed (`link.ts`).
 *
 * Invariants:
 * P1. All connections of a handle are with one server: whoever finds another one ends those with the one before. A server
 *     that was replaced behind its back answers with a past, and tells of no commit.
 */
import type { Clock } from '../../../runtime/ports/clock.ts';
import { HoldfastError, RetryError } from '../../../runtime/ports/errors.ts';
import { type ConnectionOptions, openConnection, type PostgresConnection } from './connection.ts';
import { describeTarget, type PostgresHost, type PostgresTarget } from './target.ts';

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
  #current: PostgresHost | null = null;

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  /** For people: where the journal is. */
  get place(): string {
    return describeTarget(this.#options.target);
  }

  /** @throws what the first host said that knew more than that it is away: see `worst` */
  async connect(
    onNotification: ConnectionOptions['onNotification'] = () => undefined,
  ): Promise<PostgresConnection> {
    const connection = await this.#race(onNotification);
    this.#hold(connection);
    return connection;
  }

  #hold(connection: PostgresConnection): void {
    this.#open.add(connection);
    connection.onClosed(() => this.#open.delete(connection));
    this.#current = connection.host;
    for (const other of this.#open) if (other.host !== connection.host) other.destroy();
  }

  /** The first one that takes writes; one that comes second is ended. */
  async #race(onNotification: ConnectionOptions['onNotification']): Promise<PostgresConnection> {
    let isFound = false;
    const attempt = async (host: PostgresHost, before: Promise<unknown> | undefined) => {
      if (before) await Promise.race([before.catch(() => undefined), this.#pause(nextHostAfterMs)]);
      if (isFound) throw new RetryError('journal.unavailable', 'another host was faster');
      const connection = await openConnection({ ...this.#options, host, onNotification });
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
      const inquirer = await openConnection({ ...this.#options, host, onNotification: () => undefined });
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
