/** I10: only what was minted with the key, and has not expired, is read. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mintStreamToken, readStreamToken } from '../../src/runtime/stream-token.ts';

const key = 'a key that all instances share';
const callId = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
const token = fc.record({
  callId,
  attempt: fc.integer({ min: 1, max: 999_999 }),
  expiresAt: fc.integer({ min: 1, max: 2 ** 50 }),
});

describe('a stream token', () => {
  it('says what it was minted with, until it expires', () => {
    fc.assert(
      fc.property(token, (content) => {
        const minted = mintStreamToken(key, content);
        expect(readStreamToken(key, minted, content.expiresAt - 1)).toEqual(content);
        expect(readStreamToken(key, minted, content.expiresAt)).toBeNull();
        expect(readStreamToken(key, minted, content.expiresAt + 1)).toBeNull();
      }),
    );
  });

  it('is worth nothing with any character changed', () => {
    const characters = fc.constantFrom(...'ABCXYZabcxyz0123456789-_. é'.split(''));
    fc.assert(
      fc.property(token, fc.nat(), characters, (content, place, character) => {
        const minted = mintStreamToken(key, content);
        const at = place % minted.length;
        fc.pre(minted[at] !== character);
        const changed = minted.slice(0, at) + character + minted.slice(at + 1);
        expect(readStreamToken(key, changed, 0)).toBeNull();
      }),
      { numRuns: 2_000 },
    );
  });

  it('is worth nothing with its last character changed, of which base64url decodes only four bits', () => {
    const minted = mintStreamToken(key, { callId: 'CA1', attempt: 1, expiresAt: 10 });
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const accepted = [...alphabet].filter(
      (last) => readStreamToken(key, minted.slice(0, -1) + last, 0) !== null,
    );
    expect(accepted).toEqual([minted.at(-1)]);
  });

  it('is worth nothing shortened, lengthened, or with another key', () => {
    fc.assert(
      fc.property(token, fc.string({ minLength: 1, maxLength: 5 }), fc.nat(), (content, more, cut) => {
        const minted = mintStreamToken(key, content);
        expect(readStreamToken(key, minted + more, 0)).toBeNull();
        expect(readStreamToken(key, more + minted, 0)).toBeNull();
        expect(readStreamToken(key, minted.slice(0, cut % minted.length), 0)).toBeNull();
        expect(readStreamToken(`${key}!`, minted, 0)).toBeNull();
      }),
    );
  });

  it('is worth nothing with more before it', () => {
    const minted = mintStreamToken('key', { callId: 'CA1', attempt: 1, expiresAt: 10 });
    expect(readStreamToken('key', minted, 0)).not.toBeNull();
    expect(readStreamToken('key', `more.${minted}`, 0)).toBeNull();
  });

  it('is read from no other text, however strange', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 400, unit: 'binary' }),
        (text) => readStreamToken(key, text, 0) === null,
      ),
    );
    for (const text of ['', '....', 'CA1.1.99', `CA1.1.99.${'A'.repeat(43)}`, 'x'.repeat(100_000)])
      expect(readStreamToken(key, text, 0)).toBeNull();
  });

  it('fits into a parameter of the stream', () => {
    const minted = mintStreamToken(key, {
      callId: `CA${'0'.repeat(32)}`,
      attempt: 10,
      expiresAt: Date.UTC(2100, 0, 1),
    });
    expect(minted.length).toBeLessThan(200);
    expect(minted).toMatch(/^[\w.-]+$/);
  });
});
