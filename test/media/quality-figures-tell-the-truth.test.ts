import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ArrivalMeter } from '../../src/media/arrival-meter.ts';
import { DurationHistogram } from '../../src/media/duration-histogram.ts';
import { LevelMeter } from '../../src/media/level-meter.ts';
import { encodeMulaw } from '../../src/media/mulaw.ts';
import { Rig } from './support/rig.ts';

const frame = Buffer.alloc(160, 0xff);

/** `count` samples of a sine at `hertz`, with `amplitude` of 1 at full scale. */
function tone(hertz: number, amplitude: number, count: number): Buffer {
  const sample = (index: number) => amplitude * 32_000 * Math.sin((2 * Math.PI * hertz * index) / 8_000);
  return Buffer.from(Uint8Array.from({ length: count }, (_, index) => encodeMulaw(sample(index))));
}

test('frames on the grid have no gap, and no jitter when they arrive on time', () => {
  const meter = new ArrivalMeter();
  for (let count = 0; count < 100; count++) meter.note(1_000 + count * 20, 155 + count * 20, 160);
  expect(meter).toMatchObject({ frames: 100, gaps: 0, gapMs: 0, jitterMs: 0, longestSilenceMs: 20 });
});

test('a step in the timestamps beyond the audio is a gap of its size, rounding is none', () => {
  const meter = new ArrivalMeter();
  for (const [index, timestampMs] of [100, 121, 140, 200, 220].entries()) {
    meter.note(index * 20, timestampMs, 160);
  }
  expect(meter).toMatchObject({ gaps: 1, gapMs: 40 });
});

test('large frames are no gaps', () => {
  const meter = new ArrivalMeter();
  for (let count = 0; count < 10; count++) meter.note(count * 100, count * 100, 800);
  expect(meter.gaps).toBe(0);
});

/** Frames whose times of arrival are more than 5 ms apart: no two come at once. */
const arrivalStepsMs = fc.array(fc.integer({ min: 6, max: 240 }), { minLength: 2, maxLength: 50 });

const jitterOf = (stepsMs: readonly number[]): number =>
  stepsMs.slice(1).reduce((jitterMs, stepMs) => jitterMs + (Math.abs(stepMs - 20) - jitterMs) / 16, 0);

test('jitter is the estimator of RFC 3550', () => {
  fc.assert(
    fc.property(arrivalStepsMs, (stepsMs) => {
      const meter = new ArrivalMeter();
      let arrivedMs = 0;
      for (const [index, stepMs] of stepsMs.entries()) {
        arrivedMs += stepMs;
        meter.note(arrivedMs, index * 20, 160);
      }
      expect(meter.jitterMs).toBeCloseTo(jitterOf(stepsMs), 9);
    }),
  );
});

test('frames that are read in pairs have the jitter of their second ones', () => {
  fc.assert(
    fc.property(arrivalStepsMs, (stepsMs) => {
      const inPairs = new ArrivalMeter();
      const alone = new ArrivalMeter();
      let arrivedMs = 0;
      for (const [index, stepMs] of stepsMs.entries()) {
        arrivedMs += stepMs;
        inPairs.note(arrivedMs, index * 40, 160);
        inPairs.note(arrivedMs + 0.1, index * 40 + 20, 160);
        alone.note(arrivedMs + 0.1, index * 40 + 20, 160);
      }
      expect(inPairs.jitterMs).toBeCloseTo(alone.jitterMs, 9);
      expect(inPairs).toMatchObject({ frames: stepsMs.length * 2, gaps: 0 });
    }),
  );
});

test('of three or more frames that come at once the first tells how late they were', () => {
  const meter = new ArrivalMeter();
  meter.note(0, 0, 160);
  for (const timestampMs of [20, 40, 60]) meter.note(180, timestampMs, 160);
  expect(meter.jitterMs).toBe((180 - 20) / 16);
});

test('a burst after a pause leaves the longest silence and jitter, and no gap', () => {
  const meter = new ArrivalMeter();
  for (let count = 0; count < 10; count++) meter.note(233, count * 20, 160);
  meter.note(466, 200, 160);
  expect(meter.longestSilenceMs).toBe(233);
  expect(meter.gaps).toBe(0);
  expect(meter.jitterMs).toBeGreaterThan(0);
});

test('timestamps that cannot be believed disturb nothing but themselves', () => {
  const meter = new ArrivalMeter();
  for (const timestampMs of [0, 20, Number.NaN, 1e300, 60, 80, -80]) meter.note(0, timestampMs, 160);
  expect(meter.gaps).toBe(0);
  expect(Number.isFinite(meter.jitterMs)).toBe(true);
});

test('a new line is not compared with the last one', () => {
  const rig = new Rig();
  for (const timestampMs of [50_000, 100]) {
    rig.attachLine();
    rig.pass(1_000);
    rig.bridge.callerAudio(frame, timestampMs);
    rig.pass(20);
    rig.bridge.callerAudio(frame, timestampMs + 20);
  }
  expect(rig.bridge.quality()).toMatchObject({
    callerFrames: 4,
    callerGaps: 0,
    callerJitterMs: 0,
    longestSilenceMs: 20,
  });
});

test('a line that runs dry inside a reply has an underrun; the silence between replies is none', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.reply('one', 'one', 800);
  rig.pass(150);
  rig.reply('one', 'one', 800);
  rig.bridge.replyEnded('one');
  rig.pass(5_000);
  rig.reply('two', 'two', 800);
  expect(rig.bridge.quality()).toMatchObject({
    underruns: 1,
    underrunMs: 50,
    agentFrames: 3,
    agentBytes: 2_400,
  });
});

test('a flush or a new line is no underrun', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.reply('one', 'one', 1_600);
  rig.bridge.interrupt();
  rig.pass(500);
  rig.reply('two', 'two', 1_600);
  rig.bridge.replyItemEnded('two');
  rig.pass(1_000);
  rig.attachLine();
  rig.reply('two', 'three', 1_600);
  expect(rig.bridge.quality().underruns).toBe(0);
});

test('the round trip of a mark is what its echo takes beyond the playing', () => {
  const rig = new Rig();
  const line = rig.attachLine();
  line.echoesMarks = false;
  rig.reply('reply', 'item', 3_200);
  rig.pass(235);
  rig.bridge.markEchoed('1:1600');
  rig.pass(295);
  rig.bridge.markEchoed('1:3200');
  expect(rig.bridge.quality()).toMatchObject({
    marksSent: 2,
    markRoundTrips: 2,
    markRoundTripMedianMs: 50,
    markRoundTripLongestMs: 130,
  });
});

test('an echo that comes before its time counts as immediate', () => {
  const rig = new Rig();
  rig.attachLine();
  rig.reply('reply', 'item', 1_600);
  rig.bridge.markEchoed('1:1600');
  expect(rig.bridge.quality()).toMatchObject({ markRoundTrips: 1, markRoundTripLongestMs: 0 });
});

test('the playing queue is what was sent and should not have been played', () => {
  const rig = new Rig();
  expect(rig.bridge.quality().playbackQueueMs).toBe(0);
  rig.attachLine();
  rig.reply('reply', 'item', 8_000);
  rig.pass(300);
  expect(rig.bridge.quality().playbackQueueMs).toBe(700);
  rig.pass(1_000);
  expect(rig.bridge.quality().playbackQueueMs).toBe(0);
});

test('a tone has the level of its root mean square on either side, silence has none', () => {
  for (const hertz of [250, 440, 1_000]) {
    const rig = new Rig();
    rig.attachLine();
    const audio = tone(hertz, 0.5, 1_600);
    for (let from = 0; from < audio.length; from += 160) rig.speak(audio.subarray(from, from + 160));
    rig.bridge.replyAudio('reply', 'item', audio);
    const expected = (0.5 * 32_000) / 32_768 / Math.SQRT2;
    expect(rig.bridge.quality().callerLevel).toBeCloseTo(expected, 1);
    expect(rig.bridge.quality().agentLevel).toBeCloseTo(expected, 1);
    for (let count = 0; count < 10; count++) rig.speak(frame);
    rig.pass(300);
    expect(rig.bridge.quality().callerLevel).toBe(0);
    expect(rig.bridge.quality().agentLevel).toBe(0);
  }
});

test('a level is told only for a whole window, of which every seventh sample is taken', () => {
  const meter = new LevelMeter();
  meter.addFrom(Buffer.alloc(790, 0x80));
  expect(meter.level).toBe(0);
  meter.addFrom(Buffer.alloc(1, 0x80));
  expect(meter.level).toBeCloseTo(32_124 / 32_768, 5);
});

test('the median is the upper bound of its class, at most the longest value', () => {
  const histogram = new DurationHistogram();
  expect([histogram.medianMs, histogram.longestMs, histogram.count]).toEqual([0, 0, 0]);
  histogram.record(12);
  expect(histogram.medianMs).toBe(12);
  for (const durationMs of [12, 14, 40, 9_000]) histogram.record(durationMs);
  expect([histogram.medianMs, histogram.longestMs, histogram.count]).toEqual([20, 9_000, 5]);
  for (let count = 0; count < 10; count++) histogram.record(7_000);
  expect(histogram.medianMs).toBe(9_000);
});
