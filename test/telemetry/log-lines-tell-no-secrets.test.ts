/** The log: a projection of entries, with nothing in it that is not ours to tell. */
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../src/machines/entries.ts';
import { FixCallError, RetryError } from '../../src/runtime/ports/errors.ts';
import { logEntry } from '../../src/telemetry/call-log.ts';
import { errorFields } from '../../src/telemetry/error-fields.ts';
import { createLogger } from '../../src/telemetry/logger.ts';

function log(level: string) {
  const lines: string[] = [];
  const logger = createLogger(level, 'one', { write: (line) => void lines.push(line) });
  return { logger, lines, parsed: () => lines.map((line) => JSON.parse(line)) };
}

const entries: Entry[] = [
  { type: 'call.answered', by: 'us', seq: 3, at: 5 },
  { type: 'owner.claimed', instance: 'one', why: 'created', seq: 4, at: 6 },
  { type: 'stream.failed', streamId: 'MZ1', error: '31921', seq: 5, at: 7 },
  { type: 'media.starved', streamId: 'MZ1', silentMs: 1_500, seq: 6, at: 8 },
  { type: 'reply.started', replyId: 'reply1', seq: 7, at: 9 },
  {
    type: 'transfer.requested',
    by: 'operator',
    destination: { bytes: 12 },
    toolCallId: null,
    seq: 8,
    at: 10,
  },
  { type: 'move.requested', by: 'drain', withinMs: 20_000, seq: 9, at: 11 },
];

describe('a line of a call', () => {
  it('is its entry, with the call, a category and a level', () => {
    const { logger, parsed } = log('debug');
    for (const entry of entries) logEntry(logger, { callId: 'CA1', traceId: 'f'.repeat(32) }, entry);
    expect(parsed().map(({ level, category, msg, seq }) => [level, category, msg, seq])).toEqual([
      ['debug', 'call', 'call.answered', 3],
      ['info', 'connection', 'owner.claimed', 4],
      ['warn', 'connection', 'stream.failed', 5],
      ['warn', 'media', 'media.starved', 6],
      ['debug', 'model', 'reply.started', 7],
      ['info', 'call', 'transfer.requested', 8],
      ['info', 'connection', 'move.requested', 9],
    ]);
    expect(parsed()[3]).toMatchObject({
      instance: 'one',
      callId: 'CA1',
      traceId: 'f'.repeat(32),
      entryAt: 8,
      entry: { streamId: 'MZ1', silentMs: 1_500 },
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
  });

  it('is not written where its level is not asked for', () => {
    const { logger, lines } = log('warn');
    for (const entry of entries) logEntry(logger, { callId: 'CA1', traceId: 'f'.repeat(32) }, entry);
    expect(lines).toHaveLength(2);
  });
});

describe('the log', () => {
  it('goes to standard output unless told, and is silent where it is told to be', () => {
    const { logger, lines } = log('silent');
    logger.fatal('nobody hears');
    expect(lines).toEqual([]);
    expect(createLogger('silent', 'one').level).toBe('silent');
  });

  it('writes no secret under its name', () => {
    const { logger, lines } = log('info');
    logger.info({ token: 'abc-secret', twilio: { authToken: 'abc-secret' } }, 'started');
    expect(lines.join()).not.toContain('abc-secret');
    expect(lines.join()).toContain('[secret]');
  });

  it('tells of an error which it is and where it came from, and not what it says', () => {
    const { logger, lines, parsed } = log('info');
    logger.error({ err: new TypeError('no order for +15550100\n    at +15550100 (x)') }, 'the agent failed');
    expect(lines.join()).not.toContain('+15550100');
    const [{ err }] = parsed();
    expect(err.type).toBe('TypeError');
    expect(err.at[0]).toContain('log-lines-tell-no-secrets.test.ts');
    expect(err.at.length).toBeLessThanOrEqual(5);
  });

  it('tells what an error says where a fault is being looked for', () => {
    const { logger, lines } = log('debug');
    logger.error({ err: new TypeError('no order for +15550100') }, 'the agent failed');
    expect(lines.join()).toContain('+15550100');
  });
});

describe('an error', () => {
  it('of ours is told with its code and words, but for those of an agent', () => {
    expect(errorFields(new RetryError('journal.unavailable', 'locked'))).toMatchObject({
      type: 'RetryError',
      code: 'journal.unavailable',
      message: 'locked',
    });
    expect(errorFields(new FixCallError('agent.invalid', 'throws: +15550100'))).not.toHaveProperty('message');
  });

  it('of the system is told with its code', () => {
    const error = Object.assign(new Error('connect to 10.0.0.1'), { code: 'ECONNREFUSED' });
    expect(errorFields(error)).toMatchObject({ type: 'Error', code: 'ECONNREFUSED' });
    expect(errorFields(error)).not.toHaveProperty('message');
  });

  it('that is none is told as what it is', () => {
    expect(errorFields('a secret')).toEqual({ type: 'string' });
    expect(errorFields(undefined)).toEqual({ type: 'undefined' });
  });

  it('without a stack, or with another message than its stack, tells what can be told', () => {
    const bare = new Error('x');
    delete bare.stack;
    expect(errorFields(bare)).toEqual({ type: 'Error', at: [] });
    const renamed = new Error('before +15550100');
    renamed.message = 'after';
    expect(JSON.stringify(errorFields(renamed))).not.toContain('+15550100');
  });
});
