import { readdirSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeMulaw } from '../../../src/media/mulaw.ts';
import { isAudible } from '../../../src/twin/caller/hearing.ts';
import { findClip, listSpeech } from '../../../src/twin/caller/speech.ts';
import { cutClip } from '../../../src/twin/caller/voice.ts';

const folder = new URL('../../../src/twin/caller/speech/', import.meta.url);

/** Power of one frequency (Goertzel), relative to the whole. */
function shareOf(samples: number[], fromHz: number, toHz: number): number {
  let inBand = 0;
  let all = 0;
  for (let hz = 50; hz < 4_000; hz += 50) {
    const power = powerAt(samples, hz);
    all += power;
    if (hz >= fromHz && hz <= toHz) inBand += power;
  }
  return inBand / all;
}

function powerAt(samples: number[], hz: number): number {
  const factor = 2 * Math.cos((2 * Math.PI * hz) / 8_000);
  let before = 0;
  let last = 0;
  for (const sample of samples) [before, last] = [last, sample + factor * last - before];
  return before * before + last * last - factor * before * last;
}

describe('the speech of the callers', () => {
  it('is the conversation with the front desk of a bicycle repair shop', () => {
    expect(listSpeech().map(({ name, text }) => [name, text])).toEqual([
      ['bike-ready', "Hi, I'd like to know if my bike is ready. The repair number is four seven one two."],
      ['how-much', 'Sorry, one moment. How much does it cost?'],
      ['closing-time', 'Great. What time do you close today?'],
      ['goodbye', 'Thank you, that is all. Goodbye.'],
      ['yes-please', 'Yes please.'],
    ]);
  });

  it('lasts as long as its index says, in frames of 20 ms', () => {
    for (const { name, durationMs } of listSpeech()) {
      const clip = findClip(name);
      expect(clip.name).toBe(name);
      expect(clip.durationMs).toBe(durationMs);
      expect(clip.frames.every(({ bytes, payload }) => bytes.length === 160 && payload.length === 216)).toBe(
        true,
      );
    }
  });

  it('is loud enough to hear, within the band of a telephone, and never digitally silent', () => {
    for (const { name } of listSpeech()) {
      const { frames } = findClip(name);
      expect(frames.filter(({ bytes }) => isAudible(bytes)).length / frames.length).toBeGreaterThan(0.5);
      expect(frames.every(({ bytes }) => bytes.some((byte) => byte !== 0xff && byte !== 0x7f))).toBe(true);
      const samples = frames.slice(10, 60).flatMap(({ bytes }) => [...bytes].map(decodeMulaw));
      expect(shareOf(samples, 300, 3_400)).toBeGreaterThan(0.9);
    }
  });

  it('is small: 300 kB all together', () => {
    const files = readdirSync(folder).map((name) => statSync(new URL(name, folder)).size);
    expect(files.reduce((sum, size) => sum + size, 0)).toBeLessThan(300_000);
  });

  it('is cut once, whoever says it', () => {
    expect(findClip('goodbye')).toBe(findClip('goodbye'));
    const bytes = new Uint8Array(200).fill(1);
    expect(findClip(bytes)).toBe(findClip(bytes));
    expect(findClip(bytes).frames).toHaveLength(2);
    expect([...(findClip(bytes).frames[1]?.bytes ?? [])]).toEqual([
      ...Array(40).fill(1),
      ...Array(120).fill(0xff),
    ]);
    expect(cutClip('none', new Uint8Array(0)).durationMs).toBe(0);
  });

  it('names what there is when asked for what there is not', () => {
    expect(() => findClip('farewell')).toThrow('There is no speech "farewell": bike-ready, how-much');
  });
});
