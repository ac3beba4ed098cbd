/**
 * With charts of a few states in the place of ours: 7 and 8 are kept, 6 is not any more, 9 is not known yet. So that
 * the ways between versions are tested whatever ours look like.
 */
import { describe, expect, it, vi } from 'vitest';
import { setup } from 'xstate';
import { createMemoryStore, openMemoryJournal } from '../../src/adapters/journal/memory.ts';
import { nearestValue } from '../../src/machines/charts/chart.ts';
import type { Entry } from '../../src/machines/entries.ts';
import { readEntries, readState, replay } from '../../src/runtime/history.ts';
import type { CallRow, Journal, StoredEntry } from '../../src/runtime/ports/journal.ts';
import { type CallState, fold, freeze, step, thaw } from '../../src/runtime/step.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import { created as createdFact } from '../machines/support/facts.ts';
import { startProcess } from './support/process.ts';

vi.mock('../../src/machines/charts/table.ts', () => import('./support/tiny-charts.ts'));

const createdBy = (chart: number, format = 1): StoredEntry =>
  ({ ...createdFact(), chart, format, seq: 1, at: 1_000 }) as unknown as StoredEntry;
const speaks = (seq: number, itemId = `item${seq}`): StoredEntry => ({
  type: 'caller.startedSpeaking',
  itemId,
  seq,
  at: seq * 1_000,
});
const changedTo = (to: number, seq: number, more: object = {}): StoredEntry => ({
  type: 'chart.changed',
  from: to - 1,
  to,
  format: 2,
  carried: {
    value: { talk: { talking: 'better' }, new: 'idle' },
    context: { said: 40, instance: null, memory: { first: 'x', more: 1 }, mood: 'kept' },
  },
  seq,
  at: seq * 1_000,
  ...more,
});

const row: CallRow = {
  callId: 'call1',
  carrierCallId: null,
  direction: 'incoming',
  owner: 'one',
  startedAt: 1_000,
  endedAt: null,
  endReason: null,
  lastSeq: 0,
  state: null,
};

const open = () => {
  const [clock, store] = [new VirtualClock(), createMemoryStore()];
  return { clock, store, journal: openMemoryJournal(store, { clock }) };
};

async function write(journal: Journal, entries: StoredEntry[], checkpoint: CallState | null = null) {
  const lastSeq = entries.at(-1)?.seq ?? 0;
  const state = checkpoint && freeze(checkpoint);
  await journal.append({
    callId: 'call1',
    entries,
    payloads: [],
    row: { ...row, lastSeq },
    checkpoint: state,
    taken: [],
  });
}

const foldOf = (...entries: StoredEntry[]) => fold('call1', entries as unknown as Entry[]) as CallState;
const saidIn = (state: CallState | null) =>
  (state?.snapshot.context as unknown as { said: number } | undefined)?.said ?? -1;

describe('a log', () => {
  it('folds by the chart that its first entry names', () => {
    const [older, newer] = [foldOf(createdBy(7), speaks(2)), foldOf(createdBy(8, 2), speaks(2))];
    expect([older.chart, saidIn(older), newer.chart, saidIn(newer)]).toEqual([7, 1, 8, 2]);
    expect([...older.due.values()]).toEqual([12_000]);
  });

  it('folds from the change on by the newer chart, from what was carried', () => {
    const state = foldOf(createdBy(7), speaks(2), changedTo(8, 3), speaks(4));
    expect([state.chart, saidIn(state), state.seq]).toEqual([8, 42, 4]);
    expect(freeze(state)).toMatchObject({ chart: 8, value: { talk: { talking: 'better' }, new: 'idle' } });
  });

  it('is frozen and thawed with its chart', () => {
    for (const state of [foldOf(createdBy(7), speaks(2)), foldOf(createdBy(7), changedTo(8, 2))]) {
      const thawed = thaw('call1', freeze(state)) as CallState;
      expect(freeze(thawed)).toEqual(freeze(state));
      const [next] = step('call1', thawed, speaks(3) as never);
      expect(saidIn(next)).toBe(saidIn(state) + (state.chart === 7 ? 1 : 2));
    }
    expect(thaw('call1', { ...(freeze(foldOf(createdBy(7))) as object), chart: 6 } as never)).toBeNull();
  });
});

describe('the newer chart', () => {
  it('begins with the carried state: timers in full, no entry action, and then the claim', async () => {
    const { clock, store, journal } = open();
    await write(journal, [createdBy(7), speaks(2), speaks(3)]);
    const { registry, diary } = startProcess('two', store, clock);
    const call = await registry.claim('call1', { why: 'orphan' }, [
      { entry: { type: 'model.opened', generation: 1, sessionId: 's', expiresAt: null } },
    ]);
    expect(diary.entries.map(({ type }) => type)).toEqual(['chart.changed', 'owner.claimed', 'model.opened']);
    const [changed] = diary.observed;
    const at = changed?.entry.at ?? 0;
    expect(changed?.commands).toEqual([]);
    expect(changed?.after.snapshot.context).toEqual({
      said: 2,
      instance: null,
      memory: { first: 'item2', more: 8 },
      mood: 'calm',
    });
    expect([...(changed?.after.due.values() ?? [])].map((dueAt) => dueAt - at).sort()).toEqual([30_002, 500]);
    expect(diary.performed.map(({ command }) => command.type)).toEqual(['askCarrier']);
    expect((await journal.read('call1')).commits).toHaveLength(2);
    expect((await replay(journal, 'call1')).at(-1)).toMatchObject({ matches: true });
    expect(call?.state.chart).toBe(8);
    registry.stop();
  });

  it('takes no call over twice, nor one of its own', async () => {
    const { clock, store, journal } = open();
    await write(journal, [createdBy(7)]);
    for (const name of ['two', 'three', 'four']) {
      const { registry } = startProcess(name, store, clock);
      await registry.claim('call1', { why: 'orphan' }, []);
      registry.stop();
    }
    const types = (await readEntries(journal, 'call1')).map(({ type }) => type);
    expect(types).toEqual([
      'call.created',
      'chart.changed',
      'owner.claimed',
      'owner.claimed',
      'owner.claimed',
    ]);
  });

  it('is carried to by each of two claims that come together, and one of them is the first', async () => {
    const { clock, store, journal } = open();
    await write(journal, [createdBy(7)]);
    const processes = ['two', 'three'].map((name) => startProcess(name, store, clock));
    await Promise.all(processes.map(({ registry }) => registry.claim('call1', { why: 'orphan' }, [])));
    const types = (await readEntries(journal, 'call1')).map(({ type }) => type);
    expect(types).toEqual(['call.created', 'chart.changed', 'owner.claimed', 'owner.claimed']);
    for (const { registry } of processes) registry.stop();
  });

  it('is not carried to where the claim is refused, which sees the call as it would be', async () => {
    const { clock, store, journal } = open();
    await write(journal, [
      createdBy(7),
      speaks(2),
      { type: 'owner.claimed', instance: 'one', why: 'stream', seq: 3, at: 3_000 },
    ]);
    const { registry } = startProcess('two', store, clock);
    const seen: CallState[] = [];
    await registry.claim('call1', { why: 'orphan' }, [], (state) => {
      seen.push(state);
      return false;
    });
    expect(seen.map(({ chart, seq, snapshot }) => [chart, seq, snapshot.context.instance])).toEqual([
      [8, 3, 'one'],
    ]);
    expect(await readEntries(journal, 'call1')).toHaveLength(3);
  });
});

describe('a log of a chart that is kept no more', () => {
  it('is refused, and can be read', async () => {
    const { clock, store, journal } = open();
    await write(journal, [createdBy(6), speaks(2)]);
    const { registry } = startProcess('two', store, clock);
    await expect(readState(journal, 'call1')).rejects.toMatchObject({ code: 'journal.past' });
    await expect(replay(journal, 'call1')).rejects.toThrow(/chart 6; this version keeps 7 and 8/);
    await expect(registry.claim('call1', { why: 'orphan' }, [])).rejects.toMatchObject({
      code: 'journal.past',
    });
    expect(registry.size).toBe(0);
    expect(await readEntries(journal, 'call1')).toHaveLength(2);
  });

  it('folds and replays from where a kept one took over', async () => {
    const { journal } = open();
    await write(journal, [createdBy(6), speaks(2)]);
    await write(journal, [
      changedTo(7, 3, { format: 1, carried: { value: 'talking', context: { said: 5, memory: {} } } }),
      speaks(4),
    ]);
    await write(journal, [changedTo(8, 5), speaks(6)]);
    const state = await readState(journal, 'call1');
    expect([state?.chart, saidIn(state)]).toEqual([8, 42]);
    const steps = await replay(journal, 'call1');
    expect(steps.map(({ entry, state: { chart } }) => [entry.seq, chart])).toEqual([
      [3, 7],
      [4, 7],
      [5, 8],
      [6, 8],
    ]);
  });

  it('is read from a checkpoint of a kept chart, and past one of another', async () => {
    const { journal } = open();
    await write(journal, [createdBy(7), speaks(2)], foldOf(createdBy(7), speaks(2)));
    await write(journal, [speaks(3)]);
    expect(saidIn(await readState(journal, 'call1'))).toBe(2);
    const forgotten = { ...foldOf(createdBy(7), speaks(2), speaks(3), speaks(4)), chart: 6 };
    await write(journal, [speaks(4)], forgotten);
    expect(saidIn(await readState(journal, 'call1'))).toBe(3);
    await write(journal, [changedTo(8, 5)]);
    expect(saidIn(await readState(journal, 'call1'))).toBe(40);
  });
});

describe('a log from the future', () => {
  const invented: StoredEntry = { type: 'caller.dreamt', of: { what: 'sheep' }, seq: 2, at: 2_000 };
  const logs: [string, StoredEntry[]][] = [
    ['by its chart', [createdBy(9)]],
    ['by its format', [createdBy(8, 3)]],
    ['with fields and entries that nobody knows yet', [{ ...createdBy(9, 3), invented: true }, invented]],
    ['since a newer chart took it over', [createdBy(7), { ...invented }, changedTo(9, 3, { from: 7 })]],
    ['since a newer format took it over', [createdBy(7), changedTo(8, 2, { format: 3, carried: null })]],
  ];

  it.each(logs)('%s is refused before any entry is checked, and left as it is', async (_, entries) => {
    const { clock, store, journal } = open();
    await write(journal, entries);
    const stored = await journal.read('call1', { fromStart: true });
    const { registry, diary } = startProcess('two', store, clock);
    for (const attempt of [
      () => readState(journal, 'call1'),
      () => readEntries(journal, 'call1'),
      () => replay(journal, 'call1'),
      () => registry.read('call1'),
      () => registry.claim('call1', { why: 'orphan' }, []),
    ]) {
      await expect(attempt()).rejects.toMatchObject({
        code: 'journal.future',
        message: expect.stringMatching(/written by a newer Holdfast.*knows them up to 8 and 2/),
      });
    }
    expect(registry.size).toBe(0);
    expect(diary.observed).toEqual([]);
    expect(await journal.read('call1', { fromStart: true })).toEqual(stored);
  });

  it('is noticed behind a checkpoint too, of whichever chart', async () => {
    const { journal } = open();
    await write(journal, [createdBy(7)], foldOf(createdBy(7)));
    await write(journal, [changedTo(9, 2, { from: 7 })]);
    await expect(readState(journal, 'call1')).rejects.toMatchObject({ code: 'journal.future' });
    await write(journal, [speaks(3)], { ...foldOf(createdBy(7)), chart: 9, seq: 3 });
    await write(journal, [speaks(4)]);
    await expect(readState(journal, 'call1')).rejects.toMatchObject({ code: 'journal.future' });
  });
});

describe('a state value of another chart', () => {
  const root = setup({}).createMachine({
    initial: 'first',
    states: {
      first: {},
      busy: {
        type: 'parallel',
        states: {
          one: { initial: 'a', states: { a: {}, b: { initial: 'x', states: { x: {}, y: {} } } } },
          two: { initial: 'c', states: { c: {}, d: {} } },
        },
      },
    },
  }).root;

  it.each([
    ['first', 'first'],
    ['unheard', 'first'],
    [undefined, 'first'],
    [{ busy: {} }, { busy: { one: 'a', two: 'c' } }],
    [{ busy: { one: 'b', two: 'd', three: 'e' } }, { busy: { one: { b: 'x' }, two: 'd' } }],
    [{ busy: { one: { b: 'y' }, two: { d: 'deeper' } } }, { busy: { one: { b: 'y' }, two: 'd' } }],
    [{ busy: { one: { b: 'z' }, two: 'toString' } }, { busy: { one: { b: 'x' }, two: 'c' } }],
  ])('%j gives way to %j', (value, nearest) => {
    expect(nearestValue(root, value)).toEqual(nearest);
  });
});
