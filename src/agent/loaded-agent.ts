/**
 * Owns: an agent as its author exported it, checked as far as can be told before there is a call.
 * Does not own: the file (`load.ts`), what a call makes of it (`resolve.ts`).
 */
import type { Agent, AgentForCall } from './definition.ts';
import { agentSchema, type CheckedAgent } from './definition-schema.ts';
import type { AgentOrigin, DefinitionIssue } from './origin.ts';

export interface LoadedAgent {
  readonly origin: AgentOrigin;
  readonly agent: CheckedAgent | AgentForCall;
}

/** Takes an agent that is in memory already. @throws FixCallError `agent.invalid` */
export function checkAgent(agent: Agent, origin: AgentOrigin): LoadedAgent {
  return { origin, agent: typeof agent === 'function' ? agent : checkDefinition(agent, origin) };
}

/** @throws FixCallError `agent.invalid` with every wrong property and its line */
export function checkDefinition(definition: unknown, origin: AgentOrigin): CheckedAgent {
  const checked = agentSchema.safeParse(definition);
  if (checked.success) return checked.data;
  throw origin.definitionFault(
    checked.error.issues.flatMap((issue): DefinitionIssue[] =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({ path: [...issue.path, key], message: issue.message }))
        : [issue],
    ),
  );
}
