/**
 * Owns: the tool calls of one call that run here, and how their outcomes reach the log and the model.
 * Does not own: when they are run or recovered (the call chart), how (`src/agent/tool-runner.ts`).
 *
 * Invariants:
 * I4. After `leave` no tool runs for this call here, but for those that are to be done once: their outcome follows the
 *     call, or another process could not know whether to do it again.
 */

import type { ToolOutcome } from '../agent/tool-runner.ts';
import { transferTool } from '../agent/transfer.ts';
import type { TransferOutcome } from '../machines/commands.ts';
import type { Conversation, ConversationLine } from '../runtime/conversation.ts';
import { referTo, type Signal } from '../runtime/ports/signal.ts';
import type { CallAgent, RequestedTool } from './call-agent.ts';

/** Told to the model of a tool whose request can no longer be read: it was erased, or lies too far back. */
const requestLost = 'What was asked for is not known any more, nor whether it was done. Ask the caller.';

/** How an outcome finds a call that has left, and what is known of a run that began elsewhere. */
export interface ToolRuns {
  begin(toolCallId: string): void;
  /** @param late the outcome, where the call has left meanwhile */
  end(toolCallId: string, late: Signal | null): void;
  isUnderWay(toolCallId: string): Promise<boolean>;
}

export interface ToolCallsParts {
  agent: CallAgent;
  conversation: Conversation;
  runs: ToolRuns;
  signal(signal: Signal): void;
}

interface Running {
  released: AbortController;
  /** It is not run again elsewhere, as long as it is not known what came of it. */
  isOnce: boolean;
}

export class ToolCalls {
  readonly #parts: ToolCallsParts;
  readonly #running = new Map<string, Running>();
  #hasLeft = false;

  constructor(parts: ToolCallsParts) {
    this.#parts = parts;
  }

  /** `recover`: another process may have run it before. */
  run(toolCallId: string, way: 'run' | 'recover'): void {
    const tool = this.#requested(toolCallId);
    if (!tool) this.#finish(toolCallId, { outcome: 'unknown', result: requestLost });
    else if (tool.name !== transferTool) void this.#runTool(tool, way);
    else if (way === 'run') this.#requestTransfer(tool);
    // Somebody may have been dialled: nobody is dialled again without the caller's word.
    else this.answerTransfer(toolCallId, null);
  }

  /** What the model is to be told of a tool call; null where there is nothing yet. */
  resultOf(toolCallId: string): string | null {
    const line = this.#findLast('toolResult', toolCallId);
    return line ? (line.output ?? line.outcome) : null;
  }

  /** Tells what became of the agent's request to hand the caller on. */
  answerTransfer(toolCallId: string, outcome: TransferOutcome): void {
    this.#finish(toolCallId, {
      outcome: outcome === null ? 'unknown' : 'failed',
      result: this.#parts.agent.transferAnswer(outcome),
    });
  }

  /** The outcome is known, whoever found it. */
  settle(toolCallId: string): void {
    this.#running.get(toolCallId)?.released.abort();
  }

  /** @param isOver nobody is to be told of anything any more; else the call goes on elsewhere */
  leave(isOver: boolean): void {
    this.#hasLeft = true;
    for (const { released, isOnce } of this.#running.values()) if (isOver || !isOnce) released.abort();
  }

  async #runTool(tool: RequestedTool, way: 'run' | 'recover'): Promise<void> {
    const { agent, runs } = this.#parts;
    const released = new AbortController();
    this.#running.set(tool.toolCallId, { released, isOnce: way === 'run' && agent.isOnce(tool.name) });
    if (way === 'run') runs.begin(tool.toolCallId);
    const isUnderWay = (): Promise<boolean> => runs.isUnderWay(tool.toolCallId);
    const outcome = await agent[way](tool, released.signal, isUnderWay);
    this.#running.delete(tool.toolCallId);
    const isTold = released.signal.aborted;
    const late = isTold || !this.#hasLeft ? null : finishOf(tool.toolCallId, outcome);
    if (way === 'run') runs.end(tool.toolCallId, late);
    if (!isTold && !this.#hasLeft) this.#finish(tool.toolCallId, outcome);
  }

  /** Nothing is done outside before the intent is in the log: the chart then has the number dialled. */
  #requestTransfer({ toolCallId, arguments: text }: RequestedTool): void {
    const found = this.#parts.agent.destinationOf(text);
    if ('refusal' in found) {
      this.#finish(toolCallId, { outcome: 'failed', result: found.refusal });
      return;
    }
    this.#parts.signal({
      entry: { type: 'transfer.requested', by: 'agent', destination: referTo(found.number), toolCallId },
      payloads: { destination: found.number },
    });
  }

  #requested(toolCallId: string): RequestedTool | null {
    const line = this.#findLast('toolCall', toolCallId);
    return line === undefined || line.arguments === null
      ? null
      : { toolCallId, name: line.name, arguments: line.arguments };
  }

  #findLast<Kind extends 'toolCall' | 'toolResult'>(kind: Kind, toolCallId: string) {
    return this.#parts.conversation.lines.findLast(
      (line): line is Extract<ConversationLine, { kind: Kind }> =>
        line.kind === kind && line.toolCallId === toolCallId,
    );
  }

  #finish(toolCallId: string, outcome: ToolOutcome): void {
    this.#parts.signal(finishOf(toolCallId, outcome));
  }
}

function finishOf(toolCallId: string, { outcome, result }: ToolOutcome): Signal {
  return {
    entry: { type: 'tool.finished', toolCallId, outcome, result: referTo(result) },
    payloads: { result },
  };
}
