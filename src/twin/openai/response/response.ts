/**
 * Owns: one response from `response.created` to `response.done`: its outputs, their pace, its end.
 * Does not own: whether it may begin (`responses.ts`), what is said (`brain.ts`).
 *
 * Invariants:
 * R1. Between `response.created` and `response.done` every output that was opened is closed, also when the
 *     response is cancelled, fails or is cut short; its item is then `incomplete`.
 * R2. After `response.done` nothing of the response follows but what `sendLate` sends on purpose.
 *
 * Source: OpenAI Realtime, `response.create`, `response.done`; recorded order of events.
 */
import type { TimerHandle } from '../../../runtime/ports/clock.ts';
import type { BrainReply } from '../brain.ts';
import type { ResponseOutcome } from '../faults.ts';
import type { ConversationItem, Entry } from '../session/conversation.ts';
import type { SessionContext } from '../session/session-context.ts';
import type { Tokens, Usage } from '../session/usage.ts';
import { planOutputs } from './output-plan.ts';
import type { ResponseOutput } from './response-output.ts';
import type { ResponseRequest } from './response-request.ts';
import { SpeechOutput } from './speech-output.ts';

export type ResponseStatus = 'in_progress' | 'completed' | 'cancelled' | 'incomplete' | 'failed';

/** Why a response did not complete, as `status_details` says it. */
export type StatusDetails =
  | { type: 'cancelled'; reason: 'turn_detected' | 'client_cancelled' }
  | { type: 'incomplete'; reason: 'max_output_tokens' | 'content_filter' }
  | { type: 'failed'; error: { type: string; code: string | null; message: string } };

const failureMessages: Partial<Record<ResponseOutcome, string>> = {
  server_error: 'The server had an error while processing your request. Sorry about that!',
  rate_limit_exceeded: 'Rate limit reached. Please try again later.',
  insufficient_quota: 'You exceeded your current quota, please check your plan and billing details.',
};

/** Audio in flight after a cancelled response comes at this distance. */
const lateDeltaMs = 20;

export class ModelResponse {
  readonly id: string;
  readonly request: ResponseRequest;
  readonly #context: SessionContext;
  readonly #outcome: ResponseOutcome | null;
  readonly #outputs: ResponseOutput[];
  /** What the model reads, until its use is measured. */
  #read: readonly Entry[];
  readonly #onDone: (response: ModelResponse) => void;
  /** Outputs that were announced; they are the first ones. */
  #opened = 0;
  readonly #unfinished = new Set<ResponseOutput>();
  #status: ResponseStatus = 'in_progress';
  #statusDetails: StatusDetails | null = null;
  #usage: Usage | null = null;
  #timer: TimerHandle;
  #isStopped = false;

  /** @param onDone called right after `response.done` was sent */
  constructor(
    context: SessionContext,
    request: ResponseRequest,
    reply: BrainReply,
    outcome: ResponseOutcome | null,
    onDone: (response: ModelResponse) => void,
  ) {
    this.id = context.identify('resp');
    this.request = request;
    this.#context = context;
    this.#outcome = outcome;
    this.#read = [...(request.input ?? context.conversation.entries)];
    this.#outputs = planOutputs(context, request, reply, { responseId: this.id, outcome });
    this.#onDone = onDone;
  }

  get status(): ResponseStatus {
    return this.#status;
  }

  get statusDetails(): StatusDetails | null {
    return this.#statusDetails;
  }

  get usage(): Usage | null {
    return this.#usage;
  }

  /** The items that were announced so far. */
  get output(): ConversationItem[] {
    return this.#outputs.slice(0, this.#opened).map(({ item }) => item);
  }

  /** Milliseconds of audio sent so far. */
  get audioMs(): number {
    return this.#outputs.reduce((sum, { entry }) => sum + (entry.speech?.generatedMs ?? 0), 0);
  }

  start(): void {
    this.#context.outbox.emit('response.created', { response: this.#describe() });
    if (this.#outcome === 'stuck') return;
    this.#wait(this.#context.pace.firstOutputDelayMs, () => this.#begin());
  }

  /** Ends the response early. */
  cancel(reason: 'turn_detected' | 'client_cancelled'): void {
    this.#finish('cancelled', { type: 'cancelled', reason });
    this.#sendLate(this.#context.faults.lateDeltas());
  }

  /** Stops without a word: the connection is gone. */
  stop(): void {
    this.#isStopped = true;
    this.#context.clock.clearTimeout(this.#timer);
  }

  #begin(): void {
    const message = this.#outcome === null ? undefined : failureMessages[this.#outcome];
    if (this.#outcome !== null && message !== undefined) {
      const error = { type: this.#outcome, code: null, message };
      this.#finish('failed', { type: 'failed', error });
    } else {
      this.#advance();
    }
  }

  /** One step: the next output is announced, and every unfinished one sends its next piece. */
  #advance(): void {
    this.#openNext();
    const delaysMs: number[] = [];
    for (const output of this.#unfinished) {
      const delayMs = output.advance();
      if (delayMs === null) this.#close(output);
      else delaysMs.push(delayMs);
    }
    if (this.#outcome === 'content_filter') this.#cutShort('content_filter');
    else if (this.#exceedsTokens()) this.#cutShort('max_output_tokens');
    else if (delaysMs.length > 0) this.#wait(Math.max(...delaysMs), () => this.#advance());
    else if (this.#opened < this.#outputs.length) this.#advance();
    else this.#finish('completed', null);
  }

  #openNext(): void {
    const output = this.#outputs[this.#opened];
    if (output === undefined) return;
    this.#opened += 1;
    this.#unfinished.add(output);
    output.open();
  }

  #close(output: ResponseOutput): void {
    this.#unfinished.delete(output);
    output.close('completed');
  }

  #exceedsTokens(): boolean {
    const { text, audio } = this.#tokens();
    return this.request.maximumTokens !== 'inf' && text + audio > this.request.maximumTokens;
  }

  #cutShort(reason: 'max_output_tokens' | 'content_filter'): void {
    this.#finish('incomplete', { type: 'incomplete', reason });
  }

  #finish(status: ResponseStatus, details: StatusDetails | null): void {
    const { clock, outbox, usage, settings } = this.#context;
    clock.clearTimeout(this.#timer);
    for (const output of this.#unfinished) output.close('incomplete');
    this.#unfinished.clear();
    this.#status = status;
    this.#statusDetails = details;
    this.#usage = status === 'failed' ? null : usage.measure(settings(), this.#read, this.#tokens());
    this.#read = [];
    outbox.emit('response.done', { response: this.#describe() });
    this.#onDone(this);
  }

  #sendLate(deltas: number): void {
    const speech = this.#opened > 0 ? this.#outputs[0] : undefined;
    if (deltas === 0 || !(speech instanceof SpeechOutput) || !speech.sendLate()) return;
    this.#wait(lateDeltaMs, () => this.#sendLate(deltas - 1));
  }

  #tokens(): Tokens {
    const tokens = { text: 0, audio: 0 };
    for (const output of this.#outputs.slice(0, this.#opened)) {
      tokens.text += output.tokens().text;
      tokens.audio += output.tokens().audio;
    }
    return tokens;
  }

  #wait(delayMs: number, then: () => void): void {
    if (!this.#isStopped) this.#timer = this.#context.clock.setTimeout(then, delayMs);
  }

  #describe(): object {
    const { conversation, modalities, maximumTokens, format, voice, metadata } = this.request;
    return {
      object: 'realtime.response',
      id: this.id,
      status: this.#status,
      status_details: this.#statusDetails,
      output: this.#status === 'in_progress' ? [] : this.output,
      conversation_id: conversation === 'auto' ? this.#context.conversation.id : null,
      output_modalities: modalities,
      max_output_tokens: maximumTokens,
      audio: { output: { format, voice } },
      usage: this.#usage,
      metadata,
    };
  }
}
