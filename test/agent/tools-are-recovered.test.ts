import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Found, ToolDefinition } from '../../src/agent/definition.ts';
import { type RecoveryRequest, ToolRunner } from '../../src/agent/tool-runner.ts';
import type { ToolEffect } from '../../src/machines/entry-values.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { agentWith, call, lookUp, request, useVirtualTimers } from './example.ts';

const reportError = vi.fn();
const runner = new ToolRunner({ clock: systemClock, reportError });
const unknown = {
  outcome: 'unknown',
  result:
    'The outcome is unknown: it may or may not have been done. Do not repeat it without asking the caller.',
};

beforeEach(() => useVirtualTimers());
afterEach(() => {
  vi.useRealTimers();
  reportError.mockReset();
});

const tool = (effect: ToolEffect, changes: Partial<ToolDefinition> = {}) => ({
  ...lookUp,
  effect,
  run: vi.fn(() => 'done again'),
  ...changes,
});

/** The process that began it is gone. */
const orphaned = (name: string, input: unknown): RecoveryRequest => ({
  ...request(name, input),
  isUnderWay: async () => false,
});

const recover = async (definition: ToolDefinition, input: unknown = { number: '4712' }) =>
  await runner.recover(await agentWith(definition), orphaned('look_up', input));

describe('a tool call whose process died', () => {
  it.each(['none', 'idempotent'] as const)(
    'is made again with the same key where that is harmless: %s',
    async (effect) => {
      const definition = tool(effect);
      expect(await recover(definition)).toEqual({ outcome: 'completed', result: 'done again' });
      expect(definition.run).toHaveBeenCalledWith(
        { number: '4712' },
        { key: 'CA1/7/0', call, signal: expect.any(AbortSignal) },
      );
    },
  );

  it('is unknown where it must not be made twice and nobody can tell', async () => {
    const definition = tool('once');
    expect(await recover(definition)).toEqual(unknown);
    expect(definition.run).not.toHaveBeenCalled();
  });

  it('has the outcome that find found', async () => {
    const find = vi.fn(async (): Promise<Found> => ({ found: true, result: { booked: 'Friday' } }));
    const definition = tool('once', { find });
    expect(await recover(definition)).toEqual({ outcome: 'completed', result: '{"booked":"Friday"}' });
    expect(find).toHaveBeenCalledWith('CA1/7/0', { key: 'CA1/7/0', call, signal: expect.any(AbortSignal) });
    expect(definition.run).not.toHaveBeenCalled();
  });

  it('is made, with the same key, where find says that it never went through', async () => {
    const definition = tool('once', { find: () => ({ found: false }) });
    expect(await recover(definition)).toEqual({ outcome: 'completed', result: 'done again' });
    expect(definition.run).toHaveBeenCalledWith(
      { number: '4712' },
      expect.objectContaining({ key: 'CA1/7/0' }),
    );
  });

  it.each([[undefined], [null], ['yes'], [{}], [{ found: 'no' }], [false]])(
    'is unknown where find does not say: %j',
    async (answer) => {
      const definition = tool('once', { find: () => answer as never });
      expect(await recover(definition)).toEqual(unknown);
      expect(definition.run).not.toHaveBeenCalled();
    },
  );

  it('is unknown where find throws or takes too long', async () => {
    const error = new Error('no database');
    const find = () => Promise.reject(error);
    expect(await recover(tool('once', { find }))).toEqual(unknown);
    expect(reportError).toHaveBeenCalledWith(error, { name: 'look_up', key: 'CA1/7/0' });
    const waiting = recover(tool('once', { timeoutMs: 50, find: () => new Promise(() => undefined) }));
    await vi.advanceTimersByTimeAsync(50);
    expect(await waiting).toEqual(unknown);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is unknown where the answer of find cannot be read', async () => {
    const answer = Object.defineProperty({}, 'found', {
      get: () => {
        throw new Error('no');
      },
    });
    expect(await recover(tool('once', { find: () => answer as Found }))).toEqual(unknown);
    expect(reportError).toHaveBeenCalledOnce();
  });

  it('is not asked for by find where a second run is harmless', async () => {
    const find = vi.fn();
    await recover(tool('idempotent', { find }));
    expect(find).not.toHaveBeenCalled();
  });

  it('fails where its arguments were wrong: it never ran', async () => {
    expect((await recover(tool('none'), {})).outcome).toBe('failed');
  });
});

describe('a tool call whose process lives on without it', () => {
  /** Runs for two seconds there, and the far side shows nothing of it before. */
  async function underWay(definition: ToolDefinition) {
    let isOver = false;
    setTimeout(() => {
      isOver = true;
    }, 2_000);
    const asked = { ...request('look_up', { number: '1' }), isUnderWay: async () => !isOver };
    const outcome = runner.recover(await agentWith(definition), asked);
    await vi.advanceTimersByTimeAsync(1_800);
    return { outcome };
  }

  it('is not made again before that one is done with it', async () => {
    let effects = 0;
    setTimeout(() => (effects += 1), 1_950);
    const definition = tool('once', {
      find: (): Found => (effects > 0 ? { found: true, result: 'booked' } : { found: false }),
    });
    const { outcome } = await underWay(definition);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await outcome).toEqual({ outcome: 'completed', result: 'booked' });
    expect(definition.run).not.toHaveBeenCalled();
  });

  it('is made again where that one came to nothing', async () => {
    const definition = tool('once', { find: (): Found => ({ found: false }) });
    const { outcome } = await underWay(definition);
    expect(definition.run).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await outcome).toEqual({ outcome: 'completed', result: 'done again' });
  });

  it('is unknown where nobody can find out, once that one is over', async () => {
    const { outcome } = await underWay(tool('once'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await outcome).toEqual(unknown);
  });

  it('is waited for no longer than it may take', async () => {
    const asked = { ...request('look_up', { number: '1' }), isUnderWay: async () => true };
    const outcome = runner.recover(await agentWith(tool('once', { timeoutMs: 3_000 })), asked);
    await vi.advanceTimersByTimeAsync(3_500);
    expect(await outcome).toEqual(unknown);
  });
});

describe('a tool call that outlived a change of the file', () => {
  it('goes by the worse of the two effects', async () => {
    for (const [before, now] of [
      ['once', 'none'],
      ['none', 'once'],
    ] as const) {
      const definition = tool(now);
      const [was, is] = [await agentWith(tool(before)), await agentWith(definition)];
      expect(await runner.recover({ ...was, tools: is.tools }, orphaned('look_up', { number: '1' }))).toEqual(
        unknown,
      );
      expect(definition.run).not.toHaveBeenCalled();
    }
  });

  it('is unknown where the tool is gone and may have had its effect, else failed', async () => {
    const gone = async (effect: ToolEffect) => ({ ...(await agentWith(tool(effect))), tools: new Map() });
    for (const effect of ['once', 'idempotent'] as const) {
      expect(await runner.recover(await gone(effect), orphaned('look_up', {}))).toEqual(unknown);
    }
    expect((await runner.recover(await gone('none'), orphaned('look_up', {}))).outcome).toBe('failed');
    expect((await runner.recover(await agentWith(), orphaned('look_up', {}))).outcome).toBe('failed');
  });
});

describe('a tool that must not run twice', () => {
  it('never has its effect twice, wherever the process died', async () => {
    const scenario = fc.record({
      hasFind: fc.boolean(),
      died: fc.constantFrom('before the effect', 'after the effect'),
      recoveries: fc.integer({ min: 1, max: 4 }),
      findFails: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ hasFind, died, recoveries, findFails }) => {
        const effects = new Map<string, number>();
        const take = (key: string) => effects.set(key, (effects.get(key) ?? 0) + 1);
        const find = (key: string): Found => {
          if (findFails) throw new Error('no database');
          return effects.has(key) ? { found: true, result: 'booked' } : { found: false };
        };
        const agent = await agentWith({
          ...tool('once', { run: (_, { key }) => take(key) && 'booked' }),
          ...(hasFind ? { find } : {}),
        });
        const asked = orphaned('look_up', { number: '1' });
        if (died === 'after the effect') take(asked.key);
        for (let attempt = 0; attempt < recoveries; attempt++) {
          const { outcome } = await runner.recover(agent, asked);
          expect(outcome).toBe(hasFind && !findFails ? 'completed' : 'unknown');
        }
        expect(effects.get(asked.key) ?? 0).toBeLessThanOrEqual(1);
      }),
    );
  });
});
