import fc from 'fast-check';
import { expect, test } from 'vitest';
import { piecesOf } from '../../../src/twin/openai/protocol/words.ts';

test('a text is cut into words and marks, each with the space before it', () => {
  expect(piecesOf('Hello, Marcelo! It is 12 degrees. ')).toEqual([
    'Hello',
    ',',
    ' Marcelo',
    '!',
    ' It',
    ' is',
    ' 12',
    ' degrees',
    '.',
    ' ',
  ]);
  expect(piecesOf('')).toEqual([]);
});

test('the pieces of any text are that text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(piecesOf(text).join('')).toBe(text);
    }),
  );
});
