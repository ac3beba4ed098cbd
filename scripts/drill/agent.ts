/**
 * Owns: the agent that answers the calls of a drill, and its tools of each kind of effect. Every effect happens at the
 * address in DRILL_EFFECTS_URL, outside the process that may be killed.
 * Does not own: what is said (`brain.ts`), the effects (`effects.ts`).
 */
import { type AgentCall, defineAgent, defineTool, type Found } from 'holdfast';
import { z } from 'zod';
import { callerOf, instructionsFor, type ToolName } from './conversation.ts';

const effectsUrl = process.env.DRILL_EFFECTS_URL ?? '';

const parameters = z.object({ caller: z.number(), question: z.number() });
type Input = z.output<typeof parameters>;

async function act(tool: ToolName, input: Input, key: string, signal: AbortSignal): Promise<string> {
  const body = JSON.stringify({ ...input, tool, key, pid: process.pid });
  const answer = await fetch(`${effectsUrl}/effects`, { method: 'POST', body, signal });
  if (!answer.ok) throw new Error(`the effect was refused: ${answer.status}`);
  return `Done for caller ${input.caller} question ${input.question}.`;
}

async function find(key: string): Promise<Found> {
  const answer = await fetch(`${effectsUrl}/effects?key=${encodeURIComponent(key)}`);
  if (answer.status === 404) return { found: false };
  const { caller, question } = (await answer.json()) as Input;
  return { found: true, result: `Done for caller ${caller} question ${question}.` };
}

const timeoutMs = 30_000;

function toolWith(name: ToolName, effect: 'none' | 'idempotent' | 'once', findable = false) {
  return defineTool({
    name,
    description: `Does something whose effect is ${effect}.`,
    parameters,
    effect,
    timeoutMs,
    run: (input, { key, signal }) => act(name, input, key, signal),
    ...(findable ? { find } : {}),
  });
}

const tools = [
  toolWith('look_up', 'none'),
  toolWith('set_day', 'idempotent'),
  toolWith('pay', 'once'),
  toolWith('book', 'once', true),
];

export default defineAgent((call: AgentCall) => ({
  name: 'drill',
  instructions: instructionsFor(callerOf(call.from ?? '+0')),
  greeting: 'Good day!',
  tools,
}));
