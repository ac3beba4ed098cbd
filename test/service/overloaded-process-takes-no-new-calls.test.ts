/**
 * A process that is past a budget, with its real parts: health, meters, desk and calls on one virtual clock, whose
 * timers come late for whoever measures the event loop. What happens to new calls, and to those that are known.
 */
import { memoryUsage } from 'node:process';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { writeTwiml } from '../../src/adapters/twilio/twiml.ts';
import type { MemoryBudget } from '../../src/config/budgets.ts';
import type { Answer } from '../../src/runtime/ports/carrier.ts';
import type { Clock } from '../../src/runtime/ports/clock.ts';
import { MeteredCalls } from '../../src/service/call-watch.ts';
import { askGauges } from '../../src/service/gauges.ts';
import { createBudgets } from '../../src/service/health/create-budgets.ts';
import { createHealth } from '../../src/service/health/create-health.ts';
import type { Health } from '../../src/service/health/health.ts';
import { clearAfterMs, overAfterMs, recoveryMs, warmUpMs } from '../../src/service/health/overload.ts';
import { standingOf } from '../../src/service/health/standing.ts';
import { type Meters, startMeters } from '../../src/service/instruments.ts';
import { AudioDelays } from '../../src/telemetry/audio-delays.ts';
import type { CallTelemetry } from '../../src/telemetry/call-telemetry.ts';
import { createLogger, type Logger } from '../../src/telemetry/logger.ts';
import { LoopMeter } from '../../src/telemetry/loop-meter.ts';
import { MediaMeter, noSound } from '../../src/telemetry/media-meter.ts';
import { Metrics } from '../../src/telemetry/metrics/metrics.ts';
import { callSid, type Process, Rig } from './rig.ts';

const settings = { starvedMs: 3_600_000, longestCallMs: 3_600_000 };
const limits = { audioMs: 50, eventLoopMs: 40, memory: { share: 1 }, qualityShare: 0.3 } as const;
const place = { publicUrl: 'https://calls.example', instance: 'one', fallbackUrl: null };
/** The window of what is measured leaves the two worst seconds out. */
const untilSeenMs = 3_000;
const windowMs = 10_000;
const soonMs = 1_000;

let rig: Rig;
let process: Process;
let health: Health;
let metrics: Metrics;
let meters: Meters;
let delays: AudioDelays;
let media: MediaMeter;
/** How much later than asked timers run, for whoever measures that. */
let lateMs: number;
let logged: string[];

function loggerOf(lines: string[]): Logger {
  const destination = { write: (line: string) => void lines.push(line) };
  return createLogger({ level: 'info', instance: 'one', secrets: [], destination });
}

beforeEach(() => {
  rig = new Rig();
  process = rig.open('one', { settings });
  lateMs = 0;
  logged = [];
  metrics = new Metrics();
  const { clock } = rig;
  const late: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimeout: (callback, delayMs) => clock.setTimeout(callback, delayMs + lateMs),
    clearTimeout: (handle) => clock.clearTimeout(handle),
  };
  const loop = new LoopMeter(late, metrics);
  delays = new AudioDelays(() => loop.lastDelayMs);
  media = new MediaMeter(metrics, delays);
  meters = startMeters({ clock: late, loop, delays, media }, () => process.assembly);
  health = createHealth({
    configuration: {
      callsLimit: null,
      budgets: limits,
      fallbackTransferTo: null,
      twilio: { accountSid: '', authToken: '', apiUrl: '', phoneNumber: null, fallbackUrl: null },
    },
    ...{ clock, metrics, meters },
    logger: loggerOf(logged),
    assembly: () => process.assembly,
    notReady: () => null,
    clockSkewMs: () => 0,
  });
  process.desk.admitBy(health.admission);
  askGauges(
    metrics,
    () => process.assembly,
    () => health,
  );
  health.start();
});

afterEach(() => {
  vi.restoreAllMocks();
  health.stop();
  meters.stop();
});

const isBusy = (answer: Answer): boolean => writeTwiml(answer, place).includes('all lines are busy');

async function warmUp(): Promise<void> {
  await process.begin();
  await rig.clock.advance(warmUpMs + soonMs);
}

async function overload(): Promise<void> {
  lateMs = 70;
  await rig.clock.advance(untilSeenMs + overAfterMs + soonMs);
  expect(health.refusal).toBe('overloaded');
}

const used = async (name: string): Promise<number> =>
  Number(new RegExp(`holdfast_budget_used_ratio{budget="${name}"} (\\S+)`).exec(await metrics.text())?.[1]);

describe('a process past a budget', () => {
  it('is known as such, though for a while it had no descriptor left to read its memory with', async () => {
    const rss = vi.spyOn(memoryUsage, 'rss').mockImplementation(() => {
      throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
    });
    await warmUp();
    expect(await used('memory')).toBe(0);
    rss.mockRestore();
    await overload();
    expect(await used('memory')).toBeGreaterThan(0);
  });

  it('takes no new call: its caller hears that all lines are busy, and the cause is told everywhere', async () => {
    await warmUp();
    expect(health.refusal).toBeNull();
    await overload();
    const answer = await process.answer(callSid(2));
    expect(isBusy(answer)).toBe(true);
    expect(process.assembly.registry.get(callSid(2))).toBeUndefined();
    expect(health.admission.passesOn(callSid(3))).toBe(true);
    expect(standingOf(health)).toEqual({ 'holdfast-admission': 'overloaded' });
    expect(await used('eventLoop')).toBeGreaterThan(70 / 40);
    expect(await metrics.text()).toContain('holdfast_calls_declined_total{cause="overloaded"} 1');
    expect(await metrics.text()).toContain('holdfast_calls_passed_on_total{cause="overloaded"} 1');
    expect(health.budgets.all().find(({ name }) => name === 'eventLoop')).toMatchObject({
      limit: 40,
      measured: expect.closeTo(73, -1),
      exceededSince: expect.any(Number),
    });
    expect(logged.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ level: 'warn', budgets: [expect.objectContaining({ name: 'eventLoop' })] }),
    );
  });

  it('answers for known calls as ever, and takes one that another process had', async () => {
    const other = rig.open('two', { settings });
    await other.begin(callSid(7));
    await warmUp();
    await overload();
    const [, line] = rig.lines;
    line?.drops();
    await rig.settle();
    const again = await process.askNext();
    expect(again).toMatchObject({ do: 'connect', attempt: 2 });
    expect(await process.connect(again)).not.toBeNull();
    other.dies();
    const taken = await process.askNext(callSid(7));
    expect(taken).toMatchObject({ do: 'connect', attempt: 2 });
    expect(await process.connect(taken, callSid(7))).not.toBeNull();
    expect(await process.answer(callSid(7))).toMatchObject({ do: 'connect' });
    expect(health.refusal).toBe('overloaded');
    expect(process.assembly.registry.size).toBe(2);
  });

  it('takes new calls again once it has been well for a while, and no crowd at once', async () => {
    await warmUp();
    await overload();
    lateMs = 0;
    await rig.clock.advance(clearAfterMs - soonMs);
    expect(health.refusal).toBe('overloaded');
    await rig.clock.advance(windowMs + soonMs);
    expect(health.refusal).toBeNull();
    expect(health.budgets.callsCeiling).toBeLessThan(5);
    const crowd = Array.from({ length: 20 }, (_, call) => process.answer(callSid(100 + call)));
    const taken = (await Promise.all(crowd)).filter((answer) => answer.do === 'connect');
    expect(taken.length).toBeGreaterThan(0);
    expect(taken.length).toBeLessThan(5);
    await rig.clock.advance(recoveryMs);
    expect(await process.answer(callSid(2))).toMatchObject({ do: 'connect' });
    expect(logged.map((line) => JSON.parse(line).msg)).toContain('new calls are taken again');
  });

  it('is none while it starts: the calls that come first are taken, however slow it is', async () => {
    lateMs = 500;
    await process.begin();
    await rig.clock.advance(warmUpMs - 2 * soonMs);
    expect(await process.answer(callSid(2))).toMatchObject({ do: 'connect' });
  });

  it('is none because of one pause, however long', async () => {
    await warmUp();
    lateMs = 30_000;
    await rig.clock.advance(20);
    lateMs = 0;
    await rig.clock.advance(60_000);
    expect(logged.filter((line) => line.includes('budget'))).toEqual([]);
  });
});

describe('the budget', () => {
  it('of audio is that of its frames: their wait, and what the bridge takes', async () => {
    await warmUp();
    const watch = new MeteredCalls({} as CallTelemetry, media, metrics);
    for (let second = 0; second < 12; second++) {
      for (let piece = 0; piece < 30; piece++) watch.bridged('caller', 60);
      await rig.clock.advance(1_000);
    }
    expect(health.refusal).toBe('overloaded');
    expect(await used('audio')).toBeGreaterThan(60 / 50);
    expect(await metrics.text()).toContain('holdfast_bridge_seconds_count{direction="caller"} 360');
  });

  it('of quality is that of windows in which audio suffers here, of many calls', async () => {
    await warmUp();
    for (let window = 1; window <= 7; window++) {
      for (let call = 0; call < 10; call++)
        media.measure(`CA${call}`, {
          ...noSound,
          callerFrames: 250 * window,
          underruns: call < 4 ? window : 0,
        });
      await rig.clock.advance(5_000);
    }
    expect(health.refusal).toBe('overloaded');
    expect(await used('quality')).toBeGreaterThan(1);
  });

  it('of quality is not that of the network before us, nor of a few calls', async () => {
    await warmUp();
    for (let window = 1; window <= 7; window++) {
      for (let call = 0; call < 10; call++)
        media.measure(`CA${call}`, { ...noSound, callerFrames: 250 * window, callerGaps: window });
      await rig.clock.advance(5_000);
    }
    expect(await used('quality')).toBe(0);
    for (let window = 1; window <= 7; window++) {
      for (let call = 10; call < 15; call++)
        media.measure(`CA${call}`, { ...noSound, callerFrames: 250 * window, underruns: window });
      await rig.clock.advance(5_000);
    }
    expect(health.refusal).toBeNull();
  });

  const memoryLimitOf = (memory: MemoryBudget | null): number | null | undefined =>
    createBudgets({
      limits: { audioMs: null, eventLoopMs: null, memory, qualityShare: null },
      clock: rig.clock,
      logger: loggerOf([]),
      memoryLimitBytes: 1_000,
      measure: () => ({ audio: null, eventLoop: null, memory: null, quality: null }),
      liveCalls: () => 1,
    })
      .all()
      .find(({ name }) => name === 'memory')?.limit;

  it('of memory is a share of what the process may have, or an amount', () => {
    expect(memoryLimitOf({ share: 0.5 })).toBe(500);
    expect(memoryLimitOf({ bytes: 300 })).toBe(300);
    expect(memoryLimitOf(null)).toBeNull();
  });
});
