import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AudioRecord } from '../../../src/twin/openai/audio/audio-record.ts';

describe('the record of appended audio', () => {
  test('keeps the newest bytes up to its capacity, under their places', () => {
    const chunk = fc.integer({ min: 0, max: 9_000 });
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 30_000 }),
        fc.array(chunk, { maxLength: 12 }),
        (capacity, sizes) => {
          const record = new AudioRecord(capacity);
          let all = Buffer.alloc(0);
          for (const size of sizes) {
            const start = all.byteLength;
            const audio = Uint8Array.from({ length: size }, (_, index) => (start + index) % 251);
            record.append(audio);
            all = Buffer.concat([all, audio]);
          }
          const oldest = Math.max(0, all.byteLength - capacity);
          expect(record.appendedBytes).toBe(all.byteLength);
          expect(record.oldestByte).toBe(oldest);
          expect(Buffer.from(record.read()).equals(all.subarray(oldest))).toBe(true);
          const middle = Math.floor((oldest + all.byteLength) / 2);
          expect(
            Buffer.from(record.read(middle, middle + 500)).equals(all.subarray(middle, middle + 500)),
          ).toBe(true);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('gives nothing for places that it never had', () => {
    const record = new AudioRecord(100);
    record.append(new Uint8Array(10));
    expect(record.read(10, 20).byteLength).toBe(0);
    expect(record.read(5, 3).byteLength).toBe(0);
  });
});
