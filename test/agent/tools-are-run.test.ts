import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { defineTool, type ToolContext, type ToolDefinition } from '../../src/agent/definition.ts';
import { resultLimit, resultText } from '../../src/agent/tool-result.ts';
import { ToolRunner } from '../../src/agent/tool-runner.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { oddThrows } from '../support/odd-throws.ts';
import { agentWith, call, lookUp, request, useVirtualTimers } from './example.ts';

const reportError = vi.fn();
const runner = new ToolRunner({ clock: systemClock, reportError });

beforeEach(() => useVirtualTimers());
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  reportError.mockReset();
});

/** Runs one tool with an argument `number`. */
const run = async (
  changes: Partial<ToolDefinition>,
  input: unknown = { number: '4712' },
  released?: AbortSignal,
) => await runner.run(await agentWith({ ...lookUp, ...changes }), request('look_up', input, released));

describe('a tool call', () => {
  it('ends with what the tool gave back', async () => {
    expect(await run({})).toEqual({ outcome: 'completed', result: 'found 4712' });
  });

  it('hands the tool its checked arguments, the key, the call and a signal', async () => {
    const parameters = z.object({ number: z.string().transform(Number), day: z.string().default('today') });
    const seen = vi.fn((_input: unknown, _context: ToolContext) => undefined);
    await run({ parameters, run: seen });
    const [input, context] = seen.mock.calls[0]!;
    expect(input).toEqual({ number: 4712, day: 'today' });
    expect(context).toEqual({ key: 'CA1/7/0', call, signal: expect.any(AbortSignal) });
  });

  it('takes nothing for no arguments', async () => {
    const parameters = z.object({});
    expect((await run({ parameters }, ' ')).outcome).toBe('completed');
  });

  it.each([
    ['{"number":', 'The arguments are not JSON. Correct them and call the tool again.'],
    [{ number: 4712 }, 'The arguments are wrong. Correct them and call the tool again.'],
    [{}, 'expected string, received undefined'],
    [null, 'expected object, received null'],
    ['"4712"', 'expected object, received string'],
  ])('fails where the arguments are wrong, and the model is told how: %j', async (input, told) => {
    const tool = vi.fn();
    const { outcome, result } = await run({ run: tool }, input);
    expect(outcome).toBe('failed');
    expect(result).toContain(told);
    expect(tool).not.toHaveBeenCalled();
  });

  it('fails where there is no such tool', async () => {
    const outcome = await runner.run(await agentWith(), request('look_up', {}));
    expect(outcome).toEqual({
      outcome: 'failed',
      result: 'The tool look_up does not exist, or no longer. Go on without it.',
    });
  });

  it('fails where the file has the tool no more, or has it only now', async () => {
    const before = await agentWith(lookUp);
    const now = await agentWith();
    const gone = { ...before, tools: now.tools };
    expect((await runner.run(gone, request('look_up', { number: '1' }))).outcome).toBe('failed');
    const untold = { ...now, tools: before.tools };
    expect((await runner.run(untold, request('look_up', { number: '1' }))).outcome).toBe('failed');
  });
});

describe('a tool that throws', () => {
  const throwing = (error: unknown): Partial<ToolDefinition> => ({
    run() {
      throw error;
    },
  });

  it('fails, and the model learns nothing of the error', async () => {
    const error = new Error('postgres://user:secret@db refused');
    expect(await run(throwing(error))).toEqual({ outcome: 'failed', result: 'The tool failed.' });
    expect(reportError).toHaveBeenCalledWith(error, { name: 'look_up', key: 'CA1/7/0' });
  });

  it.each(oddThrows)('fails, and is told of, whatever it throws: %s', async (_, make) => {
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const logger = createLogger({ level: 'info', instance: 'one', secrets: [], destination });
    reportError.mockImplementation((err) => logger.error({ err }, 'the agent failed'));
    expect(await run(throwing(make()))).toEqual({ outcome: 'failed', result: 'The tool failed.' });
    expect(lines).toHaveLength(1);
  });

  it('fails also where nobody can be told', async () => {
    reportError.mockImplementation(() => {
      throw new Error('no line can be written');
    });
    expect(await run(throwing(new Error('x')))).toEqual({ outcome: 'failed', result: 'The tool failed.' });
  });

  it.each([['a word'], [null], [undefined], [{ stack: 'x' }]])(
    'fails whatever it throws: %j',
    async (thrown) => {
      expect((await run(throwing(thrown))).outcome).toBe('failed');
      expect((await run({ run: () => Promise.reject(thrown) })).outcome).toBe('failed');
      expect(reportError).toHaveBeenCalledTimes(2);
    },
  );

  it.each(['idempotent', 'once'] as const)(
    'may have done it all the same where it has an effect: %s',
    async (effect) => {
      const { result } = await run({ ...throwing(new Error('reset')), effect });
      expect(result).toBe(
        'The tool failed. It may have been done all the same. Do not repeat it without asking the caller.',
      );
    },
  );

  it('fails where the check of its arguments throws', async () => {
    const parameters = z.object({
      number: z.string().transform(() => {
        throw new Error('no');
      }),
    });
    expect((await run({ parameters: parameters as never })).outcome).toBe('failed');
  });
});

describe('a tool that takes too long', () => {
  const never = () => new Promise<never>(() => undefined);

  it('times out, its signal is aborted, and nothing is left', async () => {
    let signal: AbortSignal | undefined;
    const outcome = run({
      timeoutMs: 2_000,
      run: (_, context) => {
        signal = context.signal;
        return never();
      },
    });
    await vi.advanceTimersByTimeAsync(1_999);
    expect(signal?.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await outcome).toEqual({ outcome: 'timedOut', result: 'The tool did not answer within 2000 ms.' });
    expect(signal?.aborted).toBe(true);
  });

  it('may have done it all the same where it has an effect', async () => {
    const outcome = run({ timeoutMs: 2_000, effect: 'once', run: never });
    await vi.advanceTimersByTimeAsync(2_000);
    expect((await outcome).result).toContain('Do not repeat it without asking the caller.');
  });

  it('is not heard after that', async () => {
    const late = run({
      timeoutMs: 10,
      run: () => new Promise((_, reject) => setTimeout(() => reject(new Error('late')), 20)),
    });
    await vi.advanceTimersByTimeAsync(30);
    expect((await late).outcome).toBe('timedOut');
    expect(reportError).not.toHaveBeenCalled();
  });

  it('does not begin after that, where its arguments took the time to check', async () => {
    const tool = vi.fn();
    const slow = z.string().refine(() => new Promise<boolean>((done) => setTimeout(() => done(true), 20)));
    const outcome = run({ timeoutMs: 10, parameters: z.object({ number: slow }), run: tool });
    await vi.advanceTimersByTimeAsync(30);
    expect((await outcome).outcome).toBe('timedOut');
    expect(tool).not.toHaveBeenCalled();
  });
});

describe('a tool whose call leaves the process', () => {
  it('is aborted, and its outcome is unknown', async () => {
    const released = new AbortController();
    let signal: AbortSignal | undefined;
    const outcome = run(
      {
        run: (_, context) => {
          signal = context.signal;
          return new Promise<never>(() => undefined);
        },
      },
      { number: '1' },
      released.signal,
    );
    await vi.advanceTimersByTimeAsync(5);
    released.abort();
    expect((await outcome).outcome).toBe('unknown');
    expect(signal?.aborted).toBe(true);
  });

  it('does not begin where that has happened already', async () => {
    const tool = vi.fn();
    expect((await run({ run: tool }, { number: '1' }, AbortSignal.abort())).outcome).toBe('unknown');
    expect(tool).not.toHaveBeenCalled();
  });

  it('leaves no listener on the signal of its call', async () => {
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, 'addEventListener');
    const removed = vi.spyOn(signal, 'removeEventListener');
    await run({}, { number: '1' }, signal);
    expect(added.mock.calls.map(([, listener]) => listener)).toEqual(
      removed.mock.calls.map(([, listener]) => listener),
    );
    expect(added).toHaveBeenCalledTimes(1);
  });
});

describe('the text of a result', () => {
  const circular: { self?: unknown } = {};
  circular.self = circular;

  it.each([
    ['as it is', 'as it is'],
    ['', ''],
    [undefined, 'Done.'],
    [null, 'null'],
    [7, '7'],
    [{ a: [1, 'b'] }, '{"a":[1,"b"]}'],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
    [circular, 'Done. The result cannot be written as text.'],
    [10n, 'Done. The result cannot be written as text.'],
    [() => 1, 'Done.'],
  ])('is a string as it is, anything else as JSON: %#', (value, text) => {
    expect(resultText(value)).toBe(text);
  });

  it.each([
    ['cut \ud83d', 'cut \ufffd'],
    ['\udeb2 cut', '\ufffd cut'],
    ['whole \u{1F6B2}', 'whole \u{1F6B2}'],
  ])('has no half of a character, which the model service might refuse: %#', (value, text) => {
    expect(resultText(value)).toBe(text);
  });

  it('is whole up to 32 kB, and cut with a note beyond', () => {
    expect(resultText('a'.repeat(resultLimit))).toBe('a'.repeat(resultLimit));
    const cut = resultText('a'.repeat(resultLimit + 1));
    expect(Buffer.byteLength(cut)).toBe(resultLimit);
    expect(cut).toMatch(/^a+\n\[The rest was cut off: the result was longer than 32 kB\.\]$/);
  });

  it('is never longer than the limit and never ends in half a character', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('\u00e9', '\u20ac', '\u{1F6B2}', 'a'),
        fc.nat(3),
        fc.nat(40),
        (letter, lead, extra) => {
          const text = resultText(
            'a'.repeat(lead) + letter.repeat(resultLimit / Buffer.byteLength(letter) + extra),
          );
          expect(Buffer.byteLength(text)).toBeLessThanOrEqual(resultLimit);
          expect(text).not.toContain('\ufffd');
        },
      ),
      { numRuns: 50 },
    );
  });
});

it('whatever a tool does, the call of it ends in an outcome', async () => {
  const behaviour = fc.oneof(
    fc.anything().map((value) => () => value),
    fc.anything().map((value) => () => Promise.resolve(value)),
    fc.anything().map((error) => () => Promise.reject(error)),
    fc.anything().map((error) => () => {
      throw error;
    }),
    fc.constant(() => new Promise<never>(() => undefined)),
  );
  const input = fc.oneof(fc.string(), fc.json(), fc.constant('{"number":"1"}'));
  await fc.assert(
    fc.asyncProperty(behaviour, input, async (tool, text) => {
      const outcome = runner.run(
        await agentWith(defineTool({ ...lookUp, run: tool })),
        request('look_up', text),
      );
      await vi.advanceTimersByTimeAsync(10_000);
      expect(['completed', 'failed', 'timedOut']).toContain((await outcome).outcome);
    }),
    { numRuns: 300 },
  );
});
