/**
 * Owns: an item that is spoken: audio in pieces of about a quarter of a second, its transcript running ahead.
 * Does not own: the sound (`audio/speech-sound.ts`), the words (`brain.ts`).
 *
 * Source: OpenAI Realtime, `response.output_audio` and `response.output_audio_transcript`; recorded sizes and order.
 */

import type { Random } from '../../random.ts';
import { bytesPerMs, sampleBytes } from '../audio/audio-format.ts';
import type { SpeechSound } from '../audio/speech-sound.ts';
import type { Pace } from '../pace.ts';
import { piecesOf } from '../protocol/words.ts';
import { entryOf, type MessageItem } from '../session/conversation.ts';
import { textWithin } from '../session/truncation.ts';
import { modelAudioTokens, type Tokens, textTokens } from '../session/usage.ts';
import { type OutputPlace, ResponseOutput } from './response-output.ts';

/** The first delta of a response is shorter than the others. */
const firstShare = 0.5;

export interface SpeechSettings {
  pace: Pace;
  random: Random;
}

export class SpeechOutput extends ResponseOutput {
  protected readonly closesWithPlace = false;
  readonly #sound: SpeechSound;
  readonly #pace: Pace;
  readonly #random: Random;
  readonly #pieces: readonly string[];
  readonly #piecesPerDelta: number;
  #sentBytes = 0;
  #sentPieces = 0;

  constructor(place: OutputPlace, item: MessageItem, sound: SpeechSound, { pace, random }: SpeechSettings) {
    super(place, entryOf(item, { speech: { segments: sound.segments, generatedMs: 0, truncatedMs: null } }));
    this.entry.audio = () => sound.read(0, this.#heardBytes());
    this.#sound = sound;
    this.#pace = pace;
    this.#random = random;
    this.#pieces = piecesOf(sound.segments.map(({ text }) => text).join(''), pace.wordsPerPiece);
    const deltas = sound.byteLength / (pace.deltaMs * bytesPerMs(sound.format));
    this.#piecesPerDelta = Math.ceil(this.#pieces.length / Math.max(1, deltas / 2));
  }

  advance(): number | null {
    this.#sendTranscript();
    const bytes = this.#sendAudio();
    if (this.#sentBytes >= this.#sound.byteLength) return null;
    return bytes / bytesPerMs(this.#sound.format) / this.#pace.speedFactor;
  }

  /** Sends audio that a cancelled response still had in flight. Returns false when there is none left. */
  sendLate(): boolean {
    return this.#sendAudio() > 0;
  }

  tokens(): Tokens {
    return { text: textTokens(this.#transcript), audio: modelAudioTokens(this.#generatedMs) };
  }

  protected begin(): void {
    const part = { type: 'audio', transcript: '' };
    this.place.outbox.emit('response.content_part.added', { ...this.#partPosition, part });
  }

  protected finish(): void {
    const position = this.#partPosition;
    const transcript = this.#transcript;
    const part = { type: 'audio', transcript };
    this.place.outbox.emit('response.output_audio.done', position);
    this.place.outbox.emit('response.output_audio_transcript.done', { ...position, transcript });
    this.place.outbox.emit('response.content_part.done', { ...position, part });
    const isTruncated = this.entry.speech?.truncatedMs !== null;
    const item = this.item as MessageItem;
    item.content = [isTruncated ? { type: 'output_audio' } : { type: 'output_audio', transcript }];
  }

  get #transcript(): string {
    return this.#pieces.slice(0, this.#sentPieces).join('');
  }

  get #generatedMs(): number {
    return Math.floor(this.#sentBytes / bytesPerMs(this.#sound.format));
  }

  get #partPosition(): object {
    return { ...this.position, content_index: 0 };
  }

  #heardBytes(): number {
    const { truncatedMs } = this.entry.speech ?? { truncatedMs: null };
    return truncatedMs === null ? this.#sentBytes : truncatedMs * bytesPerMs(this.#sound.format);
  }

  #sendTranscript(): void {
    const pieces = this.#pieces.slice(this.#sentPieces, this.#sentPieces + this.#piecesPerDelta);
    this.#sentPieces += pieces.length;
    for (const piece of pieces) {
      this.place.outbox.emitText('response.output_audio_transcript.delta', this.#partPosition, piece);
    }
  }

  #sendAudio(): number {
    const end = Math.min(this.#sound.byteLength, this.#sentBytes + this.#nextDeltaBytes());
    const audio = this.#sound.read(this.#sentBytes, end);
    if (audio.byteLength === 0) return 0;
    this.#sentBytes = end;
    this.#noteGenerated();
    const delta = audio.toString('base64');
    this.place.outbox.emit('response.output_audio.delta', { ...this.#partPosition, delta });
    return audio.byteLength;
  }

  #nextDeltaBytes(): number {
    const { format } = this.#sound;
    const jitter = 1 + this.#pace.jitter * (2 * this.#random() - 1);
    const lengthMs = this.#pace.deltaMs * jitter * (this.#sentBytes === 0 ? firstShare : 1);
    const samples = Math.round((lengthMs * bytesPerMs(format)) / sampleBytes(format));
    return Math.max(1, samples) * sampleBytes(format);
  }

  #noteGenerated(): void {
    const { speech } = this.entry;
    if (speech === null) return;
    speech.generatedMs = this.#generatedMs;
    if (speech.truncatedMs !== null) return;
    this.entry.audioMs = speech.generatedMs;
    this.entry.text = textWithin(speech.segments, speech.generatedMs);
  }
}
