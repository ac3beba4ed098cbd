import { describe, expect, it } from 'vitest';
import { holdingSound } from '../../src/media/holding-sound.ts';
import { decodeMulaw, silenceByte } from '../../src/media/mulaw.ts';
import { Rig } from './support/rig.ts';

const soundMs = holdingSound.length / 8;

describe('the holding sound', () => {
  const samples = [...holdingSound].map(decodeMulaw);
  const rootMeanSquare = (values: readonly number[]): number =>
    Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

  /** Share of the energy of `values` that lies at one frequency (Goertzel). */
  function shareAt(hertz: number, values: readonly number[]): number {
    const step = 2 * Math.cos((2 * Math.PI * hertz) / 8_000);
    let [last, beforeLast] = [0, 0];
    for (const value of values) [last, beforeLast] = [value + step * last - beforeLast, last];
    const power = last * last + beforeLast * beforeLast - step * last * beforeLast;
    return (2 * power) / (values.length * values.reduce((sum, value) => sum + value * value, 0));
  }

  it('is short, in whole frames', () => {
    expect(soundMs).toBeGreaterThanOrEqual(600);
    expect(soundMs).toBeLessThanOrEqual(800);
    expect(holdingSound.length % 160).toBe(0);
  });

  it('is soft: 28 dB below the digital milliwatt', () => {
    // ITU-T G.711, table 6: one period of 1 kHz at 0 dBm0.
    const milliwatt = [0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e].map(decodeMulaw);
    const levelDbm0 = 20 * Math.log10(rootMeanSquare(samples) / rootMeanSquare(milliwatt));
    expect(levelDbm0).toBeGreaterThan(-28.2);
    expect(levelDbm0).toBeLessThan(-27.8);
  });

  it('begins and ends at nothing, and jumps nowhere', () => {
    expect([holdingSound[0], holdingSound.at(-1)]).toEqual([silenceByte, silenceByte]);
    for (const edge of [samples.slice(0, 80), samples.slice(-80)]) {
      expect(Math.max(...edge.map(Math.abs))).toBeLessThan(20);
    }
    const steps = samples.map((sample, index) => Math.abs(sample - (samples[index - 1] ?? 0)));
    // The steepest that the higher note is at the largest sample, and a quantization step on either side.
    const steepest = Math.max(...samples) * 2 * Math.sin((Math.PI * 554.37) / 8_000) + 64;
    expect(Math.max(...steps)).toBeLessThanOrEqual(steepest);
  });

  it('is two notes, the lower one first', () => {
    expect(shareAt(440, samples.slice(800, 2_000))).toBeGreaterThan(0.9);
    expect(shareAt(554.37, samples.slice(-2_000, -800))).toBeGreaterThan(0.9);
  });
});

function silent(): Rig {
  const rig = new Rig();
  rig.attachLine();
  return rig;
}

/** A reply of which the model has sent 250 ms and no more; all of it was played. */
function stalledReply(): Rig {
  const rig = silent();
  rig.reply('reply', 'item', 2_000);
  rig.pass(1_500);
  return rig;
}

describe('in a silence', () => {
  it('it is played once for each time it is asked for', () => {
    const rig = silent();
    rig.bridge.playHoldingSound();
    rig.pass(2_000);
    rig.bridge.playHoldingSound();
    rig.pass(2_000);
    expect(Buffer.from(rig.line.heard).equals(Buffer.concat([holdingSound, holdingSound]))).toBe(true);
    expect(rig.bridge.quality().holdingSounds).toBe(2);
  });

  it('it is not played over itself', () => {
    const rig = silent();
    rig.bridge.playHoldingSound();
    rig.pass(soundMs - 1);
    rig.bridge.playHoldingSound();
    expect(rig.line.sent).toEqual([holdingSound.length]);
    rig.pass(1);
    rig.bridge.playHoldingSound();
    expect(rig.line.sent).toHaveLength(2);
  });

  it('it is no reply: nothing is told, marked or measured', () => {
    const rig = silent();
    const before = rig.bridge.quality();
    rig.bridge.playHoldingSound();
    expect(rig.bridge.quality()).toEqual({ ...before, holdingSounds: 1 });
    expect(rig.bridge.heardItems()).toEqual([]);
    rig.pass(5_000);
    expect(rig.told.filter(({ told }) => told !== 'starved')).toEqual([]);
    expect(rig.line.marks).toEqual([]);
  });

  it('it sets no timer', () => {
    const rig = silent();
    const { timersSet } = rig.clock;
    rig.bridge.playHoldingSound();
    expect(rig.clock.timersSet).toBe(timersSet);
  });
});

describe('it is not played', () => {
  const nothingMore = (rig: Rig, act: () => void): void => {
    const { length } = rig.line.sent;
    act();
    rig.bridge.playHoldingSound();
    expect(rig.line.sent).toHaveLength(length);
    expect(rig.bridge.quality().holdingSounds).toBe(0);
  };

  it('without a line', () => {
    const rig = silent();
    nothingMore(rig, () => rig.bridge.detachLine());
    new Rig().bridge.playHoldingSound();
  });

  it('while a reply is played, up to its last millisecond', () => {
    const rig = silent();
    rig.reply('reply', 'item', 800);
    nothingMore(rig, () => rig.pass(99));
    rig.pass(1);
    rig.bridge.playHoldingSound();
    expect(rig.bridge.quality().holdingSounds).toBe(1);
  });

  it('while the line has not said that it played all', () => {
    const rig = silent();
    rig.line.echoesMarks = false;
    rig.reply('reply', 'item', 1_600);
    nothingMore(rig, () => rig.pass(3_000));
    rig.bridge.markEchoed('1:1600');
    rig.bridge.playHoldingSound();
    expect(rig.bridge.quality().holdingSounds).toBe(1);
  });

  it('to a line that takes no more, nor while a reply waits for it', () => {
    const rig = silent();
    nothingMore(rig, () => {
      rig.line.isStalled = true;
    });
    rig.reply('reply', 'item', 800);
    nothingMore(rig, () => {
      rig.line.isStalled = false;
    });
  });

  it('after the call', () => {
    const rig = silent();
    nothingMore(rig, () => rig.bridge.close());
  });
});

describe('a reply that follows', () => {
  it('is heard at once: what is left of the sound is flushed first', () => {
    const rig = silent();
    rig.bridge.playHoldingSound();
    rig.pass(300);
    rig.reply('reply', 'item', 1_600, 1);
    rig.pass(200);
    expect(rig.line.clears).toBe(1);
    expect(rig.line.heard).toHaveLength(2_400 + 1_600);
    expect(rig.line.heardBytesOf(1)).toBe(1_600);
    expect(rig.bridge.heardItems()[0]?.playedMs).toBe(200);
  });

  it('flushes once, and only what may be left', () => {
    const rig = silent();
    rig.bridge.playHoldingSound();
    rig.pass(soundMs);
    rig.reply('reply', 'item', 8_000);
    rig.reply('reply', 'item', 8_000);
    expect(rig.line.clears).toBe(0);
    rig.pass(2_000);
    rig.bridge.playHoldingSound();
    rig.pass(100);
    rig.reply('reply', 'item', 8_000);
    rig.reply('reply', 'item', 8_000);
    expect(rig.line.clears).toBe(1);
  });

  it('is not flushed with the sound, however small its pieces', () => {
    const rig = silent();
    rig.bridge.playHoldingSound();
    for (let count = 0; count < 4; count++) rig.reply('reply', 'item', 160, 1);
    rig.pass(80);
    expect(rig.line.heardBytesOf(1)).toBe(640);
  });

  it('flushes also where it had to wait for room', () => {
    const rig = silent();
    rig.bridge.playHoldingSound();
    rig.line.isStalled = true;
    rig.reply('reply', 'item', 1_600, 1);
    expect(rig.line.clears).toBe(0);
    rig.line.isStalled = false;
    rig.speak(Buffer.alloc(160));
    rig.pass(200);
    expect(rig.line.clears).toBe(1);
    expect(rig.line.heardBytesOf(1)).toBe(1_600);
  });

  it('is told and measured as if there had been no sound', () => {
    const rig = silent();
    rig.bridge.playHoldingSound();
    rig.pass(300);
    rig.reply('reply', 'item', 1_600);
    expect(rig.bridge.quality().playbackQueueMs).toBe(200);
    rig.bridge.replyEnded('reply');
    rig.pass(500);
    expect(rig.told.map(({ told }) => told)).toEqual(['voiced', 'progressed', 'played']);
    expect(rig.bridge.quality()).toMatchObject({
      agentFrames: 1,
      agentBytes: 1_600,
      underruns: 0,
      marksIgnored: 0,
      markRoundTripLongestMs: 0,
    });
  });

  it('does not flush where it may not be heard', () => {
    const rig = silent();
    rig.bridge.interrupt('reply');
    rig.bridge.playHoldingSound();
    rig.reply('reply', 'item', 1_600);
    rig.pass(soundMs);
    expect(rig.line.clears).toBe(1);
    expect(rig.line.heard).toHaveLength(holdingSound.length);
  });
});

describe('in the middle of a reply whose audio does not come', () => {
  it('it is played, and the reply goes on at once and whole', () => {
    const rig = stalledReply();
    rig.bridge.playHoldingSound();
    expect(rig.bridge.quality().holdingSounds).toBe(1);
    rig.pass(100);
    rig.reply('reply', 'item', 2_000);
    rig.bridge.replyEnded('reply');
    rig.pass(250);
    expect(rig.line.clears).toBe(1);
    expect(rig.line.heardBytesOf(1)).toBe(4_000);
    expect(rig.toldOf('progressed').at(-1)?.heard).toEqual({ receivedMs: 500, playedMs: 500 });
    expect(rig.toldOf('played')).toHaveLength(1);
  });

  it('the line ran dry from the end of the reply to its next piece, whatever was played meanwhile', () => {
    const rig = stalledReply();
    rig.bridge.playHoldingSound();
    rig.pass(1_000);
    rig.reply('reply', 'item', 2_000);
    expect(rig.bridge.quality()).toMatchObject({ underruns: 1, underrunMs: 2_250 });
  });

  it('a line that lags behind the schedule loses nothing of the reply', () => {
    const rig = silent();
    rig.reply('reply', 'item', 2_000);
    rig.pass(200);
    rig.clock.advance(1_300);
    rig.bridge.playHoldingSound();
    rig.reply('reply', 'item', 2_000);
    expect(rig.line.clears).toBe(0);
    rig.pass(2_000);
    expect(rig.line.heardBytesOf(1)).toBe(4_000);
    expect(rig.bridge.heardItems()[0]?.playedMs).toBe(500);
  });

  it('an end of the reply that comes late still has its mark in time', () => {
    const rig = stalledReply();
    rig.bridge.playHoldingSound();
    rig.pass(1);
    rig.bridge.replyEnded('reply');
    expect(rig.toldOf('played')).toHaveLength(1);
  });

  it('a word of the last mark that changes the line ends it', () => {
    const rig = stalledReply();
    rig.react = ({ told }) => {
      if (told === 'progressed') rig.bridge.detachLine();
    };
    const { line } = rig;
    line.sendMark = (name) => rig.bridge.markEchoed(name);
    rig.bridge.playHoldingSound();
    expect(rig.bridge.quality().holdingSounds).toBe(0);
    expect(line.sent.at(-1)).toBe(400);
  });
});

describe('it ends with', () => {
  it('an interruption', () => {
    const rig = silent();
    rig.bridge.playHoldingSound();
    rig.pass(100);
    expect(rig.bridge.interrupt()).toEqual([]);
    rig.reply('reply', 'item', 1_600, 1);
    rig.pass(1_000);
    expect(rig.line.clears).toBe(1);
    expect(rig.line.heard).toHaveLength(800 + 1_600);
  });

  it('its line: the next one has nothing to flush, and may have its own', () => {
    const rig = silent();
    rig.bridge.playHoldingSound();
    rig.bridge.detachLine();
    rig.attachLine();
    rig.reply('reply', 'item', 1_600);
    expect(rig.line.clears).toBe(0);
    rig.attachLine();
    rig.bridge.playHoldingSound();
    expect(rig.line.sent).toEqual([holdingSound.length]);
  });
});
