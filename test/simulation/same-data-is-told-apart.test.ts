/** The checks compare by `isSameData`: it must say what Node.js says. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSameData } from './same-data.ts';

const json = fc.jsonValue({ maxDepth: 3 });
const data = fc.oneof(
  json,
  fc.array(fc.tuple(fc.string(), json)).map((entries) => new Map(entries)),
);

test('data is the same where Node.js says that it is strictly and deeply equal', () => {
  fc.assert(
    fc.property(data, data, (one, other) => {
      expect(isSameData(one, other)).toBe(isDeepStrictEqual(one, other));
      expect(isSameData(one, structuredClone(one))).toBe(true);
    }),
  );
});

test.each([
  [{ a: undefined }, {}],
  [{ a: 1 }, { b: 1 }],
  [{ a: 0 }, { a: -0 }],
  [{ a: '1' }, { a: 1 }],
  [
    [1, 2],
    [2, 1],
  ],
  [[], {}],
  [[1], [1, undefined]],
  [new Map([['a', 1]]), new Map([['a', 2]])],
  [new Map([['a', 1]]), new Map([['b', 1]])],
  [{ a: { b: [null] } }, { a: { b: [{}] } }],
])('%j and %j are told apart', (one, other) => {
  expect(isSameData(one, other)).toBe(false);
  expect(isSameData(other, one)).toBe(false);
});

test('what is no plain data is not compared', () => {
  expect(() => isSameData(new Date(1), new Date(2))).toThrow(/no plain data/);
});
