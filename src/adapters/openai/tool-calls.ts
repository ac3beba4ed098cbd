/**
 * Owns: the tool calls of a session: which are passed on, which are answered here, and their results on the wire.
 * Does not own: running a tool (the runtime), asking for the reply that follows (the call chart).
 *
 * Source: OpenAI Realtime, function calling: `response.function_call_arguments.done`, `response.output_item.done` and
 * `response.done` describe the same call.
 *
 * Invariants:
 * L3. A tool call is passed on once per id, whatever the far side repeats.
 * T1. A tool call has one result on the wire.
 * T2. At most `openToolCalls` calls are open, and at most `toolCalls` are known in a session; further ones are answered
 *     with an error here.
 */

import type { ToolDeclaration } from '../../runtime/ports/model.ts';
import { referTo, type Signal } from '../../runtime/ports/signal.ts';
import type { ConversationItem, Seed } from './history.ts';
import type { OpenAiLimits } from './limits.ts';
import type { FunctionCall } from './server-events.ts';

/** What follows from a tool call: somebody runs it, it is answered here, or it was seen before. */
export type CallOutcome = { pass: Signal } | { answer: ConversationItem } | 'repeated';

export class ToolCalls {
  readonly #declarations: ReadonlyMap<string, ToolDeclaration>;
  readonly #limits: OpenAiLimits;
  /** By our id. A seeded call may go by another one on the wire. */
  readonly #calls: Seed['toolCalls'];

  /** @param seeded those of the history; others of the time before the session may be added to it */
  constructor(declarations: readonly ToolDeclaration[], seeded: Seed['toolCalls'], limits: OpenAiLimits) {
    this.#declarations = new Map(declarations.map((declaration) => [declaration.name, declaration]));
    this.#limits = limits;
    this.#calls = seeded;
  }

  take(call: FunctionCall, replyId: string): CallOutcome {
    const toolCallId = call.call_id;
    if (this.#calls.has(toolCallId)) return 'repeated';
    const isKnowable = this.#calls.size < this.#limits.toolCalls;
    const declaration = this.#declarations.get(call.name);
    const open = declaration !== undefined && isKnowable && this.#countOpen() < this.#limits.openToolCalls;
    if (isKnowable) this.#calls.set(toolCallId, { wireId: toolCallId, open });
    if (!open) {
      const error = declaration ? 'Too many tool calls are open.' : 'There is no such tool.';
      return { answer: outputItem(toolCallId, JSON.stringify({ error })) };
    }
    const { name, arguments: content } = call;
    const entry = {
      type: 'tool.requested',
      toolCallId,
      replyId,
      name,
      effect: declaration.effect,
      arguments: referTo(content),
    } as const;
    return { pass: { entry, payloads: { arguments: content } } };
  }

  /** The item that carries the result; null where the call has one already. */
  answer(toolCallId: string, output: string): ConversationItem | null {
    const call = this.#calls.get(toolCallId);
    if (!call) return strangersResult(toolCallId, output);
    if (!call.open) return null;
    call.open = false;
    return outputItem(call.wireId, output);
  }

  #countOpen(): number {
    return [...this.#calls.values()].filter(({ open }) => open).length;
  }
}

const outputItem = (callId: string, output: string): ConversationItem => ({
  type: 'function_call_output',
  call_id: callId,
  output,
});

/** The call was made in an earlier session and is not part of this one's history: the far side would refuse its output. */
const strangersResult = (toolCallId: string, output: string): ConversationItem => ({
  type: 'message',
  role: 'system',
  content: [{ type: 'input_text', text: `Result of the earlier tool call ${toolCallId}: ${output}` }],
});
