import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeMulaw } from '../../../src/media/mulaw.ts';
import { decodeAlaw, encodeAlaw } from '../../../src/twin/openai/audio/alaw.ts';
import { SegmentCache } from '../../../src/twin/openai/audio/segment-cache.ts';
import { readSegments, renderSegment, type SegmentSound } from '../../../src/twin/openai/segments.ts';

const mulaw = { type: 'audio/pcmu' } as const;
const sound = { reply: 3, segment: 1, lengthMs: 400 };

const framesUpTo = (count: number): number[] => Array.from({ length: count }, (_, frame) => frame);

const anySound: fc.Arbitrary<SegmentSound> = fc.record({
  reply: fc.integer({ min: 0, max: 4_095 }),
  segment: fc.integer({ min: 0, max: 511 }),
  lengthMs: fc.integer({ min: 1, max: 600 }),
});

/** Silence put in at random places, byte by byte. */
const withSilence = (audio: Uint8Array, places: readonly number[]): Uint8Array => {
  const bytes = [...audio];
  for (const place of places) bytes.splice(place % (bytes.length + 1), 0, place % 2 === 0 ? 0xff : 0x7f);
  return Uint8Array.from(bytes);
};

describe('the sound of a segment', () => {
  test('takes whole frames of 20 ms', () => {
    expect(renderSegment({ ...sound, lengthMs: 401 }, mulaw).byteLength).toBe(21 * 160);
    expect(renderSegment({ ...sound, lengthMs: 0 }, mulaw).byteLength).toBe(160);
    expect(renderSegment(sound, { type: 'audio/pcm', rate: 24_000 }).byteLength).toBe(400 * 48);
    expect(renderSegment(sound, { type: 'audio/pcma' }).byteLength).toBe(400 * 8);
  });

  test('holds no byte of silence', () => {
    const audio = renderSegment({ reply: 4_095, segment: 511, lengthMs: 2_000 }, mulaw);
    expect(audio.some((byte) => (byte & 0x7f) === 0x7f)).toBe(false);
  });

  test('is soft, and its stamps are softer', () => {
    const samples = [...renderSegment(sound, mulaw)].map((byte) => Math.abs(decodeMulaw(byte)));
    expect(Math.max(...samples)).toBeLessThan(2_700);
    expect(Math.max(...samples.slice(0, 16))).toBeLessThan(125);
  });

  test('is the same melody in every format', () => {
    const linear = renderSegment(sound, { type: 'audio/pcm', rate: 24_000 });
    const narrow = renderSegment(sound, { type: 'audio/pcma' });
    const view = new DataView(linear.buffer);
    const place = 3 * 160 + 50;
    expect(decodeAlaw(narrow[place]!) / view.getInt16(place * 6, true)).toBeCloseTo(1, 1);
  });

  test('refuses numbers that no stamp can carry', () => {
    for (const wrong of [{ reply: 4_096 }, { segment: -1 }, { reply: 0.5 }, { lengthMs: 100_000 }]) {
      expect(() => renderSegment({ ...sound, ...wrong }, mulaw)).toThrow(RangeError);
    }
  });
});

describe('a recording of what was heard', () => {
  test('is read back segment by segment', () => {
    const heard = Buffer.concat([
      renderSegment({ reply: 0, segment: 0, lengthMs: 60 }, mulaw),
      renderSegment({ reply: 0, segment: 1, lengthMs: 40 }, mulaw),
      renderSegment({ reply: 7, segment: 0, lengthMs: 20 }, mulaw),
    ]);
    expect(readSegments(heard)).toEqual([
      { reply: 0, segment: 0, frames: [0, 1, 2], audioBytes: 480 },
      { reply: 0, segment: 1, frames: [0, 1], audioBytes: 320 },
      { reply: 7, segment: 0, frames: [0], audioBytes: 160 },
    ]);
  });

  test('shows what was heard twice and what is missing', () => {
    const audio = renderSegment({ ...sound, lengthMs: 100 }, mulaw);
    const heard = Buffer.concat([audio.subarray(0, 320), audio.subarray(160, 320), audio.subarray(480)]);
    expect(readSegments(heard)[0]?.frames).toEqual([0, 1, 1, 3, 4]);
  });

  test('shows how much of a frame that was cut short came', () => {
    const audio = renderSegment({ ...sound, lengthMs: 40 }, mulaw);
    expect(readSegments(audio.subarray(0, 200))).toEqual([
      { reply: 3, segment: 1, frames: [0, 1], audioBytes: 200 },
    ]);
    expect(readSegments(audio.subarray(0, 170))[0]?.frames).toEqual([0]);
  });

  test('passes over sound of another origin', () => {
    const noise = Uint8Array.from({ length: 500 }, (_, index) => (index * 37) % 256);
    const audio = renderSegment({ ...sound, lengthMs: 20 }, mulaw);
    expect(readSegments(Buffer.concat([noise, audio, noise]))).toEqual([
      { reply: 3, segment: 1, frames: [0], audioBytes: 160 },
    ]);
    expect(readSegments(noise)).toEqual([]);
  });

  test('passes over a stamp that was damaged', () => {
    const audio = Uint8Array.from(renderSegment({ ...sound, lengthMs: 40 }, mulaw));
    audio[10] = audio[10] === 0xf0 ? 0xf2 : 0xf0;
    audio[165] = 0x33;
    expect(readSegments(audio)).toEqual([]);
  });

  test('gives the same whatever silence was put in, wherever', () => {
    fc.assert(
      fc.property(
        fc.array(anySound, { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(20_000), { maxLength: 60 }),
        (sounds, places) => {
          const audio = Buffer.concat(sounds.map((one) => renderSegment(one, mulaw)));
          const heard = readSegments(withSilence(audio, places));
          expect(heard).toEqual(readSegments(audio));
          expect(heard.reduce((sum, { audioBytes }) => sum + audioBytes, 0)).toBe(audio.byteLength);
          expect(heard.flatMap(({ frames }) => frames)).toEqual(
            sounds.flatMap(({ lengthMs }) => framesUpTo(Math.ceil(lengthMs / 20))),
          );
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('the cache of sounds', () => {
  test('renders a sound once', () => {
    const cache = new SegmentCache();
    expect(cache.render(sound, mulaw)).toBe(cache.render({ ...sound }, mulaw));
    expect(cache.render(sound, { type: 'audio/pcma' })).not.toBe(cache.render(sound, mulaw));
  });

  test('drops what was used longest ago when it is full', () => {
    const cache = new SegmentCache(2 * 3_200);
    const [first, second, third] = [0, 1, 2].map((segment) => ({ ...sound, segment }));
    const kept = cache.render(first!, mulaw);
    const dropped = cache.render(second!, mulaw);
    cache.render(first!, mulaw);
    cache.render(third!, mulaw);
    expect(cache.keptBytes).toBe(2 * 3_200);
    expect(cache.render(first!, mulaw)).toBe(kept);
    expect(cache.render(second!, mulaw)).not.toBe(dropped);
  });
});

describe('A-law', () => {
  test('comes back to its own byte from every sample that it decodes to', () => {
    for (let byte = 0; byte < 256; byte += 1) expect(encodeAlaw(decodeAlaw(byte))).toBe(byte);
  });

  test('is within one step of every sample', () => {
    for (let sample = -32_768; sample <= 32_767; sample += 7) {
      const error = Math.abs(decodeAlaw(encodeAlaw(sample)) - sample);
      expect(error).toBeLessThanOrEqual(Math.max(16, Math.abs(sample) / 16));
    }
  });

  test('writes silence as G.711 does', () => {
    expect(encodeAlaw(0)).toBe(0xd5);
  });
});
