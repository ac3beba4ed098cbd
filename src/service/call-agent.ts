/**
 * Owns: what one call asks of its agent: the session's settings, the words for a reply, a tool's outcome, the news
 * that the call ended.
 * Does not own: when any of it is asked (the call chart).
 */
import type { AgentCall, CallSummary } from '../agent/definition.ts';
import { declaredTools } from '../agent/record.ts';
import type { ResolvedAgent } from '../agent/resolve.ts';
import type { RetriedAgent } from '../agent/retried-agent.ts';
import { effectOf, type ToolOutcome, type ToolRequest, type ToolRunner } from '../agent/tool-runner.ts';
import { destinationOf } from '../agent/transfer.ts';
import type { FixedWords, TransferOutcome } from '../machines/commands.ts';
import type { Conversation } from '../runtime/conversation.ts';
import type { HistoryItem, ModelRequest } from '../runtime/ports/model.ts';
import { taskToFinish, taskToSay } from './fixed-words.ts';
import type { ReplyTask } from './resumption.ts';

export interface RequestedTool {
  toolCallId: string;
  name: string;
  arguments: string;
}

const words: Record<Exclude<ReplyTask, 'greeting' | 'answer' | 'announcement'>, string> = {
  continuation:
    'The line was interrupted while you spoke, and the caller heard only what the conversation shows of your last ' +
    'words. Go on from exactly there, also where it does not show what you were asked; where you cannot go on without ' +
    'that, ask for it once more. Repeat nothing, and do not apologise.',
  repeat:
    'The line was interrupted, and you missed what the caller may have said. Say so in one short sentence, and ask ' +
    'the caller to say it again.',
  excuse:
    'Your last words were stopped before their end, and must not be gone on with. Say in one short sentence that you ' +
    'cannot say more about that, and ask what else you can do.',
  farewell: 'Say goodbye in one short, friendly sentence. Ask nothing.',
  filler: 'Say in one short sentence that you are still working on it. Say nothing else, and ask nothing.',
  return:
    'The caller was to be put through to somebody, and nobody could be reached. Say so in one short sentence, and ' +
    'offer your own help.',
};

const transferAnswers: Record<Exclude<TransferOutcome, null>, string> = {
  completed: 'The caller was put through.',
  busy: 'The line is busy: nobody could be reached. Tell the caller, and offer your own help.',
  'no-answer': 'Nobody answered. Tell the caller, and offer your own help.',
  failed: 'The number could not be reached. Tell the caller, and offer your own help.',
  canceled: 'The transfer was cancelled. Tell the caller, and offer your own help.',
};

export class CallAgent {
  readonly #agent: ResolvedAgent;
  readonly #call: AgentCall;
  readonly #runner: ToolRunner;
  readonly #retried: RetriedAgent | null;

  /** @param retried of a call that is resumed */
  constructor(
    agent: ResolvedAgent,
    call: AgentCall,
    runner: ToolRunner,
    retried: RetriedAgent | null = null,
  ) {
    this.#agent = agent;
    this.#call = call;
    this.#runner = runner;
    this.#retried = retried;
  }

  /** Why a resumed call's agent has no functions; null where nothing is wrong. */
  get fault(): Error | null {
    return this.#retried?.fault ?? null;
  }

  get digest(): string {
    return this.#agent.digest;
  }

  modelRequest(generation: number, history: readonly HistoryItem[], pingEveryMs: number): ModelRequest {
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
      pingEveryMs,
    };
  }

  /**
   * The model's instructions for this reply, which replace those of the session (OpenAI Realtime, `response.create`): so
   * the agent's own come first. Null: the session's hold.
   *
   * @param of what a continuation finishes, where its words are fixed
   */
  instructionsFor(purpose: ReplyTask, conversation: Conversation, of?: FixedWords): string | null {
    const task =
      purpose === 'continuation' && of
        ? this.#taskToFinish(of, conversation)
        : this.#taskFor(purpose, conversation.announcement);
    return task === null ? null : `${this.#agent.record.instructions}\n\n${task}`;
  }

  #taskFor(purpose: ReplyTask, announcement: string | null): string | null {
    if (purpose === 'answer') return null;
    if (purpose === 'greeting')
      return `Greet the caller with exactly these words, and nothing else: "${this.#agent.record.greeting}"`;
    if (purpose !== 'announcement') return words[purpose];
    return announcement === null ? null : taskToSay(announcement);
  }

  /** The words may be erased meanwhile. */
  #taskToFinish(of: FixedWords, { announcement, lines }: Conversation): string {
    const fixed = of === 'greeting' ? this.#agent.record.greeting : announcement;
    return fixed === null ? words.continuation : taskToFinish(fixed, lines);
  }

  hangUpAnswer(accepted: boolean): string {
    return accepted
      ? 'Say goodbye now: the call ends once the caller has heard it.'
      : 'The caller spoke again, so the call goes on. Answer the caller.';
  }

  transferAnswer(outcome: TransferOutcome): string {
    return outcome === null
      ? 'It is not known whether the caller was put through. Ask the caller.'
      : transferAnswers[outcome];
  }

  /** The number (E.164) that the model's request to hand the caller on means. */
  destinationOf(text: string): { number: string } | { refusal: string } {
    return destinationOf(this.#agent.record, text);
  }

  async run(tool: RequestedTool, released: AbortSignal): Promise<ToolOutcome> {
    const agent = (await this.#retried?.whole(released)) ?? this.#agent;
    return await this.#runner.run(agent, this.#request(tool, released));
  }

  async recover(
    tool: RequestedTool,
    released: AbortSignal,
    isUnderWay: () => Promise<boolean>,
  ): Promise<ToolOutcome> {
    const agent = (await this.#retried?.whole(released)) ?? this.#agent;
    return await this.#runner.recover(agent, { ...this.#request(tool, released), isUnderWay });
  }

  /** What the tool does must not be done twice. */
  isOnce(name: string): boolean {
    return effectOf(this.#agent, name) === 'once';
  }

  async tellEnd(end: Omit<CallSummary, 'call'>): Promise<void> {
    await this.#agent.onCallEnded?.({ call: this.#call, ...end }, { key: this.#call.callId });
  }

  #request({ toolCallId, name, arguments: text }: RequestedTool, released: AbortSignal): ToolRequest {
    const { callId } = this.#call;
    return { name, arguments: text, key: `${callId}/${toolCallId}`, call: this.#call, released };
  }
}
