/** T1, T2 and A2: what a jump of the wall clock does to a call, and what is left of a timer in another process. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryStore, openMemoryJournal } from '../../src/adapters/journal/memory.ts';
import type { Draft } from '../../src/machines/entries.ts';
import { Timers } from '../../src/runtime/timers.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import {
  callerStarts,
  callerStops,
  quietCall,
  replyProgressed,
  replyStarted,
  replyVoiced,
} from '../machines/support/facts.ts';
import { Diary, newCall, startProcess } from './support/process.ts';

const hourMs = 3_600_000;

/** The timers of the turn; those of other regions run beside them. */
const ofTurn: readonly unknown[] = ['replyStart', 'playbackStall'];

function liveCall(...facts: Draft[]) {
  const clock = new VirtualClock();
  const diary = new Diary();
  const call = newCall(openMemoryJournal(createMemoryStore(), { clock }), clock, diary);
  call.signalAll([...quietCall(), ...facts].map((entry) => ({ entry })));
  const elapsed = () =>
    diary.entries
      .flatMap((entry) => (entry.type === 'timer.elapsed' ? [entry.timer.split('.')[2]] : []))
      .filter((delay) => ofTurn.includes(delay));
  return { clock, diary, call, elapsed };
}

describe('a timer', () => {
  it.each([hourMs, -hourMs, 5_000, -5_000])(
    'takes its full time though the wall clock jumps by %i ms',
    async (jumpMs) => {
      const { clock, elapsed } = liveCall(callerStarts, callerStops);
      await clock.advance(3_000);
      clock.jump(jumpMs);
      await clock.advance(2_999);
      expect(elapsed()).toEqual([]);
      await clock.advance(1);
      expect(elapsed()).toEqual(['replyStart']);
    },
  );

  it.each([hourMs, -hourMs])(
    'takes its full time also where it is set again after a jump by %i ms',
    async (jumpMs) => {
      const { clock, call, elapsed } = liveCall(callerStarts, callerStops, replyStarted(), replyVoiced());
      clock.jump(jumpMs);
      for (let second = 0; second < 20; second++) {
        await clock.advance(1_000);
        call.signal({ entry: replyProgressed() });
      }
      expect(elapsed()).toEqual([]);
      await clock.advance(4_999);
      expect(elapsed()).toEqual([]);
      await clock.advance(1);
      expect(elapsed()).toEqual(['playbackStall']);
    },
  );

  it('is not late for what was decided in the meantime', async () => {
    const { clock, call, elapsed } = liveCall(callerStarts, callerStops);
    await clock.advance(5_999);
    call.signal({ entry: replyStarted() });
    await clock.advance(5_999);
    expect(elapsed()).toEqual([]);
  });

  it.each([50, 1_000, 5_000])(
    'of %i ms that is set again as it elapses takes its full time, though the wall clock went back by as much',
    async (delayMs) => {
      const clock = new VirtualClock();
      const elapsedMs: number[] = [];
      const set = () => timers.arm(new Map([['again', clock.now() + delayMs]]), clock.now());
      const timers = new Timers(clock, () => {
        elapsedMs.push(clock.monotonic());
        set();
      });
      set();
      clock.jump(-delayMs);
      await clock.advance(3 * delayMs);
      expect(elapsedMs).toEqual([delayMs, 2 * delayMs, 3 * delayMs]);
    },
  );

  it('that the host fires a little early waits for the rest', () => {
    const clock = new VirtualClock();
    const alarms: { callback: () => void; delayMs: number }[] = [];
    let nowMs = 0;
    const early = {
      now: () => nowMs,
      monotonic: () => nowMs,
      setTimeout: (callback: () => void, delayMs: number) => alarms.push({ callback, delayMs }),
      clearTimeout: () => undefined,
    };
    const elapsed: string[] = [];
    const timers = new Timers(early, (timer) => elapsed.push(timer));
    timers.arm(new Map([['one', clock.now() + 100]]), clock.now());
    nowMs = 99.6;
    alarms.at(-1)?.callback();
    expect(elapsed).toEqual([]);
    expect(alarms.at(-1)?.delayMs).toBeCloseTo(0.4);
    nowMs = 100;
    alarms.at(-1)?.callback();
    expect(elapsed).toEqual(['one']);
  });
});

describe('the alarm', () => {
  it('is one for all timers of a call, and none once it was stopped (T2)', () => {
    const clock = new VirtualClock();
    const timers = new Timers(clock, () => undefined);
    timers.arm(
      new Map([
        ['one', 100],
        ['two', 50],
        ['three', 70],
      ]),
      0,
    );
    expect(clock.pendingTimers).toBe(1);
    timers.arm(new Map(), 0);
    expect(clock.pendingTimers).toBe(0);
    timers.arm(new Map([['one', 100]]), 0);
    timers.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it('comes for each timer in the order in which they are due', async () => {
    const durations = fc.uniqueArray(fc.integer({ min: -5, max: 1_000 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(durations, async (delays) => {
        const clock = new VirtualClock();
        const start = clock.now();
        const due = new Map(delays.map((delay) => [String(delay), start + delay]));
        const elapsed: [string, number][] = [];
        const timers = new Timers(clock, (timer) => {
          elapsed.push([timer, clock.monotonic()]);
          due.delete(timer);
          timers.arm(due, clock.now());
        });
        timers.arm(due, start);
        await clock.advance(1_001);
        const wanted = [...delays].sort((one, other) => Math.max(0, one) - Math.max(0, other));
        expect(elapsed.map(([, at]) => at)).toEqual(wanted.map((delay) => Math.max(0, delay)));
        expect(clock.pendingTimers).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});

describe('the time of entries', () => {
  it('never goes back, and goes on at its own pace where the wall clock was set back (A2)', async () => {
    const { clock, call, diary } = liveCall();
    const before = call.state.at;
    clock.jump(-hourMs);
    await clock.advance(250);
    call.signal({ entry: callerStarts });
    await clock.advance(750);
    call.signal({ entry: callerStops });
    expect(diary.entries.slice(-2).map(({ at }) => at - before)).toEqual([250, 1_000]);
  });

  it('follows the wall clock forwards', async () => {
    const { clock, call } = liveCall();
    clock.jump(hourMs);
    call.signal({ entry: callerStarts });
    expect(call.state.at).toBe(clock.now());
  });

  it('never goes back, however the clock jumps', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -hourMs, max: hourMs }), { maxLength: 20 }),
        async (jumps) => {
          const { clock, call, diary } = liveCall();
          for (const jump of jumps) {
            clock.jump(jump);
            await clock.advance(7);
            call.signal({ entry: callerStarts });
          }
          const times = diary.entries.map(({ at }) => at);
          expect(times).toEqual([...times].sort((one, other) => one - other));
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('a call that another process claims', () => {
  it('waits for what is left of each delay, by the wall clock', async () => {
    const clock = new VirtualClock();
    const store = createMemoryStore();
    const one = startProcess('one', store, clock);
    const [created, ...rest] = quietCall({ longestCallMs: 60_000 }).map((entry) => ({ entry }));
    const call = await one.registry.create('call1', created as never, []);
    call.signalAll(rest.slice(1));
    await clock.advance(10_000);
    one.registry.stop();
    await clock.advance(20_000);
    const two = startProcess('two', store, clock);
    await two.registry.claim('call1', { why: 'orphan' }, []);
    const longest = (): unknown[] =>
      two.diary.entries.filter(
        (entry) => entry.type === 'timer.elapsed' && entry.timer.includes('longestCall'),
      );
    const carriedOn = two.registry.get('call1');
    for (let second = 0; second < 29; second++) {
      await clock.advance(1_000);
      carriedOn?.signal({ entry: { type: 'stream.started', streamId: `s${second}`, attempt: 2 + second } });
    }
    await clock.advance(999);
    expect(longest()).toEqual([]);
    await clock.advance(1);
    expect(longest()).toHaveLength(1);
  });

  it('has timers elapse at once that were due while nobody owned it', async () => {
    const clock = new VirtualClock();
    const store = createMemoryStore();
    const one = startProcess('one', store, clock);
    const [created, ...rest] = quietCall({ longestCallMs: 60_000 }).map((entry) => ({ entry }));
    const call = await one.registry.create('call1', created as never, []);
    call.signalAll(rest.slice(1));
    await clock.advance(0);
    one.registry.stop();
    await clock.advance(hourMs);
    const two = startProcess('two', store, clock);
    await two.registry.claim('call1', { why: 'orphan' }, []);
    await clock.advance(0);
    expect(two.registry.get('call1')?.state.snapshot.matches({ live: { farewell: 'overtime' } })).toBe(true);
  });
});
