/** What statements of PostgreSQL wait for each other, and what they see then. */
import { describe, expect, test } from 'vitest';
import { openJournal } from '../../src/adapters/journal/open-journal.ts';
import { systemClock as clock } from '../../src/platform/clock.ts';
import { commitOf } from '../contract/commits.ts';
import { hasPostgres, needPostgres } from '../support/postgres-needed.ts';
import { shareServer } from '../support/postgres-server.ts';

const patienceMs = 60_000;
const rounds = 60;

function describeWaits(): void {
  const server = shareServer();

  test(
    'two that append to the same calls in opposite orders never wait for each other in a circle',
    async () => {
      const url = server.newUrl();
      const [one, other] = await Promise.all([openJournal(url, { clock }), openJournal(url, { clock })]);
      const callIds = Array.from({ length: 30 }, (_, index) => `call-${index}`);
      for (let seq = 1; seq <= rounds; seq += 1) {
        const outcomes = (handle: typeof one, order: string[]) =>
          Promise.all(
            order.map((callId) =>
              handle.append(commitOf(callId, seq)).then(
                () => [callId],
                (error) => (error.code === 'journal.conflict' ? [] : [`${error}`]),
              ),
            ),
          );
        const won = await Promise.all([outcomes(one, callIds), outcomes(other, callIds.toReversed())]);
        expect(won.flat(2).toSorted()).toEqual(callIds.toSorted());
      }
      expect(server.cluster().readLog()).not.toContain('deadlock');
      await Promise.all([one.close(), other.close()]);
    },
    patienceMs,
  );

  test('a signal that is put while its call ends waits for the end, and only its id is kept', async () => {
    const journal = await openJournal(server.newUrl({ parameters: { schema: 'ending' } }), { clock });
    await journal.append(commitOf('ends', 1));
    const cluster = server.cluster();
    const ending = cluster.query(
      `BEGIN; UPDATE ending.calls SET ended_at = 5; SELECT pg_sleep(1); COMMIT`,
      'holdfast',
    );
    await expect
      .poll(() => cluster.query("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))
      .toBe('1');
    expect(await journal.put({ id: 'late', callId: 'ends', signal: 'words' })).toBe('put');
    await ending;
    expect(await journal.pending('one')).toEqual([]);
    expect(await cluster.query("SELECT signal IS NULL FROM ending.inbox WHERE id = 'late'", 'holdfast')).toBe(
      't',
    );
    await journal.close();
  });

  test('what calls hand over at one moment shares one transaction, the first of it included', async () => {
    const journal = await openJournal(server.newUrl({ parameters: { schema: 'together' } }), { clock });
    const handOver = (callId: string) =>
      new Promise<void>((resolve, reject) =>
        setTimeout(() => journal.append(commitOf(callId, 1)).then(() => resolve(), reject), 10),
      );
    await Promise.all(['one', 'two', 'three'].map(handOver));
    const transactions = 'SELECT count(*), count(DISTINCT xmin::text) FROM together.commits';
    expect(await server.cluster().query(transactions, 'holdfast')).toBe('3|1');
    await journal.close();
  });

  test('a commit that no row can hold fails alone, whatever shares its transaction', async () => {
    const journal = await openJournal(server.newUrl(), { clock });
    const appended = ['first', 'b\u0000d', 'good', 'better'].map((callId) =>
      journal.append(commitOf(callId, 1)).then(
        () => 'stored',
        (error) => `${error.name} ${error.code}`,
      ),
    );
    expect(await Promise.all(appended)).toEqual(['stored', 'FixCallError log.invalid', 'stored', 'stored']);
    expect(await journal.list({})).toHaveLength(3);
    await journal.close();
  });

  test('two calls with one carrier’s id in one transaction: one is stored, the other a conflict', async () => {
    const journal = await openJournal(server.newUrl(), { clock });
    const appended = ['first', 'a', 'b', 'c'].map((callId) =>
      journal.append(commitOf(callId, 1, { row: { carrierCallId: callId === 'c' ? 'c' : 'same' } })).then(
        () => 'stored',
        (error) => error.code,
      ),
    );
    expect(await Promise.all(appended)).toEqual(['stored', 'journal.conflict', 'journal.conflict', 'stored']);
    const again = ['d', 'e', 'f'].map((callId) =>
      journal.append(commitOf(callId, 1, { row: { carrierCallId: callId === 'd' ? 'd' : 'twice' } })).then(
        () => 'stored',
        (error) => error.code,
      ),
    );
    expect((await Promise.all(again)).toSorted()).toEqual(['journal.conflict', 'stored', 'stored']);
    await journal.close();
  });
}

if (hasPostgres) describe('in PostgreSQL', describeWaits);
else test('statements of PostgreSQL wait for each other in one order', needPostgres);
