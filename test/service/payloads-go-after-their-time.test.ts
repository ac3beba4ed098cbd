import { beforeEach, describe, expect, it } from 'vitest';
import { createMemoryStore, openMemoryJournal } from '../../src/adapters/journal/memory.ts';
import { current } from '../../src/machines/charts/table.ts';
import { RetryError } from '../../src/runtime/ports/errors.ts';
import type { Journal } from '../../src/runtime/ports/journal.ts';
import { lookEveryMs, pauseMs, Retention, type RetentionRun } from '../../src/service/retention.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import { commitOf, endedAt } from '../contract/commits.ts';

const dayMs = 24 * 60 * 60 * 1_000;
const now = 100 * dayMs;

let clock: VirtualClock;
let journal: Journal;
let other: Journal;
let runs: RetentionRun[];
let troubles: unknown[];

beforeEach(() => {
  clock = new VirtualClock(now);
  const store = createMemoryStore();
  journal = openMemoryJournal(store, { clock });
  other = openMemoryJournal(store, { clock });
  runs = [];
  troubles = [];
});

const retention = (keepDays: number | null, of = journal) =>
  new Retention({
    journal: async () => of,
    clock,
    keepDays,
    onErased: (run) => runs.push(run),
    onTrouble: (error) => troubles.push(error),
  });

const endCall = (callId: string, daysAgo: number) =>
  journal.append(
    commitOf(callId, 1, {
      row: { ...endedAt(now - daysAgo * dayMs), startedAt: now - daysAgo * dayMs - 1_000 },
      payloads: [{ seq: 1, name: 'from', content: 'ten bytes.' }],
    }),
  );

const erasedCalls = async (): Promise<string[]> => {
  const rows = await journal.list({ hasPayloads: false, limit: 1_000 });
  return rows.map(({ callId }) => callId).sort();
};

/** Long enough for a look at a hundred calls. */
const aLook = 100 * pauseMs;

describe('personal data', () => {
  it('goes from calls that ended longer ago than it is kept, and from no others', async () => {
    await endCall('old', 31);
    await endCall('just', 30);
    await endCall('young', 29);
    await journal.append(
      commitOf('live', 1, { row: { startedAt: 1 }, payloads: [{ seq: 1, name: 'from', content: 'x' }] }),
    );
    const keeper = retention(30);
    keeper.start();
    await clock.advance(aLook);
    expect(await erasedCalls()).toEqual(['old']);
    expect(runs).toEqual([{ calls: 1, payloads: 1, bytes: 10 }]);
    expect(troubles).toEqual([]);
    await keeper.stop();
  });

  it('goes hourly, as its time comes, and a look that erased nothing says nothing', async () => {
    await endCall('first', 31);
    await endCall('next', 30 - 1.5 / 24);
    const keeper = retention(30);
    keeper.start();
    await clock.advance(lookEveryMs + aLook);
    expect(runs).toHaveLength(1);
    await clock.advance(lookEveryMs);
    expect(await erasedCalls()).toEqual(['first', 'next']);
    await clock.advance(5 * lookEveryMs);
    expect(runs).toHaveLength(2);
    await keeper.stop();
    await endCall('later', 90);
    await clock.advance(2 * lookEveryMs);
    expect(await erasedCalls()).not.toContain('later');
  });

  it('is kept for ever where nothing is said', async () => {
    await endCall('old', 99);
    const keeper = retention(null);
    keeper.start();
    await clock.advance(3 * lookEveryMs);
    expect(await erasedCalls()).toEqual([]);
    await keeper.stop();
  });

  it('of many calls goes one by one, in whichever process, each once', async () => {
    for (let index = 0; index < 130; index += 1) await endCall(`call-${index}`, 40 + index / 100);
    const keepers = [retention(30), retention(30, other)];
    for (const keeper of keepers) keeper.start();
    await clock.advance(3 * pauseMs);
    expect((await erasedCalls()).length).toBeLessThan(10);
    await clock.advance(200 * pauseMs);
    expect(await erasedCalls()).toHaveLength(130);
    for (const row of await journal.list({ limit: 200 })) expect(row.lastSeq).toBe(2);
    expect(runs.reduce((sum, { calls }) => sum + calls, 0)).toBe(130);
    expect(troubles).toEqual([]);
    for (const keeper of keepers) await keeper.stop();
  });

  it('of one call that cannot be erased keeps no other from it, and is tried again', async () => {
    for (const callId of ['a', 'b', 'c']) await endCall(callId, 40);
    const append = journal.append.bind(journal);
    let isStuck = true;
    journal.append = (commit) =>
      commit.callId === 'b' && isStuck
        ? Promise.reject(new RetryError('journal.unavailable', ''))
        : append(commit);
    const keeper = retention(30);
    keeper.start();
    await clock.advance(aLook);
    expect(await erasedCalls()).toEqual(['a', 'c']);
    expect(troubles).toHaveLength(1);
    isStuck = false;
    await clock.advance(lookEveryMs);
    expect(await erasedCalls()).toEqual(['a', 'b', 'c']);
    await keeper.stop();
  });

  it('of a call that a newer version wrote stays: it is told with each look, and the others go', async () => {
    for (const callId of ['a', 'c']) await endCall(callId, 40);
    const commit = commitOf('b', 1, {
      row: { ...endedAt(now - 40 * dayMs), startedAt: 1_000 },
      payloads: [{ seq: 1, name: 'from', content: 'x' }],
    });
    const created = { seq: 1, at: 1_001, type: 'call.created', chart: current.number + 1, format: 1 };
    await journal.append({ ...commit, entries: [created] });
    const keeper = retention(30);
    keeper.start();
    await clock.advance(aLook);
    expect(await erasedCalls()).toEqual(['a', 'c']);
    expect(troubles).toMatchObject([{ code: 'journal.future' }]);
    await clock.advance(lookEveryMs);
    expect(troubles).toHaveLength(2);
    expect((await journal.read('b', { fromStart: true })).commits).toHaveLength(1);
    await keeper.stop();
  });

  it('waits for the next look where the journal is away', async () => {
    await endCall('old', 40);
    const list = journal.list.bind(journal);
    journal.list = () => Promise.reject(new RetryError('journal.unavailable', ''));
    const keeper = retention(30);
    keeper.start();
    await clock.advance(aLook);
    expect(troubles).toHaveLength(1);
    journal.list = list;
    await clock.advance(lookEveryMs);
    expect(await erasedCalls()).toEqual(['old']);
    await keeper.stop();
  });

  it('holds up no stop', async () => {
    for (let index = 0; index < 20; index += 1) await endCall(`call-${index}`, 40);
    const keeper = retention(30);
    keeper.start();
    await clock.advance(2 * pauseMs);
    await keeper.stop();
    const erased = await erasedCalls();
    expect(erased.length).toBeLessThan(20);
    expect(runs).toMatchObject([{ calls: erased.length }]);
    await clock.advance(2 * lookEveryMs);
    expect(await erasedCalls()).toEqual(erased);
    expect(clock.pendingTimers).toBe(0);
  });
});
