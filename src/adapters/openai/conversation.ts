/**
 * Owns: what happens in a session that is open: the caller's turns, replies, tool calls, and errors about them.
 * Does not own: opening and ending (`session.ts`); the parts that it puts together (`replies.ts`, `tool-calls.ts`,
 * `response-queue.ts`).
 *
 * Invariants: L3 and L4 of the model port.
 */
import type { RealtimeClientEvent } from 'openai/resources/realtime/realtime';
import type { Clock } from '../../runtime/ports/clock.ts';
import type { HistoryItem, ModelListener, ModelRequest } from '../../runtime/ports/model.ts';
import { referTo } from '../../runtime/ports/signal.ts';
import { Addenda, type Seed } from './history.ts';
import type { OpenAiLimits } from './limits.ts';
import type { CountOddity } from './oddity.ts';
import { RatePauses } from './rate-pauses.ts';
import { type ErrorName, reactionToError } from './refusals.ts';
import { type OpenReply, Replies } from './replies.ts';
import { type ReplyRequest, ResponseQueue } from './response-queue.ts';
import {
  type FinishedResponse,
  functionCallOf,
  type ServerEvent,
  type ServerEventOf,
} from './server-events.ts';
import { silenceOf } from './session-update.ts';
import { ToolCalls } from './tool-calls.ts';
import { truncationOf } from './truncation.ts';

export interface ConversationNeeds {
  clock: Clock;
  limits: OpenAiLimits;
  /** 0 (included) to 1 (excluded). */
  random: () => number;
  count: CountOddity;
  listener: ModelListener;
  send(event: RealtimeClientEvent): void;
  /** A reply failed: ends the session where none survives the error. */
  condemn(error: ErrorName): void;
}

export class Conversation {
  readonly #needs: ConversationNeeds;
  readonly #silenceMs: number;
  readonly #queue: ResponseQueue;
  readonly #replies: Replies;
  readonly #toolCalls: ToolCalls;
  readonly #addenda: Addenda;
  readonly #ratePauses: RatePauses;
  #isOpen = false;
  /** What is to be added to the conversation once the session is open, in order. */
  #held: (() => void)[] = [];
  /** Replies in a row after which the adapter asked for the next one. */
  #followUps = 0;

  constructor(request: ModelRequest, seed: Seed, needs: ConversationNeeds) {
    this.#needs = needs;
    this.#silenceMs = silenceOf(request.turnDetection);
    this.#queue = new ResponseQueue(needs);
    this.#replies = new Replies(needs.clock, needs.listener, needs.limits, needs.count);
    this.#toolCalls = new ToolCalls(request.tools, seed.toolCalls, needs.limits);
    this.#addenda = new Addenda(seed);
    this.#ratePauses = new RatePauses(needs.limits, needs.random);
  }

  /** From now on things are sent; first what waited. */
  open(): void {
    this.#isOpen = true;
    for (const add of this.#held.splice(0)) add();
    this.#queue.open();
  }

  /** The session is over: signals the transcripts of what was cut off. */
  stop(): void {
    this.#queue.stop();
    this.#replies.stop();
  }

  createReply(request: ReplyRequest): void {
    this.#queue.ask(request);
  }

  cancelReply(): void {
    this.#queue.cancel();
  }

  truncate(itemId: string, playedMs: number): void {
    const item = this.#replies.item(itemId);
    const event = item ? truncationOf(item, playedMs) : null;
    if (event) this.#needs.send(event);
  }

  sendToolResult(toolCallId: string, output: string): void {
    this.#onceOpen(() => {
      const item = this.#toolCalls.answer(toolCallId, output);
      if (item) this.#needs.send({ type: 'conversation.item.create', item });
    });
  }

  remember(item: HistoryItem, place: number): void {
    this.#onceOpen(() => {
      const event = this.#addenda.add(item, place);
      if (event) this.#needs.send(event);
    });
  }

  /** Nobody hears a reply that the far side began before the session is open; the first request waits for its end. */
  noteEarly(event: ServerEvent): void {
    if (event.type !== 'response.created' && event.type !== 'response.done') return;
    const { id, conversation_id: conversationId } = event.response;
    if (conversationId === null) return;
    if (event.type === 'response.created') this.#queue.noteStarted(id, null);
    else this.#queue.noteFinished(id);
  }

  take(event: ServerEvent): void {
    switch (event.type) {
      case 'response.output_audio.delta':
        this.#replies.takeAudio(event);
        break;
      case 'response.output_audio.done':
        this.#replies.endItem(event);
        break;
      case 'response.output_audio_transcript.delta':
        this.#replies.takeTranscript(event);
        break;
      case 'response.output_audio_transcript.done':
        this.#replies.completeTranscript(event);
        break;
      case 'response.function_call_arguments.delta':
      case 'response.output_text.delta':
        this.#replies.noteWritten(event.response_id);
        break;
      case 'response.created':
        this.#startReply(event);
        break;
      case 'response.output_item.done':
        this.#takeOutput(this.#replies.find(event.response_id), [event.item]);
        break;
      case 'response.done':
        this.#finishReply(event.response);
        break;
      case 'error':
        this.#takeError(event.error);
        break;
      default:
        this.#takeTurn(event);
        break;
    }
  }

  #takeTurn(event: ServerEvent): void {
    const { listener } = this.#needs;
    if (event.type === 'input_audio_buffer.speech_started') {
      this.#queue.noteCallerSpeaking();
      listener.onSignal({ entry: { type: 'caller.startedSpeaking', itemId: event.item_id } });
    } else if (event.type === 'input_audio_buffer.speech_stopped') {
      const silenceMs = this.#silenceMs;
      listener.onTurnEnded(event.item_id, event.audio_end_ms ?? null);
      listener.onSignal({ entry: { type: 'caller.stoppedSpeaking', itemId: event.item_id, silenceMs } });
    } else if (event.type === 'conversation.item.input_audio_transcription.completed') {
      this.#signalTranscript(event.item_id, event.transcript.trim());
    } else if (event.type === 'conversation.item.input_audio_transcription.failed') {
      this.#signalTranscript(event.item_id, '');
    }
  }

  #signalTranscript(itemId: string, transcript: string): void {
    const type = 'caller.transcribed';
    this.#needs.listener.onSignal(
      transcript === ''
        ? { entry: { type, itemId, transcript: null } }
        : { entry: { type, itemId, transcript: referTo(transcript) }, payloads: { transcript } },
    );
  }

  #startReply({ response }: ServerEventOf<'response.created'>): void {
    if (response.conversation_id === null || this.#replies.find(response.id)) {
      this.#needs.count('strayEvent');
      return;
    }
    // The queue first: whoever hears of the reply may cancel it at once.
    const isWanted = this.#queue.noteStarted(response.id, response.metadata?.request ?? null);
    if (isWanted) this.#replies.start(response.id);
  }

  #finishReply(response: FinishedResponse): void {
    if (response.conversation_id === null) return;
    const reply = this.#replies.find(response.id);
    this.#takeOutput(reply, response.output);
    if (reply) this.#endReply(reply, response);
    // Before the queue, which would ask a lost session for the next reply.
    const error = response.status_details?.error;
    if (error) this.#heedFailure(error);
    else if (response.status === 'completed') this.#ratePauses.noteCompleted();
    this.#queue.noteFinished(response.id);
  }

  #heedFailure(error: ServerEventOf<'error'>['error']): void {
    this.#needs.condemn(error);
    this.#slowDown(error);
  }

  #slowDown(error: ServerEventOf<'error'>['error']): void {
    const pauseMs = this.#ratePauses.after(error);
    if (pauseMs !== null) this.#queue.pause(pauseMs);
  }

  /** A reply whose tool calls were all answered here has nobody else who would ask for the next one. */
  #endReply(reply: OpenReply, response: FinishedResponse): void {
    const { passedCalls, answeredCalls } = reply;
    const isLeftOpen = answeredCalls > 0 && passedCalls === 0 && response.status !== 'cancelled';
    const follows = isLeftOpen && this.#followUps < this.#needs.limits.refusalFollowUps;
    this.#followUps = follows ? this.#followUps + 1 : 0;
    this.#replies.finish(reply, response, follows ? answeredCalls : passedCalls);
    if (follows) this.#queue.ask({ instructions: null, tools: true, standsIn: false });
  }

  #takeOutput(reply: OpenReply | undefined, output: readonly unknown[]): void {
    if (!reply) this.#needs.count('strayEvent');
    else for (const item of output) this.#takeOutputItem(reply, item);
  }

  #takeOutputItem(reply: OpenReply, item: unknown): void {
    const call = functionCallOf(item);
    const outcome = call ? this.#toolCalls.take(call, reply.replyId) : 'repeated';
    if (outcome === 'repeated') return;
    if ('pass' in outcome) {
      reply.passedCalls++;
      this.#needs.listener.onSignal(outcome.pass);
    } else {
      reply.answeredCalls++;
      this.#needs.send({ type: 'conversation.item.create', item: outcome.answer });
    }
  }

  #takeError(error: ServerEventOf<'error'>['error']): void {
    const { event_id: eventId = null } = error;
    const reaction = reactionToError(error);
    if (reaction === 'requeue') {
      this.#queue.noteActiveElsewhere(eventId);
    } else if (reaction === 'slowDown') {
      this.#slowDown(error);
      if (eventId !== null) this.#queue.noteTooMuch(eventId);
    } else {
      this.#needs.count(reaction === 'bug' ? 'refusedMessage' : 'ignoredError');
      if (eventId !== null) this.#queue.noteRefused(eventId);
    }
  }

  #onceOpen(add: () => void): void {
    if (this.#isOpen) {
      add();
      return;
    }
    this.#held.push(add);
    if (this.#held.length <= this.#needs.limits.openToolCalls) return;
    this.#held.shift();
    this.#needs.count('bound');
  }
}
