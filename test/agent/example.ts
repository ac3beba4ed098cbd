/** Owns: agents, calls and clocks that the tests of this folder share. */
import { vi } from 'vitest';
import { z } from 'zod';
import { type AgentCall, type AgentDefinition, defineTool } from '../../src/agent/definition.ts';
import { checkAgent } from '../../src/agent/loaded-agent.ts';
import { AgentOrigin } from '../../src/agent/origin.ts';
import { type ResolvedAgent, resolveAgent } from '../../src/agent/resolve.ts';
import type { ToolRequest } from '../../src/agent/tool-runner.ts';
import { systemClock } from '../../src/platform/clock.ts';

export const call: AgentCall = {
  callId: 'CA1',
  direction: 'incoming',
  from: '+15550100',
  to: '+15550199',
  parameters: {},
};

/** The least that an agent has. */
export const leastAgent = { name: 'desk', instructions: 'Answer.', greeting: 'Hello!' };

export const lookUp = defineTool({
  name: 'look_up',
  description: 'Looks something up.',
  parameters: z.object({ number: z.string() }),
  effect: 'none',
  run: ({ number }) => `found ${number}`,
});

export const inMemory = new AgentOrigin('memory.ts', '/nowhere/memory.ts', '');

export const load = (agent: AgentDefinition) => checkAgent(agent, inMemory);

/** An agent with these tools, as a call has it. */
export const agentWith = (...tools: NonNullable<AgentDefinition['tools']>): Promise<ResolvedAgent> =>
  resolveAgent(load({ ...leastAgent, tools }), call, systemClock);

export const request = (name: string, input: unknown, released?: AbortSignal): ToolRequest => ({
  name,
  arguments: typeof input === 'string' ? input : JSON.stringify(input),
  key: 'CA1/7/0',
  call,
  released: released ?? new AbortController().signal,
});

/** Puts the timers under the test's hand; `vi.getTimerCount()` counts those that are left. */
export const useVirtualTimers = () =>
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
