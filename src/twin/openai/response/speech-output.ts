/**
 * Owns: an item that is spoken: audio in pieces of about a quarter of a second, its transcript running ahead.
 * Does not own: the sound (`segments.ts`), the words (`brain.ts`).
 *
 * Source: OpenAI Realtime, `response.output_audio` and `response.output_audio_transcript`; recorded sizes and order.
 */
import { type AudioFormat, bytesPerMs, sampleBytes } from '../audio/audio-format.ts';
import type { SegmentCache } from '../audio/segment-cache.ts';
import type { BrainReply } from '../brain.ts';
import type { Pace } from '../pace.ts';
import { piecesOf } from '../protocol/words.ts';
import type { Random } from '../random.ts';
import { frameMs, framesOf } from '../segments.ts';
import { entryOf, type MessageItem } from '../session/conversation.ts';
import { textWithin } from '../session/truncation.ts';
import { modelAudioTokens, type Tokens, textTokens } from '../session/usage.ts';
import { type OutputPlace, ResponseOutput } from './response-output.ts';

/** The first delta of a response is shorter than the others. */
const firstShare = 0.5;

export interface SpeechSettings {
  format: AudioFormat;
  pace: Pace;
  random: Random;
  sounds: SegmentCache;
}

export class SpeechOutput extends ResponseOutput {
  protected readonly closesWithPlace = false;
  readonly #settings: SpeechSettings;
  readonly #audio: Uint8Array;
  readonly #pieces: readonly string[];
  readonly #piecesPerDelta: number;
  #sentBytes = 0;
  #sentPieces = 0;

  constructor(place: OutputPlace, item: MessageItem, reply: BrainReply, settings: SpeechSettings) {
    const segments = reply.segments.map((segment) => ({
      ...segment,
      lengthMs: framesOf(segment.lengthMs) * frameMs,
    }));
    const sound = (): Uint8Array =>
      Buffer.concat(
        segments.map(({ segment, lengthMs }) =>
          settings.sounds.render({ reply: reply.reply, segment, lengthMs }, settings.format),
        ),
      );
    super(place, entryOf(item, { speech: { segments, generatedMs: 0, truncatedMs: null } }));
    this.entry.audio = () => sound().subarray(0, this.#heardBytes());
    this.#settings = settings;
    this.#audio = sound();
    this.#pieces = piecesOf(segments.map(({ text }) => text).join(''));
    const deltas = this.#audio.byteLength / (settings.pace.deltaMs * bytesPerMs(settings.format));
    this.#piecesPerDelta = Math.ceil(this.#pieces.length / Math.max(1, deltas / 2));
  }

  advance(): number | null {
    this.#sendTranscript();
    const bytes = this.#sendAudio();
    if (this.#sentBytes >= this.#audio.byteLength) return null;
    return bytes / bytesPerMs(this.#settings.format) / this.#settings.pace.speedFactor;
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
    return Math.floor(this.#sentBytes / bytesPerMs(this.#settings.format));
  }

  get #partPosition(): object {
    return { ...this.position, content_index: 0 };
  }

  #heardBytes(): number {
    const { truncatedMs } = this.entry.speech ?? { truncatedMs: null };
    return truncatedMs === null ? this.#sentBytes : truncatedMs * bytesPerMs(this.#settings.format);
  }

  #sendTranscript(): void {
    const pieces = this.#pieces.slice(this.#sentPieces, this.#sentPieces + this.#piecesPerDelta);
    this.#sentPieces += pieces.length;
    for (const piece of pieces) {
      this.place.outbox.emitText('response.output_audio_transcript.delta', this.#partPosition, piece);
    }
  }

  #sendAudio(): number {
    const end = Math.min(this.#audio.byteLength, this.#sentBytes + this.#nextDeltaBytes());
    const bytes = end - this.#sentBytes;
    if (bytes === 0) return 0;
    const delta = Buffer.from(this.#audio.buffer, this.#audio.byteOffset + this.#sentBytes, bytes);
    this.#sentBytes = end;
    this.#noteGenerated();
    this.place.outbox.emit('response.output_audio.delta', {
      ...this.#partPosition,
      delta: delta.toString('base64'),
    });
    return bytes;
  }

  #nextDeltaBytes(): number {
    const { format, pace, random } = this.#settings;
    const share = (this.#sentBytes === 0 ? firstShare : 1) * (1 + pace.jitter * (2 * random() - 1));
    const samples = Math.round((pace.deltaMs * share * bytesPerMs(format)) / sampleBytes(format));
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
