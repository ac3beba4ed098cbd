/**
 * Owns: what becomes of the caller's audio: events of speech, commits, items of the user, and the response that the
 * session asks for by itself.
 * Does not own: detecting speech (`audio/input-audio.ts`, `audio/voice-activity.ts`), running the response
 * (`response/responses.ts`).
 *
 * Invariants:
 * T1. A turn is announced, committed and added under one item id.
 * T2. In one burst, in this order: `speech_stopped`, `committed`, `item.added`, `item.done`, `response.created`.
 *
 * Source: OpenAI Realtime, input audio buffer events; recorded order.
 */
import type { AudioRecord } from '../audio/audio-record.ts';
import { type AudioSpan, InputAudio } from '../audio/input-audio.ts';
import type { BrainReason } from '../brain.ts';
import { commitTooSmall, type ProtocolError } from '../protocol/protocol-errors.ts';
import type { TurnDetection } from '../protocol/session-schema.ts';
import type { ModelResponse } from '../response/response.ts';
import { automaticRequest } from '../response/response-request.ts';
import type { Responses } from '../response/responses.ts';
import { brainItemsOf, entryOf } from './conversation.ts';
import { IdleTimeout } from './idle-timeout.ts';
import type { SessionContext } from './session-context.ts';
import { Transcriptions } from './transcriptions.ts';

const shortestCommitMs = 100;

export class CallerTurns {
  readonly #context: SessionContext;
  readonly #responses: Responses;
  readonly #audio: InputAudio;
  readonly #transcriptions: Transcriptions;
  readonly #idle: IdleTimeout;
  /** Of the turn that is open, or null. */
  #openItemId: string | null = null;

  constructor(context: SessionContext, responses: Responses, record: AudioRecord) {
    this.#context = context;
    this.#responses = responses;
    this.#transcriptions = new Transcriptions(context);
    this.#idle = new IdleTimeout(context.clock, () => this.#noteSilence());
    this.#audio = new InputAudio(record, context.settings().audio.input.format, {
      speechStarted: (audioStartMs) => this.#noteStart(audioStartMs),
      speechStopped: (span) => this.#noteStop(span),
    });
    this.configure();
  }

  /** Takes over the session's settings. */
  configure(): void {
    this.#audio.configure(this.#context.settings().audio.input.format, this.#detection);
    if (this.#idleTimeoutMs === null) this.#idle.disarm();
    if (!this.#audio.isSpeaking) this.#openItemId = null;
  }

  append(audio: Uint8Array): void {
    this.#audio.append(audio);
  }

  /** Ends the turn by the client's wish. Returns why not, or null. */
  commit(): ProtocolError | null {
    const { bufferedMs } = this.#audio;
    if (bufferedMs < shortestCommitMs) return commitTooSmall(bufferedMs);
    this.#addTurn(this.#takeItemId(), this.#audio.take(), false);
    return null;
  }

  clear(): void {
    this.#audio.clear();
    this.#openItemId = null;
    this.#context.outbox.emit('input_audio_buffer.cleared', {});
  }

  /** A response of the conversation is done: the caller's silence counts from here. */
  noteResponse(response: ModelResponse): void {
    if (this.#idleTimeoutMs !== null && response.status === 'completed') {
      this.#idle.arm(this.#idleTimeoutMs, response.audioMs);
    }
  }

  /** Stops without a word: the connection is gone. */
  stop(): void {
    this.#idle.disarm();
    this.#transcriptions.stop();
  }

  get #detection(): TurnDetection | null {
    return this.#context.settings().audio.input.turn_detection;
  }

  get #idleTimeoutMs(): number | null {
    return this.#detection?.type === 'server_vad' ? this.#detection.idle_timeout_ms : null;
  }

  #noteStart(audioStartMs: number): void {
    this.#idle.disarm();
    this.#openItemId = this.#context.identify('item');
    this.#context.outbox.emit('input_audio_buffer.speech_started', {
      audio_start_ms: audioStartMs,
      item_id: this.#openItemId,
    });
    if (this.#detection?.interrupt_response === true) this.#responses.interrupt();
  }

  #noteStop(span: AudioSpan): void {
    const itemId = this.#takeItemId();
    this.#context.outbox.emit('input_audio_buffer.speech_stopped', {
      audio_end_ms: span.endMs,
      item_id: itemId,
    });
    this.#addTurn(itemId, span, false);
    if (this.#detection?.create_response === true) this.#respond('turn');
  }

  #noteSilence(): void {
    const isQuiet = !this.#audio.isSpeaking && this.#responses.active === null;
    if (this.#idleTimeoutMs === null || !isQuiet) return;
    const itemId = this.#context.identify('item');
    const span = this.#audio.takeLast(this.#idleTimeoutMs);
    this.#context.outbox.emit('input_audio_buffer.timeout_triggered', {
      audio_start_ms: span.startMs,
      audio_end_ms: span.endMs,
      item_id: itemId,
    });
    this.#addTurn(itemId, span, true);
    this.#respond('silence');
  }

  #takeItemId(): string {
    const itemId = this.#openItemId ?? this.#context.identify('item');
    this.#openItemId = null;
    return itemId;
  }

  #addTurn(itemId: string, span: AudioSpan, isSilence: boolean): void {
    const { brain, conversation, outbox, settings } = this.#context;
    const durationMs = span.endMs - span.startMs;
    const items = brainItemsOf(conversation.entries);
    const transcript = brain.transcribe({ items, isSilence, durationMs, audio: span.read });
    const place = { previous_item_id: conversation.lastId };
    const item = {
      id: itemId,
      type: 'message' as const,
      status: 'completed' as const,
      role: 'user' as const,
      content: [{ type: 'input_audio' as const, transcript: null }],
    };
    const known = { text: transcript.text, audioMs: durationMs, audio: span.read, isSilence };
    conversation.append(entryOf(item, known));
    outbox.emit('input_audio_buffer.committed', { ...place, item_id: itemId });
    outbox.emit('conversation.item.added', { ...place, item });
    outbox.emit('conversation.item.done', { ...place, item });
    if (settings().audio.input.transcription !== null) {
      this.#transcriptions.start(itemId, transcript, durationMs);
    }
  }

  #respond(reason: BrainReason): void {
    const error = this.#responses.create(automaticRequest(this.#context.settings(), reason));
    if (error !== null) this.#context.outbox.refuse(error);
  }
}
