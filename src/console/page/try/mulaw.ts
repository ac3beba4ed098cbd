/**
 * Owns: G.711 mu-law in the browser (ITU-T G.711, 11/88): a sample of -1 to 1 to a byte, and back.
 * Does not own: the server's own codec, which no page can import.
 */
const bias = 0x84;
const largest = 0x7fff - bias;

export function encode(sample: number): number {
  const level = Math.round(Math.max(-1, Math.min(1, sample)) * 0x7fff);
  const magnitude = Math.min(largest, Math.abs(level)) + bias;
  const segment = Math.max(0, 24 - Math.clz32(magnitude));
  const step = (magnitude >> (segment + 3)) & 0x0f;
  return ~((level < 0 ? 0x80 : 0) | (segment << 4) | step) & 0xff;
}

export function decode(byte: number): number {
  const bits = ~byte & 0xff;
  const segment = (bits >> 4) & 0x07;
  const magnitude = ((((bits & 0x0f) << 3) + bias) << segment) - bias;
  return ((bits & 0x80) === 0 ? magnitude : -magnitude) / 0x8000;
}
