/**
 * Owns: G.711 A-law, which a Realtime session may ask for: 8,000 samples a second, one byte each, mono.
 * Does not own: µ-law (`src/media/mulaw.ts`).
 *
 * Source: ITU-T G.711 (11/88), tables 1a and 1b, scaled from 13 to 16 bits (times eight).
 */

/** Every other bit travels inverted. */
const evenBits = 0x55;

const samplesByByte = Int16Array.from({ length: 256 }, (_, byte) => expand(byte));

/** The sample for a byte: linear PCM, -32,256 to 32,256. */
export function decodeAlaw(byte: number): number {
  return samplesByByte[byte & 0xff] ?? 0;
}

/** The byte for a sample of linear PCM, -32,768 to 32,767. */
export function encodeAlaw(sample: number): number {
  const sign = sample < 0 ? 0 : 0x80;
  const magnitude = Math.min(Math.abs(sample), 0x7fff);
  const segment = magnitude < 0x100 ? 0 : 24 - Math.clz32(magnitude);
  const step = (magnitude >> (segment === 0 ? 4 : segment + 3)) & 0x0f;
  return (sign | (segment << 4) | step) ^ evenBits;
}

function expand(byte: number): number {
  const bits = byte ^ evenBits;
  const segment = (bits >> 4) & 0x07;
  const step = ((bits & 0x0f) << 4) + 8;
  const magnitude = segment === 0 ? step : (step + 0x100) << (segment - 1);
  return (bits & 0x80) === 0 ? -magnitude : magnitude;
}
