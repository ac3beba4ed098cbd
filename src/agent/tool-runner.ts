/**
 * Owns: running one tool call, and finding out what became of one that a dead process began.
 * Does not own: when either is done, and the entries around it (the call chart).
 *
 * Invariants:
 * X1. It always ends in an outcome, within the tool's time, and never rejects.
 * X2. A tool whose effect is `once` is never run twice with effect: it runs again only where `find` says that the earlier
 *     run left nothing, once that run cannot be under way any more.
 * X3. The model is told nothing of an error but that there was one.
 */
import { z } from 'zod';
import type { EntryOf } from '../machines/entries.ts';
import type { ToolEffect } from '../machines/entry-values.ts';
import type { Clock } from '../runtime/ports/clock.ts';
import { type Ending, withinDeadline } from './deadline.ts';
import type { AgentCall, Found, ToolContext } from './definition.ts';
import type { CheckedTool } from './definition-schema.ts';
import type { ResolvedAgent } from './resolve.ts';
import { resultText } from './tool-result.ts';

export interface ToolRequest {
  name: string;
  /** JSON as the model wrote it. */
  arguments: string;
  /** The same for every attempt at this tool call. */
  key: string;
  call: AgentCall;
  /** Aborted when nobody waits for the outcome any more. */
  released: AbortSignal;
}

export interface RecoveryRequest extends ToolRequest {
  /** Whether the process that ran it before may still be at it. */
  isUnderWay(): Promise<boolean>;
}

export interface ToolOutcome {
  outcome: EntryOf<'tool.finished'>['outcome'];
  /** For the model, at most 32 kB of UTF-8. */
  result: string;
}

export interface ToolRunnerParts {
  clock: Clock;
  /** Hears what the model does not: whatever a tool threw. It may hold personal data. */
  reportError(error: unknown, tool: { name: string; key: string }): void;
}

const foundSchema: z.ZodType<Found> = z.discriminatedUnion('found', [
  z.object({ found: z.literal(true), result: z.unknown() }),
  z.object({ found: z.literal(false) }),
]);

/** From harmless to harmful. */
const effects: readonly ToolEffect[] = ['none', 'idempotent', 'once'];

const doNotRepeat = 'Do not repeat it without asking the caller.';
const outcomeUnknown: ToolOutcome = {
  outcome: 'unknown',
  result: `The outcome is unknown: it may or may not have been done. ${doNotRepeat}`,
};

const failed = (result: string): ToolOutcome => ({ outcome: 'failed', result: resultText(result) });

/** How long the earlier run of a tool may take whose function is not there. */
const unknownToolMs = 10_000;

/** Between two looks whether an earlier run has come to something. */
const lookAgainMs = 250;

type Attempt = { refusal: string } | { result: unknown };

export class ToolRunner {
  readonly #parts: ToolRunnerParts;

  constructor(parts: ToolRunnerParts) {
    this.#parts = parts;
  }

  /** The first attempt at a tool call. */
  async run(agent: ResolvedAgent, request: ToolRequest): Promise<ToolOutcome> {
    const { tool, effect } = lookUp(agent, request.name);
    return tool ? await this.#attempt(tool, effect, request) : absent(request.name);
  }

  /** A tool call that was begun elsewhere and has no outcome. */
  async recover(agent: ResolvedAgent, request: RecoveryRequest): Promise<ToolOutcome> {
    const { tool, effect } = lookUp(agent, request.name);
    if (effect === 'once') return await this.#recoverOnce(tool, request);
    if (tool) return await this.#attempt(tool, effect, request);
    // Without its function a call that may have had its effect cannot be repeated, nor can anybody say that it had none.
    return effect === 'none' ? absent(request.name) : outcomeUnknown;
  }

  async #recoverOnce(tool: CheckedTool | undefined, request: RecoveryRequest): Promise<ToolOutcome> {
    const { clock } = this.#parts;
    const longestUntil = clock.monotonic() + (tool?.timeoutMs ?? unknownToolMs);
    while (!request.released.aborted) {
      // In this order: what it did before it was over is found.
      const isOver = clock.monotonic() >= longestUntil || !(await request.isUnderWay());
      const found = tool && (await this.#find(tool, request));
      if (found?.found) return { outcome: 'completed', result: resultText(found.result) };
      if (isOver) return found ? await this.#attempt(tool, 'once', request) : outcomeUnknown;
      await this.#pause();
    }
    return outcomeUnknown;
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#parts.clock.setTimeout(resolve, lookAgainMs));
  }

  async #attempt(tool: CheckedTool, effect: ToolEffect, request: ToolRequest): Promise<ToolOutcome> {
    const ending = await this.#withinTime(tool, request, async (context): Promise<Attempt> => {
      const parsed = await parseArguments(tool, request.arguments);
      if (!parsed.success) return { refusal: parsed.fault };
      context.signal.throwIfAborted();
      return { result: await tool.run(parsed.data, context) };
    });
    return outcomeOf(ending, tool, effect);
  }

  /** What `find` says; null where there is none, or where it does not say. */
  async #find(tool: CheckedTool, request: ToolRequest): Promise<Found | null> {
    if (!tool.find) return null;
    const ending = await this.#withinTime(tool, request, async (context) =>
      foundSchema.safeParse(await tool.find?.(request.key, context)),
    );
    return (ending.how === 'returned' && ending.value.data) || null;
  }

  async #withinTime<Value>(
    { name, timeoutMs }: CheckedTool,
    { key, call, released }: ToolRequest,
    work: (context: ToolContext) => Value | Promise<Value>,
  ): Promise<Ending<Value>> {
    const { clock } = this.#parts;
    const ending = await withinDeadline({ clock, timeoutMs, released }, (signal) =>
      work({ key, signal, call }),
    );
    if (ending.how === 'threw') this.#report(ending.error, { name, key });
    return ending;
  }

  /** X1: an error that cannot even be told is no reason to leave the call without an outcome. */
  #report(error: unknown, tool: { name: string; key: string }): void {
    try {
      this.#parts.reportError(error, tool);
    } catch {
      // Whoever was to hear of it cannot hear of this either.
    }
  }
}

/** By the worse of what it is now and what the model was told. */
export const effectOf = (agent: ResolvedAgent, name: string): ToolEffect => lookUp(agent, name).effect;

/** The function that is there now, and the worse of the effects that it has now and had when the model was told of it. */
function lookUp({ record, tools }: ResolvedAgent, name: string) {
  const declared = record.tools.find((declaration) => declaration.name === name);
  const tool = declared && tools.get(name);
  const rank = Math.max(effects.indexOf(declared?.effect ?? 'none'), effects.indexOf(tool?.effect ?? 'none'));
  return { tool, effect: effects[rank] ?? 'once' };
}

const absent = (name: string): ToolOutcome =>
  failed(`The tool ${name} does not exist, or no longer. Go on without it.`);

function outcomeOf(ending: Ending<Attempt>, { timeoutMs }: CheckedTool, effect: ToolEffect): ToolOutcome {
  const warning = effect === 'none' ? '' : ` It may have been done all the same. ${doNotRepeat}`;
  switch (ending.how) {
    case 'returned':
      return 'refusal' in ending.value
        ? failed(ending.value.refusal)
        : { outcome: 'completed', result: resultText(ending.value.result) };
    case 'threw':
      return failed(`The tool failed.${warning}`);
    case 'timedOut':
      return { outcome: 'timedOut', result: `The tool did not answer within ${timeoutMs} ms.${warning}` };
    case 'released':
      return outcomeUnknown;
  }
}

type Parsed = { success: true; data: Record<string, unknown> } | { success: false; fault: string };

/** Nothing at all stands for no arguments: models write both. */
async function parseArguments({ parameters }: CheckedTool, text: string): Promise<Parsed> {
  const advice = 'Correct them and call the tool again.';
  const json = readJson(text.trim() || '{}');
  if (json === undefined) return { success: false, fault: `The arguments are not JSON. ${advice}` };
  const parsed = await parameters.safeParseAsync(json);
  if (parsed.success) return parsed;
  return { success: false, fault: `The arguments are wrong. ${advice}\n${z.prettifyError(parsed.error)}` };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
