import { describe, expect, test } from 'vitest';
import { type AppendFate, createMemoryStore, openMemoryJournal } from '../../src/adapters/journal/memory.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import { commitOf } from '../contract/commits.ts';

const clock = new VirtualClock();

function openTwo(beforeAppend: (callId: string) => AppendFate | Promise<AppendFate>) {
  const store = createMemoryStore();
  return {
    faulty: openMemoryJournal(store, { clock, beforeAppend }),
    sound: openMemoryJournal(store, { clock }),
  };
}

describe('a simulated fault of the journal in memory', () => {
  test('sees the call and its entries before each append of its handle, and of no other', async () => {
    const seen: unknown[] = [];
    const store = createMemoryStore();
    const journal = openMemoryJournal(store, {
      clock,
      beforeAppend: (callId, entries) => {
        seen.push([callId, entries.map(({ seq, type }) => [seq, type])]);
        return 'store';
      },
    });
    await openMemoryJournal(store, { clock }).append(commitOf('unseen', 1));
    await journal.append(commitOf('seen', 1, { entries: 2 }));
    expect(seen).toEqual([
      [
        'seen',
        [
          [1, 'something.happened'],
          [2, 'something.happened'],
        ],
      ],
    ]);
    expect(await journal.list({})).toHaveLength(2);
  });

  test('can refuse an append, which is then not stored', async () => {
    const { faulty, sound } = openTwo(() => 'refuse');
    await expect(faulty.append(commitOf('a', 1))).rejects.toMatchObject({
      name: 'RetryError',
      code: 'journal.unavailable',
    });
    expect(await sound.list({})).toEqual([]);
  });

  test('can lose the answer of an append, which is stored all the same', async () => {
    const { faulty, sound } = openTwo(() => 'loseReply');
    await expect(faulty.append(commitOf('a', 1))).rejects.toMatchObject({
      name: 'RetryError',
      code: 'journal.unavailable',
    });
    expect(await sound.list({})).toMatchObject([{ lastSeq: 1 }]);
  });

  test('can stall an append, which another handle may overtake and `close` waits for', async () => {
    let letGo: (fate: AppendFate) => void = () => {};
    const { faulty, sound } = openTwo((callId) =>
      callId === 'stalled'
        ? new Promise((resolve) => {
            letGo = resolve;
          })
        : 'store',
    );
    const stalled = faulty.append(commitOf('stalled', 1));
    await faulty.append(commitOf('passing', 1));
    await sound.append(commitOf('stalled', 1));
    const steps: string[] = [];
    const closed = faulty.close().then(() => steps.push('closed'));
    stalled.catch((error) => steps.push(error.code));
    await sound.list({});
    expect(steps).toEqual([]);
    letGo('store');
    await closed;
    expect(steps).toEqual(['journal.conflict', 'closed']);
  });
});
