/**
 * Owns: G.711 mu-law, the one audio format on both sides of a call: 8,000 samples a second, one byte each, mono.
 * Does not own: where the audio goes. Calls carry it as it is; only meters and the twin look into the samples.
 *
 * Source: ITU-T G.711 (11/88), tables 2a and 2b, scaled from 14 to 16 bits (times four); levels by its section 5.
 */

/** The byte that decodes to zero with a positive sign: what a silent line carries. */
export const silenceByte = 0xff;

/** Bytes of audio in one millisecond. */
export const bytesPerMs = 8;

/** Bytes in the 20 ms frame that the telephone network works in. */
export const frameBytes = 160;

/** 33 on the 14-bit scale: added to a magnitude, it makes every segment begin at a power of two. */
const bias = 0x84;

/** The largest magnitude whose biased value fits into 15 bits. */
const largestMagnitude = 0x7fff - bias;

/** Theoretical load capacity: the level of the largest sine that is not clipped. */
const largestSineDbm0 = 3.17;

const samplesByByte = Int16Array.from({ length: 256 }, (_, byte) => expand(byte));
const bytesBySample = Uint8Array.from({ length: 0x1_0000 }, (_, bits) => compress((bits << 16) >> 16));

/**
 * The byte for a sample.
 *
 * @param sample linear PCM, -32,768 to 32,767; what lies outside is clipped, a fraction is cut off
 */
export function encodeMulaw(sample: number): number {
  const clipped = Math.max(-0x8000, Math.min(0x7fff, sample));
  return bytesBySample[clipped & 0xffff] ?? silenceByte;
}

/**
 * The sample for a byte: linear PCM, -32,124 to 32,124.
 *
 * @param byte 0 to 255; only its lowest eight bits count
 */
export function decodeMulaw(byte: number): number {
  return samplesByByte[byte & 0xff] ?? 0;
}

/** The root mean square of samples at a level. dBm0: decibels over a milliwatt, at the point of relative level zero. */
export function rootMeanSquareAt(levelDbm0: number): number {
  return (largestMagnitude / Math.SQRT2) * 10 ** ((levelDbm0 - largestSineDbm0) / 20);
}

/** All bits travel inverted: sign, three bits of segment, four bits of step within it. */
function expand(byte: number): number {
  const bits = ~byte;
  const segment = (bits >> 4) & 0x07;
  const step = bits & 0x0f;
  const magnitude = (((step << 3) + bias) << segment) - bias;
  return (bits & 0x80) === 0 ? magnitude : -magnitude;
}

function compress(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const biased = Math.min(Math.abs(sample), largestMagnitude) + bias;
  const segment = 24 - Math.clz32(biased);
  const step = (biased >> (segment + 3)) & 0x0f;
  return ~(sign | (segment << 4) | step) & 0xff;
}
