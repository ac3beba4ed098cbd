import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { Agent, AgentCall } from '../../src/agent/definition.ts';
import { digestOf } from '../../src/agent/digest.ts';
import { checkAgent } from '../../src/agent/loaded-agent.ts';
import { AgentOrigin } from '../../src/agent/origin.ts';
import { declaredTools } from '../../src/agent/record.ts';
import { resolveAgent, resumeAgent } from '../../src/agent/resolve.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { FixCallError, GiveUpError } from '../../src/runtime/ports/errors.ts';
import { oddThrows } from '../support/odd-throws.ts';
import { call, inMemory, leastAgent, load, lookUp, useVirtualTimers } from './example.ts';

const resolve = (agent: Agent, origin = inMemory, forCall: AgentCall = call) =>
  resolveAgent(checkAgent(agent, origin), forCall, systemClock);

const record = {
  ...leastAgent,
  voice: 'marin',
  turnDetection: { type: 'server_vad', threshold: 0.5, prefixPaddingMs: 300, silenceMs: 500 },
  transcription: { model: 'gpt-realtime-whisper', language: null },
  tools: [
    {
      name: 'look_up',
      description: 'Looks something up.',
      parameters: { type: 'object', properties: { number: { type: 'string' } }, required: ['number'] },
      effect: 'none',
      timeoutMs: 10_000,
    },
  ],
  transfers: [],
};

describe('the agent of a new call', () => {
  it('has a record that is plain JSON, and the functions beside it', async () => {
    const onCallEnded = () => undefined;
    const agent = await resolve({ ...leastAgent, tools: [lookUp], onCallEnded });
    expect(agent.record).toEqual(record);
    expect(JSON.parse(JSON.stringify(agent.record))).toEqual(agent.record);
    expect(agent.digest).toBe(digestOf(record));
    expect(agent.tools.get('look_up')?.run).toBe(lookUp.run);
    expect(agent.onCallEnded).toBe(onCallEnded);
    expect((await resolve(leastAgent)).onCallEnded).toBeNull();
  });

  it('asks the model for what the schema takes in, not for what it makes of it', async () => {
    const parameters = z.object({
      count: z.number().default(1),
      day: z.string().transform((day) => day.length),
    });
    const agent = await resolve({ ...leastAgent, tools: [{ ...lookUp, parameters }] });
    expect(agent.record.tools[0]?.parameters).toMatchObject({
      properties: { count: { type: 'number', default: 1 }, day: { type: 'string' } },
      required: ['day'],
    });
  });

  it('is told to the model with the tool that every agent has', async () => {
    const agent = await resolve({ ...leastAgent, tools: [lookUp] });
    const { timeoutMs: _, ...declaration } = record.tools[0]!;
    expect(declaredTools(agent.record)).toEqual([
      declaration,
      {
        name: 'hang_up',
        description: expect.stringContaining('Ends the phone call'),
        parameters: { type: 'object', properties: {}, additionalProperties: false },
        effect: 'idempotent',
      },
    ]);
  });

  it('may be a function of the call', async () => {
    const agent = (other: AgentCall) => ({ ...leastAgent, greeting: `Hello, ${other.parameters.name}!` });
    const forAnn = { ...call, parameters: { name: 'Ann' } };
    expect((await resolve(agent, inMemory, forAnn)).record.greeting).toBe('Hello, Ann!');
    expect((await resolve(async (other) => agent(other))).record.greeting).toBe('Hello, undefined!');
  });
});

describe('a function of the call that fails', () => {
  beforeEach(() => useVirtualTimers());
  afterEach(() => vi.useRealTimers());

  it('is refused with the property at fault', async () => {
    const source = 'export default (call) => ({\n  name: call.callId,\n  greeting: 7,\n});';
    const agent = (() => ({ ...leastAgent, greeting: 7 })) as unknown as Agent;
    await expect(resolve(agent, new AgentOrigin('desk.ts', '/desk.ts', source))).rejects.toThrow(
      'desk.ts:3: greeting must be the first sentence',
    );
  });

  it('is refused with the line that throws', async () => {
    const origin = new AgentOrigin('desk.ts', '/agents/desk.ts', 'one\ntwo\nthree');
    const throwing = (error: unknown) => () => {
      throw error;
    };
    const error = new Error('no shop today');
    error.stack =
      'Error: no shop today\n    at choose (file:///agents/desk.ts:2:9)\n    at more (file:///x.ts:1:1)';
    await expect(resolve(throwing(error), origin)).rejects.toThrow(
      'desk.ts:2: its function throws: no shop today\n  2 | two',
    );
    error.stack = 'Error: no shop today\n    at more (file:///x.ts:3:1)';
    await expect(resolve(throwing(error), origin)).rejects.toThrow(
      'desk.ts: its function throws: no shop today',
    );
    await expect(resolve(throwing('a word'), origin)).rejects.toThrow(
      "desk.ts: its function throws: 'a word'",
    );
  });

  it.each(oddThrows)('is refused whatever it throws: %s', async (_, make) => {
    const throwing = () => {
      throw make();
    };
    await expect(resolve(throwing)).rejects.toMatchObject({
      code: 'agent.invalid',
      message: expect.stringContaining('memory.ts: its function throws'),
    });
  });

  it('is refused where what it gives back cannot be read', async () => {
    const unreadable = Object.defineProperty({ ...leastAgent }, 'voice', {
      enumerable: true,
      get: () => {
        throw new Error('no');
      },
    });
    await expect(resolve(() => unreadable)).rejects.toMatchObject({ code: 'agent.invalid' });
  });

  it('is refused where it takes too long, and nothing is left of it', async () => {
    const resolved = resolve(() => new Promise<never>(() => undefined));
    const refused = expect(resolved).rejects.toThrow('memory.ts: its function took longer than 5000 ms');
    await vi.advanceTimersByTimeAsync(4_999);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    await refused;
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a call that is resumed', () => {
  const stored = { ...record, greeting: 'Hello from before!' } as never;
  const resume = (agent: Agent, from: never = stored) =>
    resumeAgent(checkAgent(agent, inMemory), call, from, systemClock);

  it('keeps its record and gets the functions of the file as it is now', async () => {
    const changed = { ...lookUp, description: 'Now different.' };
    const agent = await resume({ ...leastAgent, greeting: 'Hello now!', tools: [changed] });
    expect(agent.record).toEqual(stored);
    expect(agent.digest).toBe(digestOf(stored));
    expect(agent.tools.get('look_up')?.run).toBe(changed.run);
    expect(agent.fault).toBeNull();
  });

  it('goes on without transfers where it began before there were any', async () => {
    const { transfers: _, ...older } = stored as typeof record;
    const sales = { name: 'sales', description: 'Wants to buy.', to: '+15550177' };
    const agent = await resume({ ...leastAgent, transfers: [sales] }, older as never);
    expect(agent.record).toEqual(stored);
    expect(agent.digest).toBe(digestOf(older));
  });

  it('goes on without a tool that the file has no more', async () => {
    const agent = await resume(leastAgent);
    expect(agent.record.tools).toHaveLength(1);
    expect(agent.tools.size).toBe(0);
  });

  it('goes on without functions where the definition for it fails now, and says why', async () => {
    const agent = await resume(() => {
      throw new Error('no shop today');
    });
    expect(agent.record).toEqual(stored);
    expect(agent.tools.size).toBe(0);
    expect(agent.onCallEnded).toBeNull();
    expect(agent.fault).toBeInstanceOf(FixCallError);
    expect(agent.fault?.message).toContain('no shop today');
  });

  it('keeps the digest of what a newer version stored', async () => {
    const newer = { ...(stored as object), mood: 'bright' } as never;
    expect((await resume(leastAgent, newer)).digest).toBe(digestOf(newer));
  });

  it('cannot go on from what is no record', async () => {
    const resumed = resumeAgent(load(leastAgent), call, { name: 'desk' }, systemClock);
    await expect(resumed).rejects.toBeInstanceOf(GiveUpError);
    await expect(resumed).rejects.toMatchObject({
      code: 'log.invalid',
      message: expect.stringContaining('call CA1'),
    });
  });

  it('hides no fault of our own', async () => {
    const broken = { agent: () => leastAgent, origin: null as never };
    const clock = {
      ...systemClock,
      setTimeout: () => {
        throw new RangeError('no timers');
      },
    };
    await expect(resumeAgent(broken, call, stored, clock)).rejects.toThrow('no timers');
  });
});
