/**
 * Owns: what an agent is for one call: its record, and the functions that go with it.
 * Does not own: storing the record, running the functions (`tool-runner.ts`).
 *
 * Invariants:
 * R1. A resumed call keeps its record whatever has become of the file; its functions are those of the file as it is
 *     now, by name.
 */
import { inspect } from 'node:util';
import type { Clock } from '../runtime/ports/clock.ts';
import { FixCallError, GiveUpError } from '../runtime/ports/errors.ts';
import type { Json } from '../runtime/ports/journal.ts';
import { withinDeadline } from './deadline.ts';
import type { AgentCall } from './definition.ts';
import type { CheckedAgent, CheckedTool } from './definition-schema.ts';
import { digestOf } from './digest.ts';
import { thrownPlace } from './error-place.ts';
import { checkDefinition, type LoadedAgent } from './loaded-agent.ts';
import type { AgentOrigin } from './origin.ts';
import { type AgentRecord, agentRecordSchema, recordOf } from './record.ts';

/** How long a function of the call may take: Twilio waits 15 s for the answer to its webhook. */
export const definitionMs = 5_000;

export interface ResolvedAgent {
  readonly record: AgentRecord;
  /** Of the record as it is stored. */
  readonly digest: string;
  /** The functions, by the tool's name. A tool of the record may have none any more. */
  readonly tools: ReadonlyMap<string, CheckedTool>;
  readonly onCallEnded: CheckedAgent['onCallEnded'] | null;
}

/** The agent for a new call. @throws FixCallError `agent.invalid` */
export async function resolveAgent(
  loaded: LoadedAgent,
  call: AgentCall,
  clock: Clock,
): Promise<ResolvedAgent> {
  const definition = await define(loaded, call, clock);
  const record = recordOf(definition);
  return { record, digest: digestOf(record), ...functionsOf(definition) };
}

export interface ResumedAgent extends ResolvedAgent {
  /** Why the call has no functions: the file's definition for it fails now. Null where nothing is wrong. */
  readonly fault: FixCallError | null;
}

/**
 * The agent of a call that began in another process or before a restart, from its stored record.
 * @param released the definition is not waited for any longer
 * @throws GiveUpError `log.invalid` where `stored` is no record
 */
export async function resumeAgent(
  loaded: LoadedAgent,
  call: AgentCall,
  stored: Json,
  clock: Clock,
  released?: AbortSignal,
): Promise<ResumedAgent> {
  const parsed = agentRecordSchema.safeParse(stored);
  if (!parsed.success) throw new GiveUpError('log.invalid', `call ${call.callId}: its agent is not readable`);
  const kept = { record: parsed.data, digest: digestOf(stored) };
  try {
    return { ...kept, ...functionsOf(await define(loaded, call, clock, released)), fault: null };
  } catch (error) {
    if (!(error instanceof FixCallError)) throw error;
    return { ...kept, tools: new Map(), onCallEnded: null, fault: error };
  }
}

async function define(
  { agent, origin }: LoadedAgent,
  call: AgentCall,
  clock: Clock,
  released?: AbortSignal,
): Promise<CheckedAgent> {
  if (typeof agent !== 'function') return agent;
  const ending = await withinDeadline({ clock, timeoutMs: definitionMs, released }, async () =>
    checkDefinition(await agent(call), origin),
  );
  if (ending.how === 'returned') return ending.value;
  if (ending.how === 'threw') throw callFault(origin, ending.error);
  const why =
    ending.how === 'timedOut' ? `took longer than ${definitionMs} ms` : 'was given up with its call';
  throw origin.fault(`its function ${why}`);
}

function callFault(origin: AgentOrigin, error: unknown): FixCallError {
  try {
    return readFault(origin, error);
  } catch {
    return origin.fault('its function throws what cannot be read');
  }
}

/** @throws what the getters of somebody's error do */
function readFault(origin: AgentOrigin, error: unknown): FixCallError {
  if (error instanceof FixCallError && error.code === 'agent.invalid') return error;
  if (!(error instanceof Error)) return origin.fault(`its function throws: ${inspect(error)}`);
  const place = thrownPlace(error, origin.path);
  const line = place?.file === origin.path ? place.line : null;
  return origin.fault(`its function throws: ${error.message}`, line);
}

const functionsOf = ({ tools, onCallEnded }: CheckedAgent) => ({
  tools: new Map(tools.map((tool) => [tool.name, tool])),
  onCallEnded: onCallEnded ?? null,
});
