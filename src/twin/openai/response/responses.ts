/**
 * Owns: the responses of a session: which may begin, which run, and how they are cancelled.
 * Does not own: how one runs (`response.ts`).
 *
 * Invariants:
 * A1. At most one response writes to the conversation at a time; others run beside it.
 * A2. `rate_limits.updated` follows every `response.done`.
 *
 * Bounds: `mostBeside` responses outside the conversation at a time, `mostKept` finished ones for inspection.
 *
 * Source: OpenAI Realtime, `response.create`, `response.cancel`; texts from public issue threads.
 */

import {
  nothingToCancel,
  type ProtocolError,
  responseActive,
  tooManyResponses,
} from '../protocol/protocol-errors.ts';
import { brainItemsOf } from '../session/conversation.ts';
import { rateLimitsAfter } from '../session/rate-limits.ts';
import type { SessionContext } from '../session/session-context.ts';
import { ModelResponse } from './response.ts';
import type { ResponseRequest } from './response-request.ts';

const mostBeside = 32;
const mostKept = 1_000;

export class Responses {
  readonly #context: SessionContext;
  readonly #onDone: (response: ModelResponse) => void;
  readonly #beside = new Map<string, ModelResponse>();
  readonly #kept: ModelResponse[] = [];
  #active: ModelResponse | null = null;
  #hasSpoken = false;

  /** @param onDone called after a response of the conversation is done and the limits were reported */
  constructor(context: SessionContext, onDone: (response: ModelResponse) => void) {
    this.#context = context;
    this.#onDone = onDone;
  }

  /** All responses of the session, running and finished, oldest first. */
  get all(): readonly ModelResponse[] {
    return this.#kept;
  }

  /** The response that writes to the conversation now. */
  get active(): ModelResponse | null {
    return this.#active;
  }

  /** Whether the model has produced audio in this session: its voice is then fixed. */
  get hasSpoken(): boolean {
    return this.#hasSpoken || this.#kept.some(({ audioMs }) => audioMs > 0);
  }

  /** Begins a response. Returns why not, or null. */
  create(request: ResponseRequest): ProtocolError | null {
    const isBeside = request.conversation === 'none';
    if (!isBeside && this.#active !== null) return responseActive(this.#active.id);
    if (isBeside && this.#beside.size >= mostBeside) return tooManyResponses();
    const { brain, conversation, faults } = this.#context;
    const outcome = faults.nextOutcome();
    if (outcome === 'not_created') return null;
    const { reason, instructions, input } = request;
    const reply = brain.reply({ reason, instructions, items: brainItemsOf(input ?? conversation.entries) });
    this.#start(new ModelResponse(this.#context, request, reply, outcome, (done) => this.#end(done)));
    return null;
  }

  /** Cancels the response with this id, or the one of the conversation. Returns why not, or null. */
  cancel(responseId: string | null): ProtocolError | null {
    const response = this.#find(responseId);
    if (response === null) return nothingToCancel();
    response.cancel('client_cancelled');
    return null;
  }

  /** The caller speaks: the response of the conversation is cancelled, if there is one. */
  interrupt(): void {
    this.#active?.cancel('turn_detected');
  }

  /** Stops all responses without a word: the connection is gone. */
  stop(): void {
    for (const response of this.#kept) response.stop();
  }

  #find(responseId: string | null): ModelResponse | null {
    if (responseId === null || responseId === this.#active?.id) return this.#active;
    return this.#beside.get(responseId) ?? null;
  }

  #start(response: ModelResponse): void {
    if (response.request.conversation === 'none') this.#beside.set(response.id, response);
    else this.#active = response;
    this.#keep(response);
    response.start();
  }

  #keep(response: ModelResponse): void {
    this.#kept.push(response);
    if (this.#kept.length <= mostKept) return;
    const forgotten = this.#kept.shift();
    if (forgotten !== undefined && forgotten.audioMs > 0) this.#hasSpoken = true;
  }

  #end(response: ModelResponse): void {
    this.#beside.delete(response.id);
    const wasActive = response === this.#active;
    if (wasActive) this.#active = null;
    this.#context.outbox.emit('rate_limits.updated', rateLimitsAfter(response.usage?.total_tokens ?? 0));
    if (wasActive) this.#onDone(response);
  }
}
