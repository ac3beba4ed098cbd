import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { requestsInFlight } from '../../src/adapters/journal/operations.ts';
import { openSqliteJournal, startWorker } from '../../src/adapters/journal/sqlite.ts';
import type { ServingThread, StartThread } from '../../src/adapters/journal/sqlite-link.ts';
import type { FromWorker, ToWorker } from '../../src/adapters/journal/sqlite-messages.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import { commitOf } from '../contract/commits.ts';
import { makeFolder } from './folder.ts';

const folder = makeFolder();

/** A thread that does only what the test says. */
class ScriptedThread implements ServingThread {
  readonly posted: ToWorker[] = [];
  stops = 0;
  readonly say: (message: FromWorker) => void;
  readonly end: (reason: string) => void;

  constructor(say: (message: FromWorker) => void, end: (reason: string) => void) {
    this.say = say;
    this.end = end;
  }

  post(message: ToWorker): void {
    this.posted.push(message);
  }

  stop(): void {
    this.stops += 1;
    this.end('stopped');
  }

  /** Answers everything that was asked and not answered yet. @returns how much that was */
  async answerAll(): Promise<number> {
    // What is asked within one turn is posted at its end.
    await new Promise(setImmediate);
    const requests = this.posted
      .splice(0)
      .flatMap((message) => (message.type === 'asked' ? message.requests : []));
    const answers = requests.map(({ id }) => ({ id, result: null }));
    this.say({ type: 'answered', answers });
    return answers.length;
  }
}

async function openScripted() {
  const clock = new VirtualClock();
  const threads: ScriptedThread[] = [];
  const startThread: StartThread = (_path, onMessage, onEnd) => {
    const thread = new ScriptedThread(onMessage, onEnd);
    threads.push(thread);
    return thread;
  };
  const opening = openSqliteJournal('journal.db', { clock, startThread });
  threads[0]!.say({ type: 'opened' });
  return { clock, threads, journal: await opening };
}

const unavailable = { name: 'RetryError', code: 'journal.unavailable' };

describe('when the worker of the journal dies', () => {
  test('everything that waits is refused with the reason, and the next worker serves after 100 ms', async () => {
    const { clock, threads, journal } = await openScripted();
    const waiting = [journal.append(commitOf('a', 1)), journal.read('a')];
    threads[0]!.end('out of memory');
    for (const result of await Promise.allSettled(waiting))
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { ...unavailable, message: expect.stringContaining('out of memory') },
      });
    await expect(journal.read('a')).rejects.toMatchObject(unavailable);
    await clock.advance(99);
    expect(threads).toHaveLength(1);
    await clock.advance(1);
    expect(threads).toHaveLength(2);
    await expect(journal.read('a')).rejects.toMatchObject(unavailable);
    threads[1]!.say({ type: 'opened' });
    const forgotten = journal.forget('i');
    await threads[1]!.answerAll();
    await forgotten;
  });

  test('each further death doubles the pause up to 5 s, until a worker has answered', async () => {
    const { clock, threads, journal } = await openScripted();
    const last = () => threads.at(-1)!;
    last().end('');
    for (const pauseMs of [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]) {
      const before = threads.length;
      await clock.advance(pauseMs - 1);
      expect(threads).toHaveLength(before);
      await clock.advance(1);
      expect(threads).toHaveLength(before + 1);
      if (pauseMs % 200 === 0) last().say({ type: 'opened' });
      last().end('');
    }
    await clock.advance(5_000);
    last().say({ type: 'opened' });
    const forgotten = journal.forget('i');
    await last().answerAll();
    await forgotten;
    last().end('');
    const before = threads.length;
    await clock.advance(100);
    expect(threads).toHaveLength(before + 1);
  });

  test('a file that the next worker refuses is named in what it answers, and tried again', async () => {
    const { clock, threads, journal } = await openScripted();
    threads[0]!.end('');
    await clock.advance(100);
    threads[1]!.say({
      type: 'refused',
      failure: { code: 'journal.corrupt', detail: 'journal.db is damaged' },
    });
    threads[1]!.end('');
    await clock.advance(0);
    await expect(journal.read('a')).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringContaining('journal.db is damaged'),
    });
    await clock.advance(200);
    expect(threads).toHaveLength(3);
  });

  test('its watchers are told once by the next one, which is asked to look out', async () => {
    const { clock, threads, journal } = await openScripted();
    let told = 0;
    journal.watch('one', () => {
      told += 1;
    });
    expect(threads[0]!.posted).toEqual([{ type: 'watch' }]);
    threads[0]!.end('');
    await clock.advance(100);
    expect(told).toBe(0);
    threads[1]!.say({ type: 'opened' });
    await clock.advance(0);
    expect(threads[1]!.posted).toEqual([{ type: 'watch' }]);
    expect(told).toBe(1);
    threads[1]!.say({ type: 'signalled' });
    expect(told).toBe(2);
  });

  test('who follows is told once by the next one, which is told what is followed', async () => {
    const { clock, threads, journal } = await openScripted();
    const told: string[] = [];
    journal.follow('a', () => told.push('a'));
    const stop = journal.follow(null, () => told.push('any'));
    expect(threads[0]!.posted).toEqual([
      { type: 'follow', any: false, callIds: ['a'] },
      { type: 'follow', any: true, callIds: ['a'] },
    ]);
    threads[0]!.end('');
    await clock.advance(100);
    threads[1]!.say({ type: 'opened' });
    await clock.advance(0);
    expect(threads[1]!.posted).toEqual([{ type: 'follow', any: true, callIds: ['a'] }]);
    expect(told).toEqual(['a', 'any']);
    threads[1]!.say({ type: 'committed', callIds: [] });
    threads[1]!.say({ type: 'committed', callIds: ['a'] });
    expect(told.slice(2)).toEqual(['any', 'a', 'any']);
    stop();
    threads[1]!.say({ type: 'committed', callIds: ['a'] });
    expect(told.slice(5)).toEqual(['a']);
    expect(threads[1]!.posted.slice(1)).toEqual([{ type: 'follow', any: false, callIds: ['a'] }]);
  });

  test('a journal that is closed in the meantime stays closed', async () => {
    const { clock, threads, journal } = await openScripted();
    threads[0]!.end('');
    await journal.close();
    await clock.advance(60_000);
    expect(threads).toHaveLength(1);
  });

  test('a journal that is closed while the next one starts ends with it', async () => {
    const { clock, threads, journal } = await openScripted();
    threads[0]!.end('');
    await clock.advance(100);
    const closed = journal.close();
    expect(threads[1]!.posted).toEqual([{ type: 'close' }]);
    threads[1]!.say({ type: 'opened' });
    threads[1]!.end('');
    await closed;
    await clock.advance(60_000);
    expect(threads).toHaveLength(2);
  });

  test('every append of a real one is answered, and none that was acknowledged is lost', async () => {
    let running: ServingThread | undefined;
    const startThread: StartThread = (...words) => {
      running = startWorker(...words);
      return running;
    };
    const path = join(folder, 'killed.db');
    const journal = await openSqliteJournal(path, { clock: systemClock, startThread });
    await journal.append(commitOf('before', 1));
    const appends = Array.from({ length: 300 }, (_, index) => journal.append(commitOf(`call-${index}`, 1)));
    running!.stop();
    const outcomes = await Promise.allSettled(appends);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(unavailable);
    let rows = await journal.list({ limit: 1_000 }).catch(() => null);
    while (rows === null) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      rows = await journal.list({ limit: 1_000 }).catch(() => null);
    }
    const stored = new Set(rows.map(({ callId }) => callId));
    expect(stored.has('before')).toBe(true);
    for (const [index, { status }] of outcomes.entries())
      if (status === 'fulfilled') expect(stored.has(`call-${index}`)).toBe(true);
    await journal.append(commitOf('after', 1));
    await journal.close();
  });
});

describe('the queue to the worker', () => {
  test('refuses one request more than it may hold, and takes the next once one is answered', async () => {
    const { threads, journal } = await openScripted();
    const waiting = Array.from({ length: requestsInFlight }, () => journal.forget('i'));
    await expect(journal.forget('i')).rejects.toMatchObject(unavailable);
    expect(await threads[0]!.answerAll()).toBe(requestsInFlight);
    await Promise.all(waiting);
    const next = journal.forget('i');
    expect(await threads[0]!.answerAll()).toBe(1);
    await next;
  });

  test('takes what is asked at one moment as one message, and an order after what was asked before it', async () => {
    const { threads, journal } = await openScripted();
    const asked = [journal.forget('a'), journal.forget('b')];
    setImmediate(() => asked.push(journal.forget('later')));
    journal.watch('one', () => undefined);
    asked.push(journal.forget('c'), journal.forget('d'));
    for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
    const kinds = threads[0]!.posted.map((message) =>
      message.type === 'asked' ? message.requests.length : message.type,
    );
    expect(kinds).toEqual([2, 'watch', 2, 1]);
    expect(await threads[0]!.answerAll()).toBe(5);
    await Promise.all(asked);
  });

  test('is not waited for longer than 10 s when the worker hangs', async () => {
    const { clock, threads, journal } = await openScripted();
    const hanging = expect(journal.forget('i')).rejects.toMatchObject(unavailable);
    const closed = journal.close();
    await clock.advance(9_999);
    expect(threads[0]!.stops).toBe(0);
    await clock.advance(1);
    expect(threads[0]!.stops).toBe(1);
    await hanging;
    await closed;
  });
});

describe('a worker that never opened the file', () => {
  test('is not started again when it refused', async () => {
    const clock = new VirtualClock();
    let started = 0;
    const opening = openSqliteJournal('journal.db', {
      clock,
      startThread: (_path, onMessage, onEnd) => {
        started += 1;
        queueMicrotask(() => {
          onMessage({ type: 'refused', failure: { code: 'journal.future', detail: 'too new' } });
          onEnd('');
        });
        return { post: () => {}, stop: () => {} };
      },
    });
    await expect(opening).rejects.toMatchObject({
      name: 'GiveUpError',
      code: 'journal.future',
      message: 'too new',
    });
    await clock.advance(60_000);
    expect(started).toBe(1);
  });

  test('makes the journal unavailable when it died without a word', async () => {
    const opening = openSqliteJournal('journal.db', {
      clock: new VirtualClock(),
      startThread: (_path, _onMessage, onEnd) => {
        queueMicrotask(() => onEnd('no threads left'));
        return { post: () => {}, stop: () => {} };
      },
    });
    await expect(opening).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringContaining('no threads left'),
    });
  });
});
