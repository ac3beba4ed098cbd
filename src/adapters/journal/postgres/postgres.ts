/**
 * Owns: opening the PostgreSQL journal that a URL names, and what a person is told where that fails.
 * Does not own: the connections (`store.ts`), the port (`../handle.ts`).
 */
import type { Clock } from '../../../runtime/ports/clock.ts';
import type { Journal } from '../../../runtime/ports/journal.ts';
import { openHandle } from '../handle.ts';
import { PostgresConnector } from './connector.ts';
import { toOpeningError } from './failures.ts';
import { migrate } from './migrations.ts';
import { PostgresStore } from './store.ts';
import { type Environment, readTarget } from './target.ts';

export interface PostgresJournalOptions {
  clock: Clock;
  /** Of this process, for the database's own view of its connections. */
  instance?: string | undefined;
  environment?: Environment;
}

/**
 * Opens the journal, or makes it in an empty database. Several processes share it.
 *
 * @throws FixCallError `journal.url` for what a person has to put right; GiveUpError `journal.corrupt`, `journal.future`;
 * RetryError `journal.unavailable`
 */
export async function openPostgresJournal(
  url: string,
  { clock, instance, environment = process.env }: PostgresJournalOptions,
): Promise<Journal> {
  const target = readTarget(url, environment);
  const applicationName = instance === undefined ? 'holdfast' : `holdfast/${instance}`;
  const connector = new PostgresConnector({ target, applicationName, clock });
  const { schema } = target;
  try {
    const connection = await connector.connect();
    await migrate(connection, { schema, place: connector.place });
    await connection.close();
  } catch (error) {
    connector.dropStandbys();
    throw toOpeningError(error, connector.place);
  }
  return openHandle(new PostgresStore({ connector, clock, schema }), clock);
}
