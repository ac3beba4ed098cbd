/** I1 and J8: whatever a log holds, it folds to the same states once its payloads are erased. */
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { createMemoryStore, openMemoryJournal } from '../../src/adapters/journal/memory.ts';
import { current } from '../../src/machines/charts/table.ts';
import { type Entry, entryFault, referencesOf } from '../../src/machines/entries.ts';
import { eraseCall } from '../../src/runtime/erasure.ts';
import { readEntries, readState, replay } from '../../src/runtime/history.ts';
import { GiveUpError, RetryError } from '../../src/runtime/ports/errors.ts';
import type { CallRow, Journal, Json, Payload, StoredEntry } from '../../src/runtime/ports/journal.ts';
import { type CallState, freeze, step } from '../../src/runtime/step.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import { commitOf, endedAt } from '../contract/commits.ts';
import { created, likelyFactsAt } from '../machines/alphabet.ts';

interface Walked {
  entry: Entry;
  state: CallState;
}

/** A call from its first entry on, as far as the numbers lead it. */
function walk(numbers: readonly number[]): Walked[] {
  const first = { ...created, seq: 1, at: 1_000, from: { bytes: 5 } } as Entry;
  const walked: Walked[] = [{ entry: first, state: step('call1', null, first)[0] }];
  for (const number of numbers) {
    const { state } = walked.at(-1) as Walked;
    const facts = likelyFactsAt(state);
    if (facts.length === 0) break;
    const fact = facts[number % facts.length];
    const entry = { ...fact, seq: state.seq + 1, at: state.at + (number % 900) } as Entry;
    walked.push({ entry, state: step('call1', state, entry)[0] });
  }
  return walked;
}

const payloadsOf = (entry: Entry): Payload[] =>
  referencesOf(entry).map((name) => ({ seq: entry.seq, name, content: `personal ${entry.seq}` }));

/** As one commit an entry, the last one of which ends the call. */
async function write(journal: Journal, walked: readonly Walked[], checkpointAt: number): Promise<void> {
  for (const [index, { entry, state }] of walked.entries()) {
    const isLast = index === walked.length - 1;
    const row: CallRow = {
      callId: 'call1',
      carrierCallId: 'CA1',
      direction: 'incoming',
      owner: isLast ? null : 'one',
      startedAt: 1_000,
      endedAt: isLast ? entry.at : null,
      endReason: isLast ? 'completed' : null,
      lastSeq: entry.seq,
      state: state.snapshot.value as Json,
    };
    const checkpoint = index === checkpointAt ? freeze(state) : null;
    const entries = [JSON.parse(JSON.stringify(entry))];
    await journal.append({
      callId: 'call1',
      entries,
      payloads: payloadsOf(entry),
      row,
      checkpoint,
      taken: [],
    });
  }
}

let clock: VirtualClock;
let journal: Journal;
let other: Journal;

beforeEach(() => {
  clock = new VirtualClock(500);
  const store = createMemoryStore();
  journal = openMemoryJournal(store, { clock });
  other = openMemoryJournal(store, { clock });
});

const byRetention = { by: 'retention' } as const;
const ended = (seq: number, payloads: Payload[] = []) =>
  commitOf('call1', seq, { row: endedAt(9_000), payloads });

describe('after the erasure of a call’s payloads', () => {
  it('any log folds to the same states, and the erasure is its last entry', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(9_999), { maxLength: 40 }),
        fc.nat(40),
        async (numbers, checkpointAt) => {
          const here = openMemoryJournal(createMemoryStore(), { clock });
          const walked = walk(numbers);
          await write(here, walked, checkpointAt);
          const [before, stepsBefore] = await Promise.all([readState(here, 'call1'), replay(here, 'call1')]);
          const left = await here.readPayloads('call1');
          const erased = await eraseCall(here, clock, 'call1', byRetention);
          expect(erased.payloads).toBe(left.length);
          expect(await here.readPayloads('call1')).toEqual([]);
          const [after, steps] = await Promise.all([readState(here, 'call1'), replay(here, 'call1')]);
          expect(stateOf(after)).toEqual(stateOf(before));
          expect(steps.map(({ state }) => stateOf(state)).slice(0, -1)).toEqual(
            stepsBefore.map(({ state }) => stateOf(state)),
          );
          expect(steps.every(({ matches }) => matches)).toBe(true);
          expect(steps.at(-1)?.commands).toEqual([]);
          const last = (await readEntries(here, 'call1')).at(-1) as Entry;
          expect(last).toEqual({
            seq: walked.length + 1,
            at: walked.at(-1)?.entry.at,
            type: 'payloads.erased',
            by: 'retention',
            payloads: left.length,
            bytes: left.reduce((sum, { content }) => sum + content.length, 0),
          });
          expect(entryFault(last)).toBeNull();
        },
      ),
      { numRuns: 100 },
    );
  });

  const stateOf = (state: CallState | null) => {
    const { value, context, due } = freeze(state as CallState) as { [field: string]: Json };
    return { value, context, due };
  };

  it('the rest of the index says what it said', async () => {
    await journal.append(ended(1, [{ seq: 1, name: 'from', content: 'ü' }]));
    await journal.markDelivered('call1');
    const [before] = await journal.list({ callId: 'call1' });
    clock.jump(90_000);
    expect(await eraseCall(journal, clock, 'call1', { by: 'operator', operator: 'Ann' })).toEqual({
      payloads: 1,
      bytes: 2,
    });
    expect(await journal.list({ callId: 'call1' })).toEqual([{ ...before, lastSeq: 2 }]);
    expect(await journal.undelivered(10)).toEqual([]);
    const [commit] = await journal.readAfter('call1', 1, 1);
    expect(commit?.entries).toEqual([
      { seq: 2, at: 90_500, type: 'payloads.erased', by: 'operator', operator: 'Ann', payloads: 1, bytes: 2 },
    ]);
  });

  it('a second one finds nothing and writes nothing', async () => {
    await journal.append(ended(1, [{ seq: 1, name: 'from', content: 'x' }]));
    await eraseCall(journal, clock, 'call1', byRetention);
    expect(await eraseCall(other, clock, 'call1', byRetention)).toEqual({ payloads: 0, bytes: 0 });
    expect(await journal.list({ callId: 'call1' })).toMatchObject([{ lastSeq: 2 }]);
  });
});

describe('the erasure', () => {
  it('is done once by two processes that are at it together', async () => {
    await journal.append(ended(1, [{ seq: 1, name: 'from', content: 'x' }]));
    const done = await Promise.all(
      [journal, other].map((each) => eraseCall(each, clock, 'call1', byRetention)),
    );
    expect(done.map(({ payloads }) => payloads).sort()).toEqual([0, 1]);
    expect((await journal.read('call1')).commits).toHaveLength(2);
  });

  it('begins anew where another append was quicker', async () => {
    await journal.append(ended(1, [{ seq: 1, name: 'from', content: 'x' }]));
    const append = journal.append.bind(journal);
    let appends = 0;
    journal.append = async (commit) => {
      appends += 1;
      if (appends === 1) await other.append(ended(2, [{ seq: 2, name: 'from', content: 'yy' }]));
      await append(commit);
    };
    expect(await eraseCall(journal, clock, 'call1', byRetention)).toEqual({ payloads: 2, bytes: 3 });
    expect(await journal.readPayloads('call1')).toEqual([]);
    expect(await journal.list({ callId: 'call1' })).toMatchObject([{ lastSeq: 3 }]);
  });

  it('gives up where it is always met by another one', async () => {
    await journal.append(ended(1, [{ seq: 1, name: 'from', content: 'x' }]));
    journal.append = () => Promise.reject(new GiveUpError('journal.conflict', ''));
    await expect(eraseCall(journal, clock, 'call1', byRetention)).rejects.toMatchObject({
      name: 'RetryError',
      code: 'journal.unavailable',
    });
  });

  it('refuses a call that is live, and one that nobody knows', async () => {
    await journal.append(commitOf('call1', 1, { payloads: [{ seq: 1, name: 'from', content: 'x' }] }));
    await expect(eraseCall(journal, clock, 'call1', byRetention)).rejects.toMatchObject({
      name: 'FixCallError',
      code: 'call.live',
    });
    expect(await journal.readPayloads('call1')).toHaveLength(1);
    await expect(eraseCall(journal, clock, 'call2', byRetention)).rejects.toMatchObject({
      code: 'call.unknown',
    });
  });

  const { number, format } = current;
  const nobodyKnows = { seq: 1, at: 2_000, type: 'caller.dreamt', of: 'sheep' };

  /** An ended call with a payload, with these entries and a last one that no version knows. */
  const logOf = async (...entries: StoredEntry[]): Promise<void> => {
    const log = [...entries, nobodyKnows].map((entry, index) => ({ ...entry, seq: index + 1 }));
    const payloads = [{ seq: 1, name: 'from', content: 'x' }];
    const commit = commitOf('call1', 1, { entries: log.length, row: endedAt(9_000), payloads });
    await journal.append({ ...commit, entries: log });
  };
  const createdBy = (chart: number, by = format): StoredEntry => ({
    ...nobodyKnows,
    type: 'call.created',
    chart,
    format: by,
  });
  const changedTo = (to: number): StoredEntry => ({ ...nobodyKnows, type: 'chart.changed', to, format });

  it.each([
    ['by its chart', [createdBy(number + 1)]],
    ['by its format', [createdBy(number, format + 1)]],
    ['since a newer chart took it over', [createdBy(number), changedTo(number + 1)]],
  ])('of a log from the future is refused, and the log is left as it is: %s', async (_, entries) => {
    await logOf(...entries);
    const stored = await journal.read('call1', { fromStart: true });
    await expect(eraseCall(journal, clock, 'call1', byRetention)).rejects.toMatchObject({
      name: 'GiveUpError',
      code: 'journal.future',
      message: expect.stringContaining('use the newer one'),
    });
    expect(await journal.read('call1', { fromStart: true })).toEqual(stored);
    expect(await journal.readPayloads('call1')).toHaveLength(1);
  });

  it('of a log that is too old to be folded is done like any other', async () => {
    await logOf(createdBy(0, 0));
    await expect(readState(journal, 'call1')).rejects.toBeInstanceOf(GiveUpError);
    expect(await eraseCall(journal, clock, 'call1', byRetention)).toEqual({ payloads: 1, bytes: 1 });
    expect(await journal.readPayloads('call1')).toEqual([]);
  });

  it('does not hide that the journal is away', async () => {
    await journal.append(ended(1, [{ seq: 1, name: 'from', content: 'x' }]));
    journal.append = () => Promise.reject(new RetryError('journal.unavailable', ''));
    await expect(eraseCall(journal, clock, 'call1', byRetention)).rejects.toMatchObject({
      code: 'journal.unavailable',
    });
  });
});
