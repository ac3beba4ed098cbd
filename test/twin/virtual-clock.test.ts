import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';

/** Notes when each of the given delays comes, as `[delay, monotonic time]`. */
function noteTimers(clock: VirtualClock, delaysMs: readonly number[]): [number, number][] {
  const seen: [number, number][] = [];
  for (const delayMs of delaysMs) clock.setTimeout(() => seen.push([delayMs, clock.monotonic()]), delayMs);
  return seen;
}

describe('a virtual clock', () => {
  test('runs each timer at its own moment', async () => {
    const clock = new VirtualClock();
    const seen = noteTimers(clock, [30, 10, 20]);
    await clock.advance(25);
    expect(seen).toEqual([
      [10, 10],
      [20, 20],
    ]);
    expect(clock.monotonic()).toBe(25);
    await clock.advance(5);
    expect(seen.at(-1)).toEqual([30, 30]);
  });

  test('runs timers of the same moment in the order in which they were set', async () => {
    const clock = new VirtualClock();
    const order: string[] = [];
    clock.setTimeout(() => {
      order.push('first');
      clock.setTimeout(() => order.push('set by the first'), 0);
    }, 5);
    clock.setTimeout(() => order.push('second'), 5);
    await clock.advance(5);
    expect(order).toEqual(['first', 'second', 'set by the first']);
  });

  test('lets promises settle between two timers', async () => {
    const clock = new VirtualClock();
    const order: string[] = [];
    const sleep = (ms: number): Promise<void> => new Promise((resolve) => clock.setTimeout(resolve, ms));
    const walk = async (): Promise<void> => {
      for (let step = 1; step <= 3; step += 1) {
        await sleep(10);
        await Promise.resolve();
        order.push(`step ${step} at ${clock.monotonic()}`);
      }
    };
    void walk();
    clock.setTimeout(() => order.push('timer at 10'), 10);
    await clock.advance(100);
    expect(order).toEqual(['step 1 at 10', 'timer at 10', 'step 2 at 20', 'step 3 at 30']);
  });

  test('lets promises settle before the first timer runs', async () => {
    const clock = new VirtualClock();
    const order: string[] = [];
    void Promise.resolve().then(() => clock.setTimeout(() => order.push('set in a promise'), 1));
    await clock.advance(1);
    expect(order).toEqual(['set in a promise']);
  });

  test('does not run a timer that was cleared', async () => {
    const clock = new VirtualClock();
    const seen = noteTimers(clock, [1]);
    const handle = clock.setTimeout(() => seen.push([99, 99]), 2);
    expect(clock.pendingTimers).toBe(2);
    clock.clearTimeout(handle);
    clock.clearTimeout(handle);
    clock.clearTimeout(undefined);
    clock.clearTimeout(null);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(10);
    expect(seen).toEqual([[1, 1]]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('takes a delay below zero or of no number as none', async () => {
    const clock = new VirtualClock();
    const seen = noteTimers(clock, [-5, Number.NaN]);
    await clock.advance(0);
    expect(seen.map(([, at]) => at)).toEqual([0, 0]);
  });

  test('stops where a predicate comes true', async () => {
    const clock = new VirtualClock();
    const seen = noteTimers(clock, [10, 20, 30]);
    expect(await clock.runUntil(() => seen.length === 2, 1_000)).toBe(true);
    expect(clock.monotonic()).toBe(20);
  });

  test('gives up on a predicate at the limit', async () => {
    const clock = new VirtualClock();
    noteTimers(clock, [10, 2_000]);
    expect(await clock.runUntil(() => false, 1_000)).toBe(false);
    expect(clock.monotonic()).toBe(1_000);
    expect(await clock.runUntil(() => clock.monotonic() === 1_500, 500)).toBe(true);
  });

  test('jumps with the wall clock alone', async () => {
    const clock = new VirtualClock(1_000_000);
    const seen = noteTimers(clock, [10]);
    clock.jump(-500);
    expect(clock.now()).toBe(999_500);
    expect(clock.monotonic()).toBe(0);
    await clock.advance(10);
    expect(seen).toEqual([[10, 10]]);
    expect(clock.now()).toBe(999_510);
  });

  test('tells the wall clock in whole milliseconds', async () => {
    const clock = new VirtualClock(1_000);
    await clock.advance(0.75);
    expect(clock.now()).toBe(1_000);
    expect(clock.monotonic()).toBe(0.75);
  });

  test('stands while work is under way that takes turns of the event loop but no time', async () => {
    const clock = new VirtualClock();
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    let doneAt = -1;
    const work = async (): Promise<string> => {
      for (let count = 0; count < 10; count += 1) await turn();
      doneAt = clock.monotonic();
      return 'done';
    };
    const result = clock.during(work());
    noteTimers(clock, [5]);
    await clock.advance(5);
    expect(doneAt).toBe(0);
    expect(await result).toBe('done');
  });

  test('does not stand for ever, and not for work that failed', async () => {
    const clock = new VirtualClock();
    void clock.during(new Promise(() => undefined));
    await expect(clock.during(Promise.reject(new Error('no')))).rejects.toThrow('no');
    const seen = noteTimers(clock, [5]);
    await clock.advance(5);
    expect(seen).toHaveLength(1);
  });

  test('refuses to be moved by two at once', async () => {
    const clock = new VirtualClock();
    const first = clock.advance(10);
    await expect(clock.advance(10)).rejects.toThrow('already being moved');
    await first;
    expect(clock.monotonic()).toBe(10);
  });

  test('passes on what a callback throws and can be moved again', async () => {
    const clock = new VirtualClock();
    clock.setTimeout(() => {
      throw new Error('broken timer');
    }, 5);
    await expect(clock.advance(10)).rejects.toThrow('broken timer');
    expect(clock.monotonic()).toBe(5);
    await clock.advance(5);
    expect(clock.monotonic()).toBe(10);
  });

  test('notices timers that set each other for ever without time passing', async () => {
    const clock = new VirtualClock();
    const again = (): void => void clock.setTimeout(again, 0);
    again();
    await expect(clock.advance(1)).rejects.toThrow('for ever');
  });

  test('never goes back, also when it is told to', async () => {
    const clock = new VirtualClock();
    await clock.advance(10);
    noteTimers(clock, [5]);
    await clock.advance(-7);
    expect(clock.monotonic()).toBe(10);
  });

  test('runs any timers sorted by moment and order, those cleared left out', async () => {
    const timer = fc.record({ delayMs: fc.integer({ min: 0, max: 200 }), isCleared: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(timer, { minLength: 10, maxLength: 150 }), async (timers) => {
        const clock = new VirtualClock();
        const seen: number[] = [];
        const handles = timers.map(({ delayMs }, index) => clock.setTimeout(() => seen.push(index), delayMs));
        for (const [index, { isCleared }] of timers.entries()) {
          if (isCleared) clock.clearTimeout(handles[index]);
        }
        await clock.advance(200);
        const expected = timers
          .map((one, index) => ({ ...one, index }))
          .filter(({ isCleared }) => !isCleared)
          .toSorted((one, other) => one.delayMs - other.delayMs)
          .map(({ index }) => index);
        expect(seen).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });
});
