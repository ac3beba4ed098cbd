/**
 * Owns: what one call asks of its agent: the session's settings, the words for a reply, a tool's outcome, the news
 * that the call ended.
 * Does not own: when any of it is asked (the call chart).
 */
import type { AgentCall, CallSummary } from '../agent/definition.ts';
import { declaredTools } from '../agent/record.ts';
import type { ResolvedAgent } from '../agent/resolve.ts';
import type { ToolOutcome, ToolRequest, ToolRunner } from '../agent/tool-runner.ts';
import type { ReplyPurpose } from '../machines/commands.ts';
import type { HistoryItem, ModelRequest } from '../runtime/ports/model.ts';

export interface RequestedTool {
  toolCallId: string;
  name: string;
  arguments: string;
}

const words: Record<Exclude<ReplyPurpose, 'greeting' | 'answer'>, string> = {
  continuation:
    'The line was interrupted while you spoke, and the caller heard only what the conversation shows of your last ' +
    'words. Go on from exactly there. Repeat nothing, and do not apologise.',
  repeat:
    'The line was interrupted while the caller spoke, and you missed it. Say so in one short sentence, and ask the ' +
    'caller to say it again.',
  farewell: 'Say goodbye in one short, friendly sentence. Ask nothing.',
};

export class CallAgent {
  readonly #agent: ResolvedAgent;
  readonly #call: AgentCall;
  readonly #runner: ToolRunner;
  readonly #fault: Error | null;

  constructor(agent: ResolvedAgent, call: AgentCall, runner: ToolRunner, fault: Error | null = null) {
    this.#agent = agent;
    this.#call = call;
    this.#runner = runner;
    this.#fault = fault;
  }

  /** Why a resumed call's agent has no functions; null where nothing is wrong. */
  get fault(): Error | null {
    return this.#fault;
  }

  get digest(): string {
    return this.#agent.digest;
  }

  modelRequest(generation: number, history: readonly HistoryItem[]): ModelRequest {
    const { record } = this.#agent;
    const { instructions, voice, turnDetection, transcription } = record;
    const tools = declaredTools(record);
    return {
      callId: this.#call.callId,
      generation,
      instructions,
      voice,
      turnDetection,
      transcription,
      tools,
      history,
    };
  }

  /** What the model is told beside its instructions for this reply; null: nothing. */
  wordsFor(purpose: ReplyPurpose): string | null {
    if (purpose === 'answer') return null;
    if (purpose !== 'greeting') return words[purpose];
    return `Greet the caller with exactly these words, and nothing else: "${this.#agent.record.greeting}"`;
  }

  hangUpAnswer(accepted: boolean): string {
    return accepted
      ? 'Say goodbye now: the call ends once the caller has heard it.'
      : 'The caller spoke again, so the call goes on. Answer the caller.';
  }

  run(tool: RequestedTool, released: AbortSignal): Promise<ToolOutcome> {
    return this.#runner.run(this.#agent, this.#request(tool, released));
  }

  recover(tool: RequestedTool, released: AbortSignal): Promise<ToolOutcome> {
    return this.#runner.recover(this.#agent, this.#request(tool, released));
  }

  async tellEnd(end: Omit<CallSummary, 'call'>): Promise<void> {
    await this.#agent.onCallEnded?.({ call: this.#call, ...end }, { key: this.#call.callId });
  }

  #request({ toolCallId, name, arguments: text }: RequestedTool, released: AbortSignal): ToolRequest {
    const { callId } = this.#call;
    return { name, arguments: text, key: `${callId}/${toolCallId}`, call: this.#call, released };
  }
}
