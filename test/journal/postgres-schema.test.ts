import { beforeAll, describe, expect, test } from 'vitest';
import { openJournal } from '../../src/adapters/journal/open-journal.ts';
import type { PostgresConnection } from '../../src/adapters/journal/postgres/connection.ts';
import { PostgresConnector } from '../../src/adapters/journal/postgres/connector.ts';
import { migrate, migrations } from '../../src/adapters/journal/postgres/migrations.ts';
import { readTarget } from '../../src/adapters/journal/postgres/target.ts';
import { type Migration, newestVersion } from '../../src/adapters/journal/schema-steps.ts';
import { systemClock as clock } from '../../src/platform/clock.ts';
import type { Payload } from '../../src/runtime/ports/journal.ts';
import { commitOf, endedAt } from '../contract/commits.ts';
import type { PostgresCluster } from '../support/postgres-cluster.ts';
import { hasPostgres, needPostgres } from '../support/postgres-needed.ts';
import { shareServer } from '../support/postgres-server.ts';

const patienceMs = 60_000;
const next = newestVersion(migrations) + 1;
const withNext: Migration[] = [
  ...migrations,
  { number: next, sql: 'ALTER TABLE calls ADD COLUMN region text' },
];

test('the steps of the schema in PostgreSQL are numbered from 1 without a hole', () => {
  expect(migrations.map(({ number }) => number)).toEqual(migrations.map((_, index) => index + 1));
});

function describeSchema(): void {
  const server = shareServer({ autovacuum_naptime: '1s' });
  let cluster: PostgresCluster;

  beforeAll(() => {
    cluster = server.cluster();
  });

  async function withConnection(url: string, work: (connection: PostgresConnection) => Promise<void>) {
    const connector = new PostgresConnector({ target: readTarget(url, {}), applicationName: 'test', clock });
    const connection = await connector.connect();
    await work(connection).finally(() => connection.close());
  }

  const takeSteps = (url: string, steps: Migration[]) =>
    withConnection(url, (connection) =>
      migrate(connection, { schema: readTarget(url, {}).schema, place: 'here' }, steps),
    );

  test('goes forward under the feet of a process that has it open; an older one that starts is refused', async () => {
    const url = server.newUrl();
    const older = await openJournal(url, { clock });
    await older.append(commitOf('a', 1));
    await takeSteps(url, withNext);
    await older.append(commitOf('a', 2));
    expect((await older.read('a')).commits).toHaveLength(2);
    await expect(openJournal(url, { clock })).rejects.toMatchObject({
      name: 'GiveUpError',
      code: 'journal.future',
      message: expect.stringMatching(/has schema version 2, this Holdfast knows 1: run the newer one/),
    });
    await older.close();
  });

  test('stays where it was when a step fails', async () => {
    const url = server.newUrl();
    await takeSteps(url, [...migrations]);
    const failing = [...withNext, { number: next + 1, sql: 'CREATE TABLE more (x text); NONSENSE' }];
    await expect(takeSteps(url, failing)).rejects.toThrow(/NONSENSE/);
    await withConnection(url, async (connection) => {
      expect(await connection.query('SELECT version FROM journal_version')).toEqual([{ version: next - 1 }]);
      expect(await connection.query("SELECT to_regclass('more') AS more")).toEqual([{ more: null }]);
    });
    await takeSteps(url, withNext);
  });

  test('is made by one of many that open it at once', async () => {
    const url = server.newUrl();
    const journals = await Promise.all(Array.from({ length: 8 }, () => openJournal(url, { clock })));
    for (const journal of journals) await journal.close();
  });

  test('leaves tables of another application alone', async () => {
    await cluster.query(
      'CREATE SCHEMA theirs AUTHORIZATION holdfast; CREATE TABLE theirs.inbox (x int)',
      'holdfast',
    );
    await cluster.query('GRANT ALL ON SCHEMA theirs TO holdfast', 'holdfast');
    await expect(
      openJournal(cluster.url({ parameters: { schema: 'theirs' } }), { clock }),
    ).rejects.toMatchObject({
      name: 'GiveUpError',
      code: 'journal.corrupt',
      message: expect.stringMatching(/another application. Nothing was written/),
    });
    const tables = "SELECT string_agg(tablename, ',') FROM pg_tables WHERE schemaname = 'theirs'";
    expect(await cluster.query(tables, 'holdfast')).toBe('inbox');
  });

  test('takes a right that the message names', async () => {
    await cluster.query("CREATE ROLE reader LOGIN PASSWORD 'reads'");
    const url = cluster.url({ user: 'reader', password: 'reads', parameters: { schema: 'not_theirs' } });
    await expect(openJournal(url, { clock })).rejects.toMatchObject({
      name: 'FixCallError',
      code: 'journal.url',
      message: expect.stringMatching(/lacks a right.*permission denied/),
    });
  });

  test(
    'keeps what was erased in dead rows only until the next vacuum, which comes by itself',
    async () => {
      const journal = await openJournal(server.newUrl({ parameters: { schema: 'erased' } }), { clock });
      const payloads: Payload[] = [{ seq: 1, name: 'text', content: 'the secret words' }];
      for (const callId of ['gone', 'kept']) await journal.append(commitOf(callId, 1, { payloads }));
      await journal.put({ id: 'gone-1', callId: 'gone', signal: 'the secret signal' });
      await cluster.query('CREATE EXTENSION pageinspect', 'holdfast');
      const rows = (table: string) =>
        cluster.query(
          `SELECT count(*) FROM heap_page_items(get_raw_page('erased.${table}', 0))
           WHERE position('secret' IN encode(t_data, 'escape')) > 0`,
          'holdfast',
        );
      expect([await rows('payloads'), await rows('inbox')]).toEqual(['2', '1']);
      await journal.append(commitOf('gone', 2, { erases: true, row: endedAt(5) }));
      expect(await journal.list({ text: 'secret' })).toMatchObject([{ callId: 'kept' }]);
      await expect
        .poll(async () => [await rows('payloads'), await rows('inbox')], { timeout: 40_000 })
        .toEqual(['1', '0']);
      await journal.close();
    },
    patienceMs,
  );
}

if (hasPostgres) describe('the schema in PostgreSQL', describeSchema);
else test('the schema in PostgreSQL', needPostgres);
