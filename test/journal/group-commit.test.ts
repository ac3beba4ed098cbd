import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { MessageChannel } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { packCommit, packQuery } from '../../src/adapters/journal/packing.ts';
import { openSqliteJournal } from '../../src/adapters/journal/sqlite.ts';
import { openJournalFile } from '../../src/adapters/journal/sqlite-file.ts';
import type { Answer, FromWorker, Request } from '../../src/adapters/journal/sqlite-messages.ts';
import { serveJournal } from '../../src/adapters/journal/sqlite-service.ts';
import { SqliteTables } from '../../src/adapters/journal/sqlite-tables.ts';
import { SqliteTurn } from '../../src/adapters/journal/sqlite-turn.ts';
import { systemClock as clock } from '../../src/platform/clock.ts';
import type { Commit } from '../../src/runtime/ports/journal.ts';
import { commitOf } from '../contract/commits.ts';
import { makeFolder } from './folder.ts';
import { startInThisThread } from './serving-thread.ts';

const folder = makeFolder();
let files = 0;
let path = '';
let database: DatabaseSync;
let turn: SqliteTurn;

beforeEach(() => {
  files += 1;
  path = join(folder, `${files}.db`);
  database = openJournalFile(path);
  turn = new SqliteTurn(database, new SqliteTables(database), path);
});

afterEach(() => database.close());

const appending = (...commits: Commit[]): Request[] =>
  commits.map((commit, id) => ({ id, name: 'append', request: packCommit(commit) }));

const outcomes = (answers: Answer[]) =>
  answers.map((answer) => ('failure' in answer ? answer.failure.code : answer.result));

const storedCalls = () =>
  database
    .prepare('SELECT call_id FROM calls ORDER BY call_id')
    .all()
    .map((row) => row.call_id);

describe('a turn of the journal', () => {
  test('lets a commit that conflicts fail alone, with all that it would have changed', () => {
    const requests = appending(
      commitOf('a', 1),
      commitOf('a', 1, { payloads: [{ seq: 1, name: 'text', content: 'never' }] }),
      commitOf('b', 1),
      commitOf('a', 2),
    );
    expect(outcomes(turn.run(requests))).toEqual(['stored', 'conflict', 'stored', 'stored']);
    expect(storedCalls()).toEqual(['a', 'b']);
    expect(database.prepare('SELECT count(*) AS count FROM payloads').get()).toEqual({ count: 0 });
  });

  test('is one transaction', () => {
    const before = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
    expect(before).toMatchObject({ busy: 0 });
    turn.run(appending(...Array.from({ length: 100 }, (_, index) => commitOf(`call-${index}`, 1))));
    const framesOfOneTurn = statSync(`${path}-wal`).size;
    for (let index = 0; index < 100; index += 1) turn.run(appending(commitOf(`alone-${index}`, 1)));
    expect(statSync(`${path}-wal`).size - framesOfOneTurn).toBeGreaterThan(5 * framesOfOneTurn);
  });

  test('lets a commit that no row can hold fail alone, as its caller’s mistake', () => {
    const requests = appending(commitOf('a', 1), commitOf('b', 1), commitOf('c', 1));
    const unstorable = requests[1]! as Request<'append'>;
    unstorable.request.row.startedAt = undefined as unknown as number;
    const answers = turn.run(requests);
    expect(outcomes(answers)).toEqual(['stored', 'log.invalid', 'stored']);
    expect(answers.map(({ id }) => id)).toEqual([0, 1, 2]);
    expect(storedCalls()).toEqual(['a', 'c']);
  });

  test('lets a row that breaks a rule of the schema fail alone', () => {
    const requests = appending(commitOf('a', 1), commitOf('b', 1));
    const unstorable = requests[0]! as Request<'append'>;
    unstorable.request.row.state = null as unknown as string;
    expect(outcomes(turn.run(requests))).toEqual(['log.invalid', 'stored']);
  });

  test('fails as a whole when the disk is full, keeps nothing of it, and goes on when there is room', () => {
    const pages = Number(database.prepare('PRAGMA page_count').get()?.page_count);
    database.exec(`PRAGMA max_page_count = ${pages + 4}`);
    const large = commitOf('large', 1, { note: 'x'.repeat(100_000) });
    expect(outcomes(turn.run(appending(commitOf('a', 1), large)))).toEqual(
      Array(2).fill('journal.unavailable'),
    );
    expect(storedCalls()).toEqual([]);
    database.exec('PRAGMA max_page_count = 100000');
    expect(outcomes(turn.run(appending(commitOf('a', 1), large)))).toEqual(['stored', 'stored']);
  });

  test('is unavailable when another process keeps the lock too long, while reads go on', () => {
    const greedy = new DatabaseSync(path);
    greedy.exec('BEGIN IMMEDIATE');
    const requests: Request[] = [
      ...appending(commitOf('a', 1)),
      { id: 1, name: 'list', request: packQuery({ limit: 1 }) },
    ];
    expect(outcomes(turn.run(requests))).toEqual(['journal.unavailable', { rows: [], next: null }]);
    greedy.exec('ROLLBACK');
    greedy.close();
    expect(outcomes(turn.run(appending(commitOf('a', 1))))).toEqual(['stored']);
  });

  test('answers a read that fails alone', () => {
    database.exec('DROP VIEW payloads');
    const answers = turn.run([
      { id: 7, name: 'readPayloads', request: { callId: 'a' } },
      { id: 8, name: 'read', request: { callId: 'a', fromStart: false } },
    ]);
    expect(answers).toMatchObject([
      { id: 7, failure: { code: 'journal.unavailable', detail: expect.stringContaining(path) } },
      { id: 8, result: { commits: [], checkpoint: null } },
    ]);
  });
});

describe('the worker', () => {
  test('takes what has queued into one turn and answers it with one message, 256 requests at most', async () => {
    const { port1, port2 } = new MessageChannel();
    for (const [id, commit] of Array.from({ length: 600 }, (_, index) =>
      commitOf(`call-${index}`, 1),
    ).entries())
      port1.postMessage({ type: 'asked', requests: [{ id, name: 'append', request: packCommit(commit) }] });
    port1.postMessage({ type: 'close' });
    const messages: FromWorker[] = [];
    port1.on('message', (message) => messages.push(message));
    serveJournal(port2, path);
    await once(port1, 'close');
    const turns = messages.flatMap((message) =>
      message.type === 'answered' ? [message.answers.length] : [],
    );
    expect(turns).toEqual([256, 256, 88]);
  });
});

describe('a signal that was taken', () => {
  test('leaves nothing of its content in the file', async () => {
    const journal = await openSqliteJournal(path, { clock, startThread: startInThisThread });
    for (const id of ['taken', 'waiting'])
      await journal.put({ id, callId: 'a', signal: { number: `555-${id}` } });
    await journal.append(commitOf('a', 1, { taken: ['taken'] }));
    await journal.close();
    database.close();
    const bytes = readFileSync(path, 'latin1');
    expect(bytes).toContain('555-waiting');
    expect(bytes).not.toContain('555-taken');
    database = openJournalFile(path);
  });
});

describe('the lock of the file', () => {
  test('is waited for without the main thread', async () => {
    const greedy = new DatabaseSync(path);
    const journal = await openSqliteJournal(path, { clock });
    greedy.exec('BEGIN IMMEDIATE');
    let stored = false;
    const appended = journal.append(commitOf('a', 1)).then(() => {
      stored = true;
    });
    let turns = 0;
    while (turns < 50) {
      await new Promise((resolve) => setImmediate(resolve));
      turns += 1;
    }
    expect(stored).toBe(false);
    greedy.exec('COMMIT');
    await appended;
    greedy.close();
    await journal.close();
  });
});

describe('the write-ahead log', () => {
  const note = 'x'.repeat(40_000);

  test('is copied into the file as it grows', async () => {
    const journal = await openSqliteJournal(path, { clock, startThread: startInThisThread });
    for (let seq = 1; seq <= 1_000; seq += 1) await journal.append(commitOf('a', seq, { note }));
    expect(statSync(path).size).toBeGreaterThan(30_000_000);
    expect(statSync(`${path}-wal`).size).toBeLessThan(20_000_000);
    await journal.close();
  });

  test('begins anew once it was long and nobody reads its end any more', async () => {
    const journal = await openSqliteJournal(path, { clock, startThread: startInThisThread });
    const reader = new DatabaseSync(path);
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM calls').get();
    for (let seq = 1; seq <= 500; seq += 1) await journal.append(commitOf('a', seq, { note }));
    const grownBytes = statSync(`${path}-wal`).size;
    expect(grownBytes).toBeGreaterThan(20_000_000);
    reader.exec('COMMIT');
    for (let seq = 501; seq <= 600; seq += 1) await journal.append(commitOf('a', seq, { note }));
    expect(statSync(`${path}-wal`).size).toBeLessThan(grownBytes + 500_000);
    expect(reader.prepare('PRAGMA wal_checkpoint(NOOP)').get()?.log).toBeLessThan(2_000);
    reader.close();
    await journal.close();
  });
});
