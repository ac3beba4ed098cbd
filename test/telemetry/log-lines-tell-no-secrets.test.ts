/** The log: what it shows, and what it never shows whatever gets into it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../src/machines/entries.ts';
import { FixCallError, RetryError } from '../../src/runtime/ports/errors.ts';
import { logEntry } from '../../src/telemetry/call-log.ts';
import { errorFields } from '../../src/telemetry/error-fields.ts';
import { maskNumbers, maskSecrets } from '../../src/telemetry/mask.ts';
import { eventfulCall } from './support/call-entries.ts';
import { logged } from './support/logged.ts';

const names = { callId: 'CA1', traceId: 'f'.repeat(32) };

describe('the log', () => {
  it('is silent where it is told to be', () => {
    const { logger, lines } = logged('silent');
    logger.fatal('nobody hears');
    expect(lines).toEqual([]);
  });

  it('writes no secret under its name', () => {
    const { logger, lines } = logged('info');
    logger.info({ token: 'abc-secret', twilio: { authToken: 'abc-secret' } }, 'started');
    expect(lines.join()).not.toContain('abc-secret');
    expect(lines.join()).toContain('[secret]');
  });

  it('tells of an error which it is and where it came from, and not what it says', () => {
    const { logger, lines, parsed } = logged('info');
    logger.error({ err: new TypeError('no order for Ann\n    at Ann (x:1:2)') }, 'the agent failed');
    expect(lines.join()).not.toContain('Ann');
    const [{ err }] = parsed() as [{ err: { type: string; at: string[] } }];
    expect(err.type).toBe('TypeError');
    expect(err.at[0]).toContain('log-lines-tell-no-secrets.test.ts');
    expect(err.at.length).toBeLessThanOrEqual(5);
  });

  it('tells what an error says where a fault is being looked for, but for secrets', () => {
    const { logger, lines } = logged('debug', ['a-secret-value']);
    logger.error({ err: new TypeError('no order for +15550100 by a-secret-value') }, 'the agent failed');
    expect(lines.join()).toContain('no order for +15550100 by [secret]');
  });
});

/** A number as people and machines write it, and the digits by which one would know it. */
const phoneNumber = fc
  .tuple(
    fc.integer({ min: 1, max: 9 }),
    fc.stringMatching(/^\d{6,14}$/),
    fc.constantFrom('', ' ', '-', '.', ') '),
    fc.constantFrom('+', '%2B', '%2b'),
  )
  .map(([first, rest, separator, plus]) => {
    const groups = [`${first}${rest.slice(0, 2)}`, rest.slice(2, 4), rest.slice(4)];
    return { written: plus + groups.join(separator), digits: groups.join(separator) };
  });

const secret = fc.string({
  minLength: 8,
  maxLength: 40,
  unit: fc.constantFrom(...'abcXYZ019"\\+/=%&{}é–😀'),
});

/** What a field may hold besides: anything, as deep as one likes. */
const fieldsWith = (text: string) =>
  fc.letrec((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      fc.constant(text),
      fc.string().map((around) => `${around} ${text} ${around}`),
      fc.array(tie('node'), { maxLength: 2 }),
      fc.dictionary(fc.constantFrom('a', 'cause', text), tie('node'), { maxKeys: 2 }),
    ),
  })).node;

/** An error as somebody's code may throw it. */
const errorWith = (text: string): fc.Arbitrary<unknown> =>
  fc
    .record({
      isOurs: fc.boolean(),
      name: fc.constantFrom('Error', text),
      code: fc.constantFrom(undefined, 'ENOENT', text),
      nested: fieldsWith(text),
      stack: fc.constantFrom(undefined, `at f (${text}.ts:1:2)\n    at ${text} (g.ts:1:2)`),
    })
    .map(({ isOurs, name, code, nested, stack }) => {
      const options = { cause: new Error(text) };
      const message = `before ${text}\n    at ${text} (x.ts:1:2)`;
      const error = isOurs
        ? new RetryError('journal.unavailable', message, options)
        : new Error(message, options);
      Object.assign(error, { name, nested, ...(isOurs || code === undefined ? {} : { code }) });
      if (stack !== undefined) error.stack = stack;
      return error;
    });

/** Each text of an entry that the format leaves open, filled with the one given. */
function filled(entry: Entry, text: string): Entry {
  const open = ['cause', 'error', 'reason', 'name', 'streamId', 'replyId', 'toolCallId', 'sessionId', 'kind'];
  const fields = Object.entries(entry).map(([field, value]) =>
    open.includes(field) && typeof value === 'string' ? [field, `${value} ${text}`] : [field, value],
  );
  return Object.fromEntries(fields) as Entry;
}

const levels = ['info', 'warn', 'error', 'fatal'] as const;

/** Everything that is logged anywhere, with the text in each place that could hold one. */
function logAll(level: string, text: string, error: unknown, fields: unknown, secrets: readonly string[]) {
  const { logger, lines, parsed } = logged(level, secrets);
  for (const entry of eventfulCall) logEntry(logger, names, filled(entry, text));
  for (const at of levels) {
    logger[at]({ category: 'service', err: error, fields, ...names }, `it failed: ${text}`);
    logger[at](`%s failed`, text);
    logger.child({ callId: text })[at]('a child');
  }
  logger.error(error);
  expect(parsed()).toHaveLength(lines.length);
  return lines;
}

describe('no line', () => {
  it('shows a phone number, wherever one gets into an entry, an error or a field', () => {
    const anywhere = phoneNumber.chain((number) =>
      fc.tuple(
        fc.constant(number),
        fc.constantFrom(...levels),
        errorWith(number.written),
        fieldsWith(number.written),
      ),
    );
    fc.assert(
      fc.property(anywhere, ([{ written, digits }, level, error, fields]) => {
        expect(logAll(level, written, error, fields, []).join('')).not.toContain(digits);
      }),
    );
  });

  it('shows a secret, wherever one gets, at any level', () => {
    const anywhere = secret.chain((value) =>
      fc.tuple(
        fc.constant(value),
        fc.constantFrom('debug', 'trace', ...levels),
        fc.constantFrom(value, encodeURIComponent(value)),
        errorWith(value),
        fieldsWith(value),
      ),
    );
    fc.assert(
      fc.property(anywhere, ([value, level, written, error, fields]) => {
        const text = logAll(level, written, error, fields, ['another-secret', value]).join('');
        expect(text).not.toContain(JSON.stringify(value).slice(1, -1));
        expect(text).not.toContain(encodeURIComponent(value));
      }),
    );
  });
});

describe('the mask', () => {
  it.each([
    ['the carrier’s ids', `CA${'0123456789abcdef'.repeat(2)}`],
    ['times', '2026-01-01T10:00:00.123Z 2026-01-01T10:00:00+01:00 1767225600000'],
    ['ports and addresses', 'http://127.0.0.1:8081/media?a=1+2 [::1]:65535'],
    ['sums', '+5 +1000 a+b 1+1'],
    ['trace ids', '4bf92f3577b34da6a3ce929d0e0e4736'],
  ])('leaves %s as they are', (_, text) => {
    expect(maskNumbers(text)).toBe(text);
  });

  it('leaves the rest of the text', () => {
    expect(maskNumbers('from +1 (555) 010-0123 to tel:+15550100, twice')).toBe(
      'from [number] to tel:[number], twice',
    );
    expect(maskNumbers('From=%2B15550100&To=%2b15550101&Port=80')).toBe('From=[number]&To=[number]&Port=80');
  });

  it('takes a secret whole where another is a part of it, and none that would tear lines up', () => {
    expect(maskSecrets(['a-secret', 'a-secret-that-is-longer', 'at', ''])('at a-secret-that-is-longer')).toBe(
      'at [secret]',
    );
  });
});

describe('an error', () => {
  it('of ours is told with its code and words, but for those of an agent', () => {
    expect(errorFields(new RetryError('journal.unavailable', 'locked'))).toMatchObject({
      type: 'RetryError',
      code: 'journal.unavailable',
      message: 'locked',
    });
    expect(errorFields(new FixCallError('agent.invalid', 'throws: Ann'))).not.toHaveProperty('message');
  });

  it('of the system is told with its code, one of an answer with its status', () => {
    const error = Object.assign(new Error('connect to 10.0.0.1'), { code: 'ECONNREFUSED' });
    expect(errorFields(error)).toMatchObject({ type: 'Error', code: 'ECONNREFUSED' });
    expect(errorFields(error)).not.toHaveProperty('message');
    expect(errorFields(Object.assign(new Error(), { code: 503 }))).toMatchObject({ code: 503 });
  });

  it('tells no name and no code that are none', () => {
    const error = Object.assign(new Error(), { name: 'Ann said hello', code: 15_550_100 });
    expect(errorFields(error)).toEqual({ type: 'Error', at: expect.any(Array) });
    expect(errorFields(Object.assign(new Error(), { code: '15550100' }))).not.toHaveProperty('code');
  });

  it('that is none is told as what it is', () => {
    expect(errorFields('a secret')).toEqual({ type: 'string' });
    expect(errorFields(undefined)).toEqual({ type: 'undefined' });
  });

  it('without a stack, or with another message than its stack, tells what can be told', () => {
    const bare = new Error('x');
    delete bare.stack;
    expect(errorFields(bare)).toEqual({ type: 'Error', at: [] });
    const renamed = new Error('before Ann');
    renamed.message = 'after';
    expect(JSON.stringify(errorFields(renamed))).not.toContain('Ann');
  });
});
