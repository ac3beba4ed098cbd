/** Answers, requests and notifications get lost between the journal and PostgreSQL. */
import { afterAll, describe, expect, test } from 'vitest';
import { openJournal } from '../../src/adapters/journal/open-journal.ts';
import { systemClock as clock } from '../../src/platform/clock.ts';
import type { Journal } from '../../src/runtime/ports/journal.ts';
import { commitOf } from '../contract/commits.ts';
import { urlOver } from '../support/postgres-cluster.ts';
import { hasPostgres, needPostgres } from '../support/postgres-needed.ts';
import { PostgresProxy } from '../support/postgres-proxy.ts';
import { shareServer } from '../support/postgres-server.ts';

interface Place {
  proxy: PostgresProxy;
  /** Behind the proxy. */
  journal: Journal;
  /** Directly. */
  other: Journal;
}

function describeLosses(): void {
  const server = shareServer();
  const ends: (() => Promise<void>)[] = [];
  let schemas = 0;

  afterAll(async () => {
    for (const end of ends) await end();
  });

  async function openPlace(): Promise<Place> {
    const cluster = server.cluster();
    const proxy = await PostgresProxy.create(cluster.port);
    schemas += 1;
    const parameters = { schema: `lossy_${schemas}`, sslmode: 'disable' };
    const journal = await openJournal(urlOver([proxy], { parameters }), { clock });
    const other = await openJournal(cluster.url({ parameters }), { clock });
    ends.push(async () => {
      await journal.close();
      await other.close();
      await proxy.close();
    });
    return { proxy, journal, other };
  }

  test('an append whose answer is lost is found to be there, and is no conflict', async () => {
    const { proxy, journal, other } = await openPlace();
    await journal.append(commitOf('lost', 1));
    await other.put({ id: 'lost-1', callId: 'lost', signal: 'words' });
    const lost = proxy.loseAnswerTo('the-lost-one');
    const content = { seq: 2, name: 'text', content: 'words' };
    const parts = { note: 'the-lost-one', taken: ['lost-1'], payloads: [content] };
    const appended = journal.append(commitOf('lost', 2, parts));
    await lost;
    await appended;
    const { commits } = await other.read('lost');
    expect(commits.map(({ entries }) => entries[0]?.note)).toEqual(['', 'the-lost-one']);
    expect(await other.readPayloads('lost')).toEqual([content]);
    expect(await other.pending('one')).toEqual([]);
  });

  test('one that shares its transaction with others is settled with them, each to its own outcome', async () => {
    const { proxy, journal, other } = await openPlace();
    await other.append(commitOf('batch-2', 1));
    const lost = proxy.loseAnswerTo('batch-lost');
    // The first goes alone, the others together after it; the connection is lost under them.
    const outcomes = ['batch-1', 'batch-2', 'batch-3', 'batch-4'].map((callId) =>
      journal.append(commitOf(callId, 1, { note: callId === 'batch-3' ? 'batch-lost' : '' })).then(
        () => 'stored',
        (error) => error.code,
      ),
    );
    await lost;
    expect(await Promise.all(outcomes)).toEqual(['stored', 'journal.conflict', 'stored', 'stored']);
    expect(await other.list({})).toHaveLength(4);
  });

  test('an append whose request is lost is sent again', async () => {
    const { proxy, journal, other } = await openPlace();
    await journal.append(commitOf('again', 1));
    const lost = proxy.loseRequest('the-request');
    const appended = journal.append(commitOf('again', 2, { note: 'the-request' }));
    await lost;
    await appended;
    expect((await other.read('again')).commits).toHaveLength(2);
  });

  test('and is a conflict where another process has appended by then', async () => {
    const { proxy, journal, other } = await openPlace();
    await journal.append(commitOf('late', 1));
    const lost = proxy.loseRequest('too-late');
    const appended = journal.append(commitOf('late', 2, { note: 'too-late' }));
    await lost;
    await other.append(commitOf('late', 2, { note: 'faster' }));
    await expect(appended).rejects.toMatchObject({ code: 'journal.conflict' });
    expect((await other.read('late')).commits.at(-1)?.entries[0]?.note).toBe('faster');
  });

  test('a connection that stays open and passes nothing is noticed, and another one taken', async () => {
    const { proxy, journal } = await openPlace();
    await journal.append(commitOf('stalled', 1));
    await journal.list({});
    proxy.stall();
    await Promise.all([journal.append(commitOf('stalled', 2)), journal.list({}).catch(() => undefined)]);
    expect((await journal.read('stalled')).commits).toHaveLength(2);
  });

  test('one that passes nothing while a LISTEN is under way holds up nothing else, and news comes again', async () => {
    const { proxy, journal, other } = await openPlace();
    let commits = 0;
    journal.watch('one', () => undefined);
    await journal.instances();
    proxy.stall();
    journal.follow('stalled', () => {
      commits += 1;
    });
    const answers = () => journal.instances().then(Boolean, () => false);
    await expect.poll(answers, { timeout: 12_000 }).toBe(true);
    const told = commits;
    await other.append(commitOf('stalled', 1));
    await expect.poll(() => commits, { timeout: 5_000 }).toBeGreaterThan(told);
  });

  test('closing waits for no LISTEN that is never answered', async () => {
    const { proxy, journal } = await openPlace();
    journal.watch('one', () => undefined);
    await journal.instances();
    proxy.stall();
    journal.follow('stalled', () => undefined);
    await expect(journal.close()).resolves.toBeUndefined();
  });

  test('a connection that hears no notifications any more is noticed: nothing is missed, and news comes again', async () => {
    const { proxy, journal, other } = await openPlace();
    const heard = { commits: 0, signals: 0 };
    journal.follow('deaf', () => {
      heard.commits += 1;
    });
    journal.watch('deaf', () => {
      heard.signals += 1;
    });
    await journal.instances();
    proxy.deafen();
    const before = { ...heard };
    await other.append(commitOf('deaf', 1));
    await other.put({ id: 'deaf-1', callId: 'deaf', signal: 1 });
    await expect.poll(() => heard.commits, { timeout: 10_000 }).toBeGreaterThan(before.commits);
    await expect.poll(() => heard.signals, { timeout: 10_000 }).toBeGreaterThan(before.signals);
    const told = { ...heard };
    await other.append(commitOf('deaf', 2));
    await other.put({ id: 'deaf-2', callId: 'deaf', signal: 2 });
    await expect.poll(() => heard.commits, { timeout: 10_000 }).toBe(told.commits + 1);
    await expect.poll(() => heard.signals, { timeout: 10_000 }).toBe(told.signals + 1);
  });
}

if (hasPostgres) describe('between the journal and PostgreSQL', describeLosses);
else test('answers of PostgreSQL get lost', needPostgres);
