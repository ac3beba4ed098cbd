/** The end of all workers where some do not do as they are asked (E8, E9, I4). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { partingMs, stopMs } from '../../../src/machines/service.ts';
import { Ending, graceMs, lookEveryMs } from '../../../src/service/workers/ending.ts';
import { silentLimitMs } from '../../../src/service/workers/shares.ts';
import { VirtualClock } from '../../../src/twin/virtual-clock.ts';

const drainMs = 20_000;
const closingMs = partingMs + stopMs;
/** What the first look sees counts at the second. */
const looksMs = 2 * lookEveryMs;

class Worker {
  isKilled = false;
  silentMs: number;

  constructor(silentMs = 0) {
    this.silentMs = silentMs;
  }

  kill(): void {
    expect(this.isKilled).toBe(false);
    this.isKilled = true;
  }
}

let clock: VirtualClock;
let workers: Worker[];
let told: string[];
let entrance: { isListening: boolean; isServed: boolean };
let ending: Ending<Worker>;

beforeEach(() => {
  clock = new VirtualClock();
  workers = [];
  told = [];
  entrance = { isListening: true, isServed: true };
  ending = new Ending({
    clock,
    workers: () => workers,
    entrance,
    closeEntrance: () => {
      told.push('closed');
      entrance.isListening = false;
    },
    openEntrance: () => {
      told.push('open');
      entrance.isListening = true;
    },
    onKill: () => told.push('killed'),
  });
});
afterEach(() => {
  ending.stop();
  expect(clock.pendingTimers).toBe(0);
});

describe('a worker that does not end', () => {
  it('is killed once its deadline and the time to let go and close are over, and not before', async () => {
    workers = [new Worker(), new Worker(60_000)];
    ending.begin(false);
    ending.noteDrain(drainMs);
    // One that starts just then has nothing to wait for.
    ending.noteDrain(0);
    await clock.advance(drainMs + closingMs + graceMs);
    expect(told).toEqual([]);
    await clock.advance(looksMs);
    expect(told).toEqual(['killed', 'killed']);
    await clock.advance(drainMs);
    expect(told).toHaveLength(2);
  });

  it('is killed without a deadline where none has told any: all of them stand still', async () => {
    workers = [new Worker(60_000)];
    ending.begin(false);
    await clock.advance(closingMs + graceMs + looksMs);
    expect(told).toEqual(['killed']);
  });

  it('is not killed where what it told is only late, as after a pause of the primary itself', async () => {
    const closing = new Worker();
    workers = [closing];
    ending.begin(true);
    await clock.advance(graceMs);
    closing.silentMs = silentLimitMs + 1;
    await clock.advance(lookEveryMs);
    closing.silentMs = 0;
    await clock.advance(stopMs - lookEveryMs);
    expect(closing.isKilled).toBe(false);
  });

  it('is killed soon after a second request: at once where it stands still, else when it had the time to close', async () => {
    const [awake, still] = [new Worker(), new Worker(silentLimitMs + 1)];
    workers = [awake, still];
    ending.begin(false);
    ending.noteDrain(drainMs);
    await clock.advance(2_000);
    ending.begin(true);
    await clock.advance(graceMs);
    // A third one gives it no more time.
    ending.begin(true);
    expect(still.isKilled).toBe(false);
    await clock.advance(looksMs);
    expect([awake.isKilled, still.isKilled]).toEqual([false, true]);
    await clock.advance(stopMs - looksMs);
    expect(awake.isKilled).toBe(false);
    await clock.advance(looksMs);
    expect(awake.isKilled).toBe(true);
  });
});

describe('the port', () => {
  beforeEach(() => {
    workers = [new Worker()];
    ending.begin(false);
    ending.noteDrain(drainMs);
  });

  it('is closed while all that have not left it stand still, and open again where one wakes up', async () => {
    entrance.isServed = false;
    await clock.advance(2 * lookEveryMs);
    expect(told).toEqual(['closed']);
    await clock.advance(5_000);
    entrance.isServed = true;
    await clock.advance(lookEveryMs);
    expect(told).toEqual(['closed', 'open']);
  });

  it('stays open where what a worker told is only late, as after a pause of the primary itself', async () => {
    entrance.isServed = false;
    await clock.advance(lookEveryMs);
    entrance.isServed = true;
    await clock.advance(lookEveryMs);
    entrance.isServed = false;
    await clock.advance(lookEveryMs);
    expect(told).toEqual([]);
  });
});
