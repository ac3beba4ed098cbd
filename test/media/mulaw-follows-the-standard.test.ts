import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  bytesPerMs,
  decodeMulaw,
  encodeMulaw,
  frameBytes,
  rootMeanSquareAt,
  silenceByte,
} from '../../src/media/mulaw.ts';

/** ITU-T G.711 table 2a: code without sign, decoder output on the 14-bit scale, decision values around it. */
const goldenValues = [
  { byte: 0xff, output: 0, from: 0, to: 1 },
  { byte: 0xfe, output: 2, from: 1, to: 3 },
  { byte: 0xf0, output: 30, from: 29, to: 31 },
  { byte: 0xef, output: 33, from: 31, to: 35 },
  { byte: 0xdf, output: 99, from: 95, to: 103 },
  { byte: 0xcf, output: 231, from: 223, to: 239 },
  { byte: 0xbf, output: 495, from: 479, to: 511 },
  { byte: 0xaf, output: 1023, from: 991, to: 1055 },
  { byte: 0x9f, output: 2079, from: 2015, to: 2143 },
  { byte: 0x8f, output: 4191, from: 4063, to: 4319 },
  { byte: 0x80, output: 8031, from: 7903, to: 8159 },
];

/** The standard is written for 14-bit values, we carry 16 bits. */
const scale = 4;

const magnitude = fc.integer({ min: 0, max: 0x7fff });

test('every golden code of the standard decodes to its output value, with either sign', () => {
  for (const { byte, output } of goldenValues) {
    expect(decodeMulaw(byte)).toBe(output * scale);
    expect(decodeMulaw(byte & 0x7f) + output * scale).toBe(0);
  }
});

test('every magnitude between two decision values of the standard gets the code between them', () => {
  for (const { byte, from, to } of goldenValues) {
    expect(encodeMulaw(from * scale)).toBe(byte);
    expect(encodeMulaw(to * scale - 1)).toBe(byte);
    expect(encodeMulaw(1 - to * scale)).toBe(byte & 0x7f);
  }
});

test('a magnitude beyond the last decision value is clipped to the loudest code', () => {
  for (const sample of [32_636, 32_767, 40_000]) {
    expect(encodeMulaw(sample)).toBe(0x80);
    expect(encodeMulaw(-sample - 1)).toBe(0x00);
  }
});

test('every byte comes back from its own sample, except negative zero, which becomes silence', () => {
  for (let byte = 0; byte <= 0xff; byte++) {
    expect(encodeMulaw(decodeMulaw(byte))).toBe(byte === 0x7f ? silenceByte : byte);
  }
});

test('a sample comes back within half a step of its segment', () => {
  fc.assert(
    fc.property(magnitude, fc.boolean(), (loudness, negative) => {
      const sample = negative ? -loudness : loudness;
      const clipped = Math.min(loudness, 32_635);
      const segment = Math.floor(Math.log2((clipped + 132) / 128));
      const halfStep = 2 ** (segment + 2);
      expect(Math.abs(decodeMulaw(encodeMulaw(sample)) - sample)).toBeLessThanOrEqual(
        halfStep + (loudness - clipped),
      );
    }),
  );
});

test('louder samples never decode quieter', () => {
  fc.assert(
    fc.property(magnitude, magnitude, (one, other) => {
      const [quieter, louder] = one < other ? [one, other] : [other, one];
      expect(decodeMulaw(encodeMulaw(quieter))).toBeLessThanOrEqual(decodeMulaw(encodeMulaw(louder)));
    }),
  );
});

test('silence decodes to zero, and a frame is 20 ms', () => {
  expect(decodeMulaw(silenceByte)).toBe(0);
  expect(encodeMulaw(0)).toBe(silenceByte);
  expect(frameBytes / bytesPerMs).toBe(20);
});

test('only the lowest eight bits of a byte count', () => {
  expect(decodeMulaw(0x1ff)).toBe(0);
  expect(decodeMulaw(-1)).toBe(0);
});

test('the digital milliwatt has 0 dBm0, the largest sine 3.17 dBm0', () => {
  // ITU-T G.711, table 6: one period of 1 kHz.
  const milliwatt = [0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e].map(decodeMulaw);
  const meanSquare = milliwatt.reduce((sum, sample) => sum + sample ** 2, 0) / milliwatt.length;
  const errorDb = 20 * Math.log10(rootMeanSquareAt(0) / Math.sqrt(meanSquare));
  expect(Math.abs(errorDb)).toBeLessThan(0.03);
  expect(rootMeanSquareAt(3.17) * Math.SQRT2).toBeCloseTo(8_159 * 4, -1);
});
