import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readBase64 } from '../../src/twin/base64.ts';

const pattern = /^[A-Za-z0-9+/]*={0,2}$/;
const characters = fc.constantFrom(...'ABCwxyz0189+/=-_ \n.é');

test('a text is base64 exactly where it has no other characters, and padding at its end alone', () => {
  fc.assert(
    fc.property(fc.string({ unit: characters, maxLength: 24 }), fc.boolean(), (text, padded) => {
      const isBase64 = pattern.test(text) && !(padded && text.length % 4 !== 0);
      const bytes = readBase64(text, padded);
      expect(bytes !== null).toBe(isBase64);
      if (bytes !== null) expect(bytes.equals(Buffer.from(text, 'base64'))).toBe(true);
    }),
    { numRuns: 5_000 },
  );
});

test('bytes come back as they were', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const read = readBase64(Buffer.from(bytes).toString('base64'), true);
      expect(read && [...read]).toEqual([...bytes]);
    }),
  );
});
