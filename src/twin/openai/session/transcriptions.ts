/**
 * Owns: telling the client what the caller said: pieces of text, then the whole, or a failure, each in its time.
 * Does not own: what the model understood: that never waits for a transcription.
 *
 * Bound: at most `mostRunning` at a time; the oldest gives way and is never completed.
 *
 * Source: OpenAI Realtime, `conversation.item.input_audio_transcription`; recorded order and fields.
 */
import type { TimerHandle } from '../../../runtime/ports/clock.ts';
import type { Transcript } from '../brain.ts';
import { piecesOf } from '../protocol/words.ts';
import type { Conversation } from './conversation.ts';
import type { SessionContext } from './session-context.ts';

const mostRunning = 64;

/** The pieces come between the first tenth and the end of the delay. */
const firstPieceShare = 0.1;

export class Transcriptions {
  readonly #context: SessionContext;
  readonly #timers = new Map<string, TimerHandle>();

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** Begins the transcription of a committed turn. */
  start(itemId: string, transcript: Transcript, audioMs: number): void {
    const { transcriptionDelayMs, wordsPerPiece } = this.#context.pace;
    const delayMs = transcript.delayMs ?? transcriptionDelayMs;
    const pieces = transcript.fails === true ? [] : piecesOf(transcript.text, wordsPerPiece);
    const stepMs = (delayMs * (1 - firstPieceShare)) / pieces.length;
    const sendFrom = (index: number): void => {
      const piece = pieces[index];
      if (piece === undefined) {
        this.#complete(itemId, transcript, audioMs);
      } else {
        this.#sendPiece(itemId, piece);
        this.#wait(itemId, stepMs, () => sendFrom(index + 1));
      }
    };
    this.#makeRoom();
    this.#wait(itemId, pieces.length === 0 ? delayMs : delayMs * firstPieceShare, () => sendFrom(0));
  }

  /** Stops all without a word: the connection is gone. */
  stop(): void {
    for (const timer of this.#timers.values()) this.#context.clock.clearTimeout(timer);
    this.#timers.clear();
  }

  #wait(itemId: string, delayMs: number, then: () => void): void {
    this.#timers.set(itemId, this.#context.clock.setTimeout(then, delayMs));
  }

  #makeRoom(): void {
    if (this.#timers.size < mostRunning) return;
    for (const [itemId, timer] of this.#timers) {
      this.#context.clock.clearTimeout(timer);
      this.#timers.delete(itemId);
      return;
    }
  }

  #sendPiece(itemId: string, piece: string): void {
    const fields = { item_id: itemId, content_index: 0 };
    this.#context.outbox.emitText('conversation.item.input_audio_transcription.delta', fields, piece);
  }

  #complete(itemId: string, transcript: Transcript, audioMs: number): void {
    const { outbox, conversation } = this.#context;
    this.#timers.delete(itemId);
    const fields = { item_id: itemId, content_index: 0 };
    if (transcript.fails === true) {
      const error = { type: 'server_error', code: null, message: 'The transcription failed.', param: null };
      outbox.emit('conversation.item.input_audio_transcription.failed', { ...fields, error });
      return;
    }
    noteTranscript(conversation, itemId, transcript.text);
    outbox.emit('conversation.item.input_audio_transcription.completed', {
      ...fields,
      transcript: transcript.text,
      usage: { type: 'duration', seconds: Math.ceil(audioMs / 1_000) },
    });
  }
}

function noteTranscript(conversation: Conversation, itemId: string, transcript: string): void {
  const item = conversation.find(itemId)?.item;
  if (item?.type === 'message') item.content = [{ type: 'input_audio', transcript }];
}
