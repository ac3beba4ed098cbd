/** How long audio and timers wait in this process: the percentile of the last seconds, and what is left out of it. */
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/runtime/ports/clock.ts';
import { AudioDelays } from '../../src/telemetry/audio-delays.ts';
import { DelayWindow } from '../../src/telemetry/delay-window.ts';
import { LoopMeter } from '../../src/telemetry/loop-meter.ts';
import { Metrics } from '../../src/telemetry/metrics/metrics.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';

/** A second in which so many values were noted. */
function second(window: DelayWindow, values: readonly number[]): void {
  for (const value of values) window.note(value);
  window.roll();
}

const fifty = (ms: number): number[] => new Array<number>(50).fill(ms);

describe('a window of delays', () => {
  let window: DelayWindow;
  beforeEach(() => {
    window = new DelayWindow(1);
  });

  it('tells the percentile to a tenth, where its seconds are alike', () => {
    const values = fc.array(fc.double({ min: 0.2, max: 20_000, noNaN: true }), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(values, fc.constantFrom(0.5, 0.95, 0.99), (noted, share) => {
        const fresh = new DelayWindow(1);
        for (let each = 0; each < 10; each++) second(fresh, noted);
        const sorted = [...noted].sort((one, other) => one - other);
        const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
        expect(fresh.percentile(share)).toBeGreaterThanOrEqual(exact * 0.999);
        expect(fresh.percentile(share)).toBeLessThanOrEqual(exact * 1.101);
      }),
    );
  });

  it('leaves the two worst seconds out, and the third counts', () => {
    for (let each = 0; each < 8; each++) second(window, fifty(1));
    second(window, fifty(3_000));
    second(window, fifty(500));
    expect(window.percentile(0.99)).toBeLessThan(1.2);
    second(window, fifty(40));
    expect(window.percentile(0.99)).toBeGreaterThanOrEqual(40);
    expect(window.percentile(0.99)).toBeLessThan(45);
  });

  it('forgets what is older than ten seconds', () => {
    for (let each = 0; each < 10; each++) second(window, fifty(300));
    for (let each = 0; each < 7; each++) second(window, fifty(1));
    expect(window.percentile(0.99)).toBeGreaterThan(250);
    second(window, fifty(1));
    expect(window.percentile(0.99)).toBeLessThan(1.2);
  });

  it('says nothing of too few values, nor of a second that is not over', () => {
    const picky = new DelayWindow(100);
    for (let each = 0; each < 10; each++) second(picky, [5, 5, 5]);
    expect(picky.percentile(0.99)).toBeNull();
    for (const value of fifty(5)) window.note(value);
    expect(window.percentile(0.99)).toBeNull();
  });
});

/** Its timers run so much later than asked, and time passes only by them. */
class LateClock implements Pick<Clock, 'monotonic' | 'setTimeout' | 'clearTimeout'> {
  nowMs = 0;
  readonly asked: number[] = [];
  #callback: (() => void) | null = null;
  #dueMs = 0;

  monotonic(): number {
    return this.nowMs;
  }

  setTimeout(callback: () => void, delayMs: number): void {
    this.#callback = callback;
    this.#dueMs = this.nowMs + delayMs;
    this.asked.push(delayMs);
  }

  clearTimeout(): void {
    this.#callback = null;
  }

  runNext(lateMs: number): void {
    this.nowMs = this.#dueMs + lateMs;
    this.#callback?.();
  }
}

describe('the event loop', () => {
  it('is met at moments of a grid, however late it is, and each turn counts once', async () => {
    const clock = new LateClock();
    const metrics = new Metrics();
    const meter = new LoopMeter(clock as unknown as Clock, metrics);
    meter.start();
    clock.runNext(0);
    expect(meter.lastDelayMs).toBe(0);
    clock.runNext(73);
    expect(clock.nowMs).toBe(113);
    expect(meter.lastDelayMs).toBe(73);
    clock.runNext(5);
    expect(clock.nowMs).toBe(125);
    expect(clock.asked).toEqual([20, 20, 7, 15]);
    expect(await metrics.text()).toContain('holdfast_event_loop_delay_seconds_count 3');
    meter.stop();
  });

  it('that is late again and again has a percentile that says so; one pause, however long, has none', () => {
    const clock = new LateClock();
    const meter = new LoopMeter(clock as unknown as Clock, new Metrics());
    meter.start();
    const pass = (seconds: number, lateMs: number): void => {
      for (const untilMs = clock.nowMs + 1_000 * seconds; clock.nowMs < untilMs; ) {
        const startedMs = clock.nowMs;
        clock.runNext(lateMs);
        if (Math.floor(startedMs / 1_000) !== Math.floor(clock.nowMs / 1_000)) meter.delays.roll();
      }
    };
    pass(12, 1);
    clock.runNext(5_000);
    pass(5, 1);
    expect(meter.delays.percentile(0.99)).toBeLessThan(2);
    pass(12, 70);
    expect(meter.delays.percentile(0.99)).toBeGreaterThanOrEqual(70);
  });

  it('of a clock that is never late is never late', async () => {
    const clock = new VirtualClock();
    const meter = new LoopMeter(clock, new Metrics());
    meter.start();
    for (let second = 0; second < 3; second++) {
      await clock.advance(1_000);
      meter.delays.roll();
    }
    expect(meter.delays.percentile(0.99)).toBeLessThan(0.2);
    meter.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('audio', () => {
  let waitMs: number;
  let delays: AudioDelays;
  beforeEach(() => {
    waitMs = 0;
    delays = new AudioDelays(() => waitMs);
  });

  const pass = (seconds: number, direction: 'caller' | 'agent', pieces: number): void => {
    for (let each = 0; each < seconds; each++) {
      for (let piece = 0; piece < pieces; piece++) delays.note(direction, 2);
      delays.roll();
    }
  };

  it('is as late as the event loop was, and the bridge takes; the worse direction counts', () => {
    pass(10, 'caller', 20);
    expect(delays.p99Ms).toBeGreaterThanOrEqual(2);
    expect(delays.p99Ms).toBeLessThan(2.3);
    waitMs = 30;
    for (let each = 0; each < 10; each++) {
      for (let piece = 0; piece < 20; piece++) delays.note('agent', 3);
      waitMs = 0;
      for (let piece = 0; piece < 20; piece++) delays.note('caller', 2);
      waitMs = 30;
      delays.roll();
    }
    expect(delays.p99Ms).toBeGreaterThanOrEqual(33);
    expect(delays.p99Ms).toBeLessThan(37);
    expect(delays.areLate).toBe(false);
  });

  it('of a few calls is not judged: one piece would decide', () => {
    waitMs = 1_000;
    pass(10, 'caller', 10);
    expect(delays.p99Ms).toBeNull();
    expect(delays.areLate).toBe(false);
  });

  it('is late where one piece in twenty comes later than can be made up for', () => {
    for (let each = 0; each < 10; each++) {
      waitMs = 0;
      for (let piece = 0; piece < 90; piece++) delays.note('caller', 1);
      waitMs = 150;
      for (let piece = 0; piece < 10; piece++) delays.note('caller', 1);
      delays.roll();
    }
    expect(delays.areLate).toBe(true);
  });
});
