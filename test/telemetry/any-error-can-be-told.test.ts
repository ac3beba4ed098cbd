/** Somebody's code may throw anything at all: a line is written of it, and nothing fails over it. */
import { describe, expect, it } from 'vitest';
import { RetryError } from '../../src/runtime/ports/errors.ts';
import { errorFields } from '../../src/telemetry/error-fields.ts';
import { oddThrows } from '../support/odd-throws.ts';
import { logged } from './support/logged.ts';

describe.each(['info', 'debug'])('at level %s', (level) => {
  it.each(oddThrows)('a line is written of %s', (_, make) => {
    const { logger, parsed } = logged(level);
    logger.error({ category: 'call', err: make(), callId: 'CA1' }, 'the agent failed');
    expect(parsed()).toMatchObject([{ level: 'error', callId: 'CA1', msg: 'the agent failed' }]);
    expect(parsed()[0]).toHaveProperty('err');
  });
});

describe('an error that can be read in part', () => {
  const unreadable = {
    get(): never {
      throw new Error('no');
    },
  };

  it('is told with that part', () => {
    const withoutCode = Object.defineProperty(new TypeError('x'), 'code', unreadable);
    expect(errorFields(withoutCode)).toMatchObject({
      type: 'TypeError',
      at: expect.arrayContaining([expect.any(String)]),
    });
    const withoutStack = Object.assign(new RangeError('x'), { stack: { frames: [] }, code: 'ENOENT' });
    expect(errorFields(withoutStack)).toEqual({ type: 'RangeError', code: 'ENOENT', at: [] });
    const ours = Object.defineProperty(new RetryError('journal.unavailable', 'locked'), 'stack', unreadable);
    expect(errorFields(ours)).toEqual({
      type: 'RetryError',
      code: 'journal.unavailable',
      message: 'locked',
      at: [],
    });
  });

  it('is told with its words and its stack where a fault is looked for', () => {
    const { logger, parsed } = logged('debug');
    logger.error({ err: Object.freeze(new TypeError('no order')) }, 'it failed');
    expect(parsed()).toMatchObject([
      { err: { type: 'TypeError', message: 'no order', stack: expect.stringContaining('.test.ts:') } },
    ]);
  });
});
