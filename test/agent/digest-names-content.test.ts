import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/agent/digest.ts';
import type { Json } from '../../src/runtime/ports/journal.ts';

/** The same value with the keys of each object the other way round. */
function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map(reversed);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

describe('the digest of plain JSON', () => {
  it('is SHA-256 of the canonical form', () => {
    // printf '{"a":[1,"x",null],"b":{"c":true}}' | sha256sum
    expect(digestOf({ b: { c: true }, a: [1, 'x', null] })).toBe(
      '038932932d9f36881391140ac309421b0bf0c001fc66458904c4c077b2bde713',
    );
  });

  it('does not depend on the order of the keys, nor on a round trip through text', () => {
    fc.assert(
      fc.property(fc.jsonValue() as fc.Arbitrary<Json>, (value) => {
        expect(digestOf(reversed(value))).toBe(digestOf(value));
        expect(digestOf(JSON.parse(JSON.stringify(value)))).toBe(digestOf(value));
      }),
    );
  });

  it('tells different contents apart', () => {
    const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as Json);
    fc.assert(
      fc.property(json, json, (one, other) => {
        expect(digestOf(one) === digestOf(other)).toBe(isDeepStrictEqual(one, other));
      }),
    );
    expect(digestOf(['a', 'b'])).not.toBe(digestOf(['b', 'a']));
    expect(digestOf({ a: 1, b: 2 })).not.toBe(digestOf({ a: 2, b: 1 }));
    expect(digestOf(['1'])).not.toBe(digestOf([1]));
    expect(digestOf({ a: { b: 1 } })).not.toBe(digestOf({ a: '{"b":1}' }));
  });
});
