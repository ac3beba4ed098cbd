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
    // Both windows were as loud: it is told once.
    expect(told).toHaveLength(1);
    expect(told.at(-1)).toMatchObject({ windowMs: 100, agent: 0 });
    expect(told.at(-1)?.caller).toBeCloseTo(level, 2);
    const later: SoundView[] = [];
    const stopLater = sounds.watch(callSid(), (sound) => later.push(sound));
    expect(later).toEqual(told);
    one.model.session.says('reply', 'Yes.', 1_000);
    for (let frame = 0; frame < 10; frame++) {
      line.brings(20, byte);
      await rig.clock.advance(20);
    }
    expect(told).toHaveLength(2);
    expect(told.at(-1)?.agent).toBeGreaterThan(0);
    // The line falls silent: its last frame is not told for ever.
    await rig.clock.advance(soundEveryMs);
    expect(told.at(-1)).toMatchObject({ caller: 0 });
    line.drops();
    await rig.clock.advance(soundEveryMs);
    expect(told.at(-1)).toMatchObject({ caller: 0, agent: 0 });
    stop();
    stopLater();
  });

  it('is asked for only while somebody watches, and once for all of them', async () => {
    await one.begin();
    await rig.clock.advance(1_000);
    expect(asked).toBe(0);
    const stops = [vi.fn(), vi.fn()].map((listener) => sounds.watch(callSid(), listener));
    await rig.clock.advance(5 * soundEveryMs);
    expect(asked).toBe(5);
    stops[0]?.();
    await rig.clock.advance(soundEveryMs);
    expect(asked).toBe(6);
    stops[1]?.();
    await rig.clock.advance(5 * soundEveryMs);
    expect(asked).toBe(6);
    sounds.watch(callSid(), vi.fn());
    sounds.stop();
    await rig.clock.advance(5 * soundEveryMs);
    expect(asked).toBe(6);
  });

  it('is silence while the call is elsewhere, and leaves no timer', async () => {
    const told: SoundView[] = [];
    sounds.watch(callSid(), vi.fn())();
    expect(rig.clock.pendingTimers).toBe(0);
    sounds.watch(callSid(), (sound) => told.push(sound));
    await rig.clock.advance(5 * soundEveryMs);
    expect(told).toMatchObject([{ caller: 0, agent: 0 }]);
    const { line } = await one.begin();
    line.brings(200, byte);
    await rig.clock.advance(soundEveryMs);
    expect(told.at(-1)?.caller).toBeGreaterThan(0);
  });
});
