import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLoopback } from '../../src/platform/loopback.ts';

describe('loopback', () => {
  it('is every address of 127.0.0.0/8 and no other', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(isLoopback(address)).toBe(address.split('.')[0] === '127');
      }),
    );
  });

  it.each(['127.0.0.1', '127.1.2.3', '::1', '[::1]', 'localhost', 'LOCALHOST', '::ffff:127.0.0.1'])(
    'is %s',
    (name) => {
      expect(isLoopback(name)).toBe(true);
    },
  );

  it.each([
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '127.0.0.1.evil',
    'localhost.evil',
    '',
    '128.0.0.1',
    '[::1',
    '::ffff:10.0.0.1',
  ])('is not %s', (name) => {
    expect(isLoopback(name)).toBe(false);
  });
});
