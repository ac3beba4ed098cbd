/** How loud a call is, is told while somebody watches, and costs nothing otherwise. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { decodeMulaw } from '../../../src/media/mulaw.ts';
import type { SoundView } from '../../../src/runtime/ports/operator.ts';
import { Sounds, soundEveryMs } from '../../../src/service/console/sounds.ts';
import { callSid, type Process, Rig } from '../rig.ts';

let rig: Rig;
let one: Process;
let sounds: Sounds;
let asked: number;
beforeEach(() => {
  rig = new Rig();
  one = rig.open();
  asked = 0;
  sounds = new Sounds({
    clock: rig.clock,
    figuresOf: (callId) => {
      asked += 1;
      const parts = one.assembly.live.get(callId);
      return parts && parts.openLines > 0 ? parts.bridge.quality() : null;
    },
  });
});

/** A sample of the caller's and its level. */
const byte = 0x2a;
const level = Math.abs(decodeMulaw(byte)) / 0x8000;

describe('the sound of a live call', () => {
  it('is as loud as what the caller and the agent send, and silent where nothing comes', async () => {
    const { line } = await one.begin();
    const told: SoundView[] = [];
    const stop = sounds.watch(callSid(), (sound) => told.push(sound));
    for (let frame = 0; frame < 20; frame++) {
      line.brings(20, byte);
      await rig.clock.advance(20);
    }
    expect(told).toHaveLength(2);
    expect(told.at(-1)).toMatchObject({ windowMs: 100, agent: 0 });
    expect(told.at(-1)?.caller).toBeCloseTo(level, 5);
    expect(told[1]!.at - told[0]!.at).toBe(soundEveryMs);
    // The line falls silent: its last frame is not told for ever.
    await rig.clock.advance(2 * soundEveryMs);
    expect(told.at(-1)).toMatchObject({ caller: 0 });
    stop();
  });

  it('is asked for only while somebody watches, and once for all of them', async () => {
    await one.begin();
    const timers = rig.clock.pendingTimers;
    await rig.clock.advance(1_000);
    expect(asked).toBe(0);
    const listeners = [vi.fn(), vi.fn()];
    const stops = listeners.map((listener) => sounds.watch(callSid(), listener));
    await rig.clock.advance(5 * soundEveryMs);
    expect(asked).toBe(5);
    for (const listener of listeners) expect(listener).toHaveBeenCalledTimes(5);
    stops[0]?.();
    await rig.clock.advance(soundEveryMs);
    expect(listeners[0]).toHaveBeenCalledTimes(5);
    expect(listeners[1]).toHaveBeenCalledTimes(6);
    stops[1]?.();
    await rig.clock.advance(5 * soundEveryMs);
    expect(asked).toBe(6);
    expect(rig.clock.pendingTimers).toBeLessThanOrEqual(timers);
  });

  it('is not told of a call that is elsewhere, and is once it comes here', async () => {
    const listener = vi.fn();
    sounds.watch(callSid(), listener);
    await rig.clock.advance(2 * soundEveryMs);
    expect(listener).not.toHaveBeenCalled();
    await one.begin();
    await rig.clock.advance(soundEveryMs);
    expect(listener).toHaveBeenCalled();
    const { calls } = listener.mock;
    const before = calls.length;
    sounds.stop();
    await rig.clock.advance(5 * soundEveryMs);
    expect(calls.length).toBe(before);
  });
});
