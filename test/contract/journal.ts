/**
 * Owns: the contract that every adapter of the `Journal` port keeps, as a suite over two handles of one store.
 * Does not own: what only one adapter has: files, threads, connections, faults.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CallLog, Commit, Journal } from '../../src/runtime/ports/journal.ts';
import { commitOf, endedAt } from './commits.ts';

export interface TwoHandles {
  one: Journal;
  other: Journal;
  /** Removes what the store left behind. The handles are closed by then. */
  cleanUp(): Promise<void>;
}

const outcomeOf = (append: Promise<void>): Promise<string> =>
  append.then(
    () => 'stored',
    (error) => error.code,
  );

const seqsOf = (log: CallLog): number[] =>
  log.commits.flatMap(({ entries }) => entries.map(({ seq }) => seq));
const notesOf = (log: CallLog) => log.commits.flatMap(({ entries }) => entries.map(({ note }) => note));
const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

/** `offset` 0 is the seq that the call needs next. */
const burstOfAppends = fc.array(
  fc.record({
    handle: fc.constantFrom(0, 1),
    call: fc.constantFrom('a', 'b'),
    entries: fc.integer({ min: 1, max: 3 }),
    offset: fc.constantFrom(0, 0, 0, 0, 1, -1),
  }),
  { minLength: 1, maxLength: 4 },
);

type Burst = typeof burstOfAppends extends fc.Arbitrary<infer Value> ? Value : never;

/** The notes of the entries that were acknowledged, by call, in the order of their seqs. */
type Acknowledged = Record<string, string[]>;

/** Starts all appends of the burst before any is answered. */
async function appendBurst(
  handles: Journal[],
  acknowledged: Acknowledged,
  burst: Burst,
  { prefix, note }: { prefix: string; note: string },
): Promise<void> {
  const commits = burst.map(({ call, entries, offset }, position) => {
    const next = acknowledged[prefix + call]!.length + 1;
    return commitOf(prefix + call, Math.max(1, next + offset), { entries, note: `${note}.${position}` });
  });
  const answers = commits.map((commit, position) =>
    outcomeOf(handles[burst[position]!.handle]!.append(commit)),
  );
  const outcomes = await Promise.all(answers);
  expect(outcomes.filter((outcome) => outcome !== 'stored' && outcome !== 'journal.conflict')).toEqual([]);
  const stored = commits.filter((_, position) => outcomes[position] === 'stored');
  for (const { callId, entries } of stored.toSorted((a, b) => a.entries[0]!.seq - b.entries[0]!.seq))
    acknowledged[callId]!.push(...entries.map((entry) => String(entry.note)));
}

export function describeJournal(name: string, openTwo: () => Promise<TwoHandles>): void {
  describe(`the journal contract, ${name}`, () => {
    let two: TwoHandles;
    let one: Journal;
    let other: Journal;

    beforeAll(async () => {
      two = await openTwo();
      ({ one, other } = two);
    });

    afterAll(async () => {
      await one.close();
      await other.close();
      await two.cleanUp();
    });

    describe('the log', () => {
      test('gives back the commits of a call in order, with the state stored with each', async () => {
        await one.append(commitOf('order', 1, { entries: 2, note: 'first' }));
        await one.append(commitOf('order', 3, { note: 'second' }));
        expect(await one.read('order')).toEqual({
          checkpoint: null,
          commits: [
            {
              callId: 'order',
              entries: [
                { seq: 1, at: 1_001, type: 'something.happened', note: 'first' },
                { seq: 2, at: 1_002, type: 'something.happened', note: 'first' },
              ],
              state: { live: { turn: 'after 2' } },
            },
            {
              callId: 'order',
              entries: [{ seq: 3, at: 1_003, type: 'something.happened', note: 'second' }],
              state: { live: { turn: 'after 3' } },
            },
          ],
        });
      });

      test('shows an append to the other handle as soon as it resolved', async () => {
        await one.append(commitOf('seen', 1));
        expect(seqsOf(await other.read('seen'))).toEqual([1]);
        await other.append(commitOf('seen', 2));
        expect(seqsOf(await one.read('seen'))).toEqual([1, 2]);
      });

      test('is empty for a call that nobody knows', async () => {
        expect(await one.read('nobody')).toEqual({ checkpoint: null, commits: [] });
        expect(await one.readPayloads('nobody')).toEqual([]);
      });

      test('keeps what it was given when the caller changes it afterwards', async () => {
        const commit = commitOf('kept', 1, { note: 'before', checkpoint: { said: 'before' } });
        const appended = one.append(commit);
        commit.entries[0]!.note = 'after';
        commit.row.state = 'after';
        await appended;
        const log = await one.read('kept', { fromStart: true });
        log.commits[0]!.entries[0]!.note = 'after';
        expect(await one.read('kept', { fromStart: true })).toMatchObject({
          commits: [{ entries: [{ note: 'before' }], state: { live: { turn: 'after 1' } } }],
        });
      });

      test.each([
        ['leaves a hole', 3],
        ['begins again', 1],
      ])('refuses a commit that %s as a conflict and keeps nothing of it', async (_, firstSeq) => {
        const callId = `conflict-${firstSeq}`;
        await one.append(commitOf(callId, 1));
        await one.put({ id: callId, callId, signal: {} });
        const refused = commitOf(callId, firstSeq, {
          payloads: [{ seq: firstSeq, name: 'text', content: 'never' }],
          checkpoint: { never: true },
          taken: [callId],
          row: { carrierCallId: `CA-${callId}`, owner: 'two' },
        });
        expect(await outcomeOf(other.append(refused))).toBe('journal.conflict');
        expect(await one.read(callId)).toMatchObject({
          checkpoint: null,
          commits: [{ entries: [{ seq: 1 }] }],
        });
        expect(await one.readPayloads(callId)).toEqual([]);
        expect(await one.findByCarrierId(`CA-${callId}`)).toBeNull();
        expect(await one.list({ callId })).toMatchObject([{ owner: 'one', lastSeq: 1 }]);
        expect((await one.pending('one')).map(({ id }) => id)).toContain(callId);
      });

      test('refuses the first commit of a call that does not begin at 1', async () => {
        expect(await outcomeOf(one.append(commitOf('late', 2)))).toBe('journal.conflict');
        expect(await one.list({ callId: 'late' })).toEqual([]);
      });

      test.each<[string, (commit: Commit) => Partial<Commit>]>([
        ['has no entries', () => ({ entries: [] })],
        ['begins at 0', (commit) => ({ entries: [{ ...commit.entries[0]!, seq: 0 }] })],
        [
          'has a hole',
          (commit) => ({
            entries: [commit.entries[0]!, { ...commit.entries[0]!, seq: 3 }],
            row: { ...commit.row, lastSeq: 2 },
          }),
        ],
        ['has the row of another call', (commit) => ({ row: { ...commit.row, callId: 'another' } })],
        ['has a row that ends elsewhere', (commit) => ({ row: { ...commit.row, lastSeq: 7 } })],
        [
          'started between two milliseconds',
          (commit) => ({ row: { ...commit.row, startedAt: 0.5, address: null } }),
        ],
        ['ended between two milliseconds', (commit) => ({ row: { ...commit.row, endedAt: 0.5 } })],
        ['has a payload of no entry', () => ({ payloads: [{ seq: 2, name: 'text', content: '' }] })],
        [
          'has two payloads of one name',
          () => ({ payloads: ['a', 'b'].map((content) => ({ seq: 1, name: 'text', content })) }),
        ],
      ])('refuses a commit that %s as the caller’s mistake', async (_, change) => {
        const commit = commitOf('mistake', 1);
        await expect(one.append({ ...commit, ...change(commit) })).rejects.toMatchObject({
          name: 'FixCallError',
          code: 'log.invalid',
        });
        expect(await one.list({ callId: 'mistake' })).toEqual([]);
      });

      test('lets exactly one of two writers win each of 1,000 rounds', async () => {
        const wins = { one: 0, other: 0 };
        for (let seq = 1; seq <= 1_000; seq += 1) {
          const outcomes = await Promise.all([
            outcomeOf(one.append(commitOf('race', seq, { note: 'one' }))),
            outcomeOf(other.append(commitOf('race', seq, { note: 'other' }))),
          ]);
          expect(outcomes.toSorted()).toEqual(['journal.conflict', 'stored']);
          wins[outcomes[0] === 'stored' ? 'one' : 'other'] += 1;
        }
        const notes = notesOf(await one.read('race'));
        expect(notes.filter((note) => note === 'one')).toHaveLength(wins.one);
        expect(notes.filter((note) => note === 'other')).toHaveLength(wins.other);
      });

      test('stays dense and equal for both handles under any interleaving of their appends', async () => {
        let run = 0;
        await fc.assert(
          fc.asyncProperty(fc.array(burstOfAppends, { maxLength: 8 }), async (bursts) => {
            run += 1;
            const acknowledged: Acknowledged = { [`${run}-a`]: [], [`${run}-b`]: [] };
            for (const [index, burst] of bursts.entries())
              await appendBurst([one, other], acknowledged, burst, {
                prefix: `${run}-`,
                note: String(index),
              });
            for (const [callId, notes] of Object.entries(acknowledged)) {
              const log = await one.read(callId);
              expect(seqsOf(log)).toEqual(upTo(notes.length));
              expect(notesOf(log)).toEqual(notes);
              expect(await other.read(callId)).toEqual(log);
            }
          }),
          { numRuns: 60 },
        );
      });
    });

    describe('checkpoints', () => {
      test('stand for the commits up to them, and only the newest is kept', async () => {
        await one.append(commitOf('checked', 1, { entries: 3, checkpoint: { folded: 3 } }));
        await one.append(commitOf('checked', 4));
        expect(await other.read('checked')).toMatchObject({
          checkpoint: { seq: 3, state: { folded: 3 } },
          commits: [{ entries: [{ seq: 4 }] }],
        });
        await other.append(commitOf('checked', 5, { checkpoint: { folded: 5 } }));
        expect(await one.read('checked')).toEqual({
          checkpoint: { seq: 5, state: { folded: 5 } },
          commits: [],
        });
      });

      test('do not hide the log from a reader that wants it from the start', async () => {
        await one.append(commitOf('from-start', 1, { entries: 2, checkpoint: {} }));
        const log = await one.read('from-start', { fromStart: true });
        expect(log.checkpoint).toBeNull();
        expect(seqsOf(log)).toEqual([1, 2]);
      });
    });

    describe('payloads', () => {
      test('come back by seq and name, whatever text they hold', async () => {
        const texts = ['Привет, 世界 👋', 'line\nline\u0000end', '"quoted"', ''];
        const payloads = [
          { seq: 2, name: 'b', content: texts[0]! },
          { seq: 2, name: 'a', content: texts[1]! },
          { seq: 1, name: 'z', content: texts[2]! },
        ];
        await one.append(commitOf('paid', 1, { entries: 2, payloads }));
        await one.append(commitOf('paid', 3, { payloads: [{ seq: 3, name: 'a', content: texts[3]! }] }));
        expect(await other.readPayloads('paid')).toEqual([
          payloads[2],
          payloads[1],
          payloads[0],
          { seq: 3, name: 'a', content: texts[3] },
        ]);
      });
    });

    describe('the index of calls', () => {
      test('finds a call by the carrier’s id, also when that became known later', async () => {
        await one.append(commitOf('dialled', 1, { row: { direction: 'outgoing' } }));
        expect(await other.findByCarrierId('CA-dialled')).toBeNull();
        const commit = commitOf('dialled', 2, {
          row: { direction: 'outgoing', carrierCallId: 'CA-dialled' },
        });
        await one.append(commit);
        expect(await other.findByCarrierId('CA-dialled')).toEqual(commit.row);
      });

      test('refuses a second call with the same carrier’s id as a conflict', async () => {
        await one.append(commitOf('first', 1, { row: { carrierCallId: 'CA-twice' } }));
        const second = commitOf('second', 1, { row: { carrierCallId: 'CA-twice' } });
        expect(await outcomeOf(other.append(second))).toBe('journal.conflict');
        expect(await other.read('second')).toEqual({ checkpoint: null, commits: [] });
        expect(await one.findByCarrierId('CA-twice')).toMatchObject({ callId: 'first' });
      });

      test('lists the newest first, by any of its filters, fifty unless told otherwise', async () => {
        for (let index = 0; index < 55; index += 1) {
          const ended = index % 2 === 0 ? endedAt(9_000) : { owner: 'lister' };
          const startedAt = 5_000_000 + Math.trunc(index / 2);
          await one.append(
            commitOf(`listed-${String(index).padStart(2, '0')}`, 1, { row: { startedAt, ...ended } }),
          );
        }
        const ids = async (query: Parameters<Journal['list']>[0]) =>
          (await other.list(query)).map(({ callId }) => callId.replace('listed-', ''));
        const newest = upTo(54)
          .toReversed()
          .map((index) => String(index).padStart(2, '0'));
        expect(await ids({})).toEqual(newest.slice(0, 50));
        expect(await ids({ limit: 3 })).toEqual(['54', '53', '52']);
        expect(await ids({ live: true, limit: 3 })).toEqual(['53', '51', '49']);
        expect(await ids({ live: false, limit: 3 })).toEqual(['54', '52', '50']);
        expect(await ids({ owner: 'lister', limit: 2 })).toEqual(['53', '51']);
        expect(await ids({ owner: 'lister', live: false })).toEqual([]);
        expect(await ids({ callId: 'listed-07' })).toEqual(['07']);
        expect(await ids({ callId: 'listed-07', live: false })).toEqual([]);
      });
    });

    describe('the inbox', () => {
      test('gives the owner of a call its signals, oldest first, until a commit takes them', async () => {
        await one.append(commitOf('in', 1, { row: { owner: 'in-owner' } }));
        for (const id of ['z', 'a', 'm'])
          await other.put({ id: `in-${id}`, callId: 'in', signal: { said: id } });
        expect(await one.pending('in-owner')).toEqual(
          ['z', 'a', 'm'].map((id) => ({ id: `in-${id}`, callId: 'in', signal: { said: id } })),
        );
        expect(await one.pending('somebody')).toEqual([]);
        await one.append(commitOf('in', 2, { row: { owner: 'in-owner' }, taken: ['in-z', 'in-m'] }));
        expect((await other.pending('in-owner')).map(({ id }) => id)).toEqual(['in-a']);
      });

      test('passes the signals of a call to whoever claims it', async () => {
        await one.put({ id: 'moved-1', callId: 'moved', signal: {} });
        await one.append(commitOf('moved', 1, { row: { owner: 'before' } }));
        expect(await one.pending('before')).toHaveLength(1);
        await other.append(commitOf('moved', 2, { row: { owner: 'after' } }));
        expect(await one.pending('before')).toEqual([]);
        expect(await other.pending('after')).toHaveLength(1);
      });

      test('keeps the first of two signals with one id, even after it was taken', async () => {
        await one.append(commitOf('twice', 1, { row: { owner: 'twice-owner' } }));
        expect(await one.put({ id: 'twice-1', callId: 'twice', signal: 'first' })).toBe('put');
        expect(await other.put({ id: 'twice-1', callId: 'twice', signal: 'second' })).toBe('duplicate');
        expect(await one.pending('twice-owner')).toMatchObject([{ signal: 'first' }]);
        await one.append(commitOf('twice', 2, { row: { owner: 'twice-owner' }, taken: ['twice-1'] }));
        expect(await other.put({ id: 'twice-1', callId: 'twice', signal: 'third' })).toBe('duplicate');
        expect(await one.pending('twice-owner')).toEqual([]);
      });

      test('refuses a commit that takes what does not wait for its call as a conflict', async () => {
        await one.append(commitOf('taker', 1));
        await one.put({ id: 'taker-1', callId: 'taker', signal: {} });
        await one.put({ id: 'foreign-1', callId: 'foreign', signal: {} });
        await one.append(commitOf('taker', 2, { taken: ['taker-1'] }));
        await one.put({ id: 'taker-2', callId: 'taker', signal: {} });
        for (const taken of [['taker-1'], ['foreign-1'], ['unknown'], ['taker-2', 'taker-2']])
          expect(await outcomeOf(one.append(commitOf('taker', 3, { taken })))).toBe('journal.conflict');
        expect(await outcomeOf(one.append(commitOf('taker', 3, { taken: ['taker-2'] })))).toBe('stored');
      });

      test('holds 1,000 waiting signals of one call and refuses the next until some are taken', async () => {
        const ids = Array.from({ length: 1_000 }, (_, index) => `flood-${index}`);
        for (let from = 0; from < ids.length; from += 100)
          await Promise.all(
            ids.slice(from, from + 100).map((id) => one.put({ id, callId: 'flood', signal: {} })),
          );
        await expect(other.put({ id: 'flood-more', callId: 'flood', signal: {} })).rejects.toMatchObject({
          name: 'RetryError',
          code: 'journal.unavailable',
        });
        expect(await other.put({ id: 'flood-7', callId: 'flood', signal: {} })).toBe('duplicate');
        expect(await other.put({ id: 'no-flood', callId: 'no-flood', signal: {} })).toBe('put');
        await one.append(commitOf('flood', 1, { taken: ['flood-3'] }));
        expect(await other.put({ id: 'flood-more', callId: 'flood', signal: {} })).toBe('put');
      });

      test('tells the watchers of both handles of a put, but not those that stopped', async () => {
        let stopped = 0;
        const stop = other.watch('watcher', () => {
          stopped += 1;
        });
        stop();
        for (const putter of [one, other]) {
          const told = Promise.all(
            [one, other].map(
              (watcher) =>
                new Promise<void>((resolve) => {
                  const unwatch = watcher.watch('watcher', () => {
                    unwatch();
                    resolve();
                  });
                }),
            ),
          );
          await other.pending('watcher');
          await putter.put({ id: `told-${putter === one}`, callId: 'told', signal: {} });
          await told;
        }
        expect(stopped).toBe(0);
      });

      test('is silent about a put that changed nothing', async () => {
        let told = 0;
        const unwatch = one.watch('silent', () => {
          told += 1;
        });
        await one.put({ id: 'silent-1', callId: 'silent', signal: {} });
        await one.pending('silent');
        const toldOfThePut = told;
        await one.put({ id: 'silent-1', callId: 'silent', signal: {} });
        await one.pending('silent');
        expect(told).toBe(toldOfThePut);
        expect(told).toBeGreaterThan(0);
        unwatch();
      });
    });

    describe('the instances', () => {
      const row = { instance: 'i-1', pid: 4, host: 'here', ready: false, startedAt: 1_000, address: null };

      test('are what their last beat said, with its age by the journal’s clock', async () => {
        await one.beat({ ...row, instance: 'i-2' });
        const first = await one.beat(row);
        await new Promise((resolve) => setTimeout(resolve, 30));
        const [aged] = await other.instances();
        expect(aged).toMatchObject(row);
        expect([true, null]).toContain(aged!.isConnected);
        expect(aged!.beatAgeMs).toBeGreaterThanOrEqual(20);
        expect(await one.beat({ ...row, ready: true, pid: 5 })).toBeGreaterThanOrEqual(first + 20);
        const [renewed, second] = await other.instances();
        expect(renewed).toMatchObject({ ...row, ready: true, pid: 5 });
        expect(renewed!.beatAgeMs).toBeLessThan(second!.beatAgeMs);
      });

      test('are gone once forgotten, until they beat again', async () => {
        await one.beat({ ...row, instance: 'gone' });
        await other.forget('gone');
        expect((await one.instances()).map(({ instance }) => instance)).not.toContain('gone');
        await one.beat({ ...row, instance: 'gone' });
        expect((await other.instances()).map(({ instance }) => instance)).toContain('gone');
      });
    });

    describe('the definitions', () => {
      test('are stored once by digest', async () => {
        const definition = { instructions: 'Be brief.', tools: [{ name: 'hang_up' }] };
        expect(await one.readDefinition('digest')).toBeNull();
        await one.saveDefinition('digest', definition);
        await other.saveDefinition('digest', { another: true });
        expect(await other.readDefinition('digest')).toEqual(definition);
      });
    });

    describe('the deliveries', () => {
      test('name the ended calls, oldest end first, until each is marked', async () => {
        await one.append(commitOf('end-live', 1));
        for (const [id, at] of Object.entries({ late: 30, early: 10, middle: 20 }))
          await one.append(commitOf(`end-${id}`, 1, { row: endedAt(at) }));
        const ids = async (limit: number) => (await other.undelivered(limit)).map(({ callId }) => callId);
        expect(await ids(3)).toEqual(['end-early', 'end-middle', 'end-late']);
        expect(await ids(1)).toEqual(['end-early']);
        await other.markDelivered('end-early');
        await one.markDelivered('nobody');
        expect(await ids(2)).toEqual(['end-middle', 'end-late']);
      });

      test('stay marked when an entry comes after the end', async () => {
        await one.append(commitOf('after-end', 1, { row: endedAt(1) }));
        await one.markDelivered('after-end');
        await one.append(commitOf('after-end', 2, { row: endedAt(1) }));
        expect((await one.undelivered(100)).map(({ callId }) => callId)).not.toContain('after-end');
      });
    });
  });

  describe(`closing a journal, ${name}`, () => {
    test('waits for what was appended, then refuses everything and tells no watcher', async () => {
      const { one, other, cleanUp } = await openTwo();
      let told = 0;
      one.watch('watcher', () => {
        told += 1;
      });
      const appended = Array.from({ length: 50 }, (_, index) =>
        outcomeOf(one.append(commitOf(`c-${index}`, 1))),
      );
      const closing = one.close();
      const closed = { name: 'FixCallError', code: 'journal.closed' };
      await expect(one.append(commitOf('too-late', 1))).rejects.toMatchObject(closed);
      await closing;
      const toldBefore = told;
      expect(new Set(await Promise.all(appended))).toEqual(new Set(['stored']));
      expect(await other.list({ limit: 100 })).toHaveLength(50);
      await expect(one.read('c-1')).rejects.toMatchObject(closed);
      await expect(one.pending('one')).rejects.toMatchObject(closed);
      expect(() => one.watch('one', () => {})).toThrow(expect.objectContaining(closed));
      await other.put({ id: 's', callId: 'c-1', signal: {} });
      await one.close();
      await other.close();
      expect(told).toBe(toldBefore);
      await cleanUp();
    });
  });
}
