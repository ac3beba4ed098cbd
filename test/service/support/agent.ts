/** Owns: the agent of these tests: three tools, one of each effect, what became of them, and somebody to be put through to. */
import { z } from 'zod';
import {
  type Agent,
  type AgentDefinition,
  type CallSummary,
  defineTool,
  type Found,
} from '../../../src/agent/definition.ts';
import { checkAgent, type LoadedAgent } from '../../../src/agent/loaded-agent.ts';
import { AgentOrigin } from '../../../src/agent/origin.ts';

/** A number that the agent knows and nobody else is told. */
export const salesNumber = '+15550177777';

export class TestAgent {
  /** `name key input`, each time that a tool ran. */
  readonly runs: string[] = [];
  readonly ends: { summary: CallSummary; key: string }[] = [];
  /** What a running tool waits for. */
  gate: () => unknown = () => undefined;
  /** What `find` of the tool that is run once says. */
  found: Found = { found: false };
  onEnd: () => unknown = () => undefined;

  get definition(): AgentDefinition {
    return {
      name: 'clerk',
      instructions: 'Help the caller.',
      greeting: 'Hello, this is the clerk.',
      transfers: [{ name: 'sales', description: 'Whoever sells.', to: salesNumber }],
      tools: [this.#tool('look_up', 'none'), this.#tool('note_down', 'idempotent'), this.#ordering],
      onCallEnded: (summary, { key }) => {
        this.ends.push({ summary, key });
        return this.onEnd();
      },
    };
  }

  load(agent: Agent = this.definition): LoadedAgent {
    return checkAgent(agent, new AgentOrigin('clerk.ts', '/nowhere/clerk.ts', ''));
  }

  #tool(name: string, effect: 'none' | 'idempotent') {
    return defineTool({
      name,
      description: `Does ${name}.`,
      parameters: z.object({ what: z.string() }),
      effect,
      timeoutMs: 5_000,
      run: ({ what }, { key }) => this.#run(name, key, what),
    });
  }

  get #ordering() {
    return defineTool({
      name: 'order',
      description: 'Orders something.',
      parameters: z.object({ what: z.string() }),
      effect: 'once',
      timeoutMs: 5_000,
      run: ({ what }, { key }) => this.#run('order', key, what),
      find: () => this.found,
    });
  }

  async #run(name: string, key: string, what: string): Promise<string> {
    this.runs.push(`${name} ${key} ${what}`);
    await this.gate();
    return `${name} of ${what} done`;
  }
}
