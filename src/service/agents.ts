/**
 * Owns: the agent of each call: resolved and stored for a new one, read back for one that is claimed.
 * Does not own: what a definition may hold (`src/agent`), what a call asks of its agent (`call-agent.ts`).
 */
import type { AgentCall } from '../agent/definition.ts';
import type { LoadedAgent } from '../agent/loaded-agent.ts';
import { resolveAgent, resumeAgent } from '../agent/resolve.ts';
import { RetriedAgent } from '../agent/retried-agent.ts';
import { ToolRunner } from '../agent/tool-runner.ts';
import type { EntryOf } from '../machines/entries.ts';
import type { Clock } from '../runtime/ports/clock.ts';
import { GiveUpError } from '../runtime/ports/errors.ts';
import type { Definitions, Payload } from '../runtime/ports/journal.ts';
import { CallAgent } from './call-agent.ts';
import { unlessStalled } from './stall.ts';

/** What is known of a new call before it has a log. */
export interface CallFacts {
  direction: AgentCall['direction'];
  from: string;
  to: string;
}

export interface AgentsOptions {
  loaded: LoadedAgent;
  definitions: Definitions;
  clock: Clock;
  /** A tool or a definition failed: the author should know. The error may hold personal data. */
  onFault(error: unknown, where: { callId: string; tool?: string }): void;
}

export class Agents {
  readonly #options: AgentsOptions;

  constructor(options: AgentsOptions) {
    this.#options = options;
  }

  /** @throws FixCallError `agent.invalid`; RetryError `journal.unavailable` */
  async resolve(callId: string, { direction, from, to }: CallFacts): Promise<CallAgent> {
    const { loaded, definitions, clock } = this.#options;
    const call: AgentCall = { callId, direction, from, to, parameters: {} };
    const agent = await resolveAgent(loaded, call, clock);
    await unlessStalled(clock, definitions.saveDefinition(agent.digest, agent.record));
    return new CallAgent(agent, call, this.#runner(callId));
  }

  /** @throws GiveUpError `log.invalid` where the stored definition is gone or unreadable */
  async resume(
    callId: string,
    created: EntryOf<'call.created'>,
    payloads: readonly Payload[],
  ): Promise<CallAgent> {
    const { loaded, definitions, clock, onFault } = this.#options;
    const stored = await definitions.readDefinition(created.agent);
    if (stored === null)
      throw new GiveUpError('log.invalid', `call ${callId}: its agent definition is not stored`);
    const content = (name: string): string | null =>
      payloads.find((payload) => payload.seq === created.seq && payload.name === name)?.content ?? null;
    const call: AgentCall = {
      callId,
      direction: created.direction,
      from: content('from'),
      to: content('to'),
      parameters: {},
    };
    const ask = (released?: AbortSignal) => resumeAgent(loaded, call, stored, clock, released);
    const agent = await ask();
    if (agent.fault) onFault(agent.fault, { callId });
    const retried = new RetriedAgent(agent, { ask, onFault: (error) => onFault(error, { callId }) });
    return new CallAgent(agent, call, this.#runner(callId), retried);
  }

  #runner(callId: string): ToolRunner {
    const { clock, onFault } = this.#options;
    return new ToolRunner({
      clock,
      reportError: (error, { name }) => onFault(error, { callId, tool: name }),
    });
  }
}
