/**
 * Owns: one spoken reply of the load model, from `response.created` to `response.done`, in the order, sizes and pace of
 * the live service.
 * Does not own: when one begins (`model-session.ts`).
 *
 * Every delta carries a stamp at its first bytes and one at its last, by which its way to the caller is timed.
 *
 * Source: OpenAI Realtime, recorded turn with server turn detection: order, quarter-second deltas, five times real time.
 */
import type { FlightTimes } from './flight-times.ts';
import { stampBytes, writeStamp } from './frame-stamp.ts';

const firstOutputDelayMs = 350;
const speedFactor = 5;
const bytesPerMs = 8;
/** A delta is longer or shorter than the usual one by up to this share; the first is half as long. */
const jitter = 0.1;
const firstShare = 0.5;
const wordMs = 350;

const words = 'your bicycle is ready and you can collect it at any time before six today '.split(' ');

const tailBit = 1;
const firstBit = 2;
export const isTail = (kind: number): boolean => (kind & tailBit) !== 0;
export const isFirstDelta = (kind: number): boolean => (kind & firstBit) !== 0;

/** What the agent's voice is made of: loud, never silent, and without anything like a stamp. */
const voice = Buffer.from(
  Uint8Array.from({ length: 65_536 }, (_, at) => 0x90 + Math.round(14 * Math.sin(at / 4))),
);

export interface ReplySurroundings {
  emit(type: string, fields: string): void;
  flights: FlightTimes;
  owner: number;
  random: () => number;
  onDone(): void;
}

export interface ReplyNames {
  responseId: string;
  itemId: string;
  conversationId: string;
  previousItemId: string | null;
}

export class ModelReply {
  readonly #surroundings: ReplySurroundings;
  readonly #names: ReplyNames;
  readonly #replyBytes: number;
  readonly #deltaMs: number;
  readonly #place: string;
  readonly #startedAtMs = performance.now();
  #sentBytes = 0;
  #saidWords = 0;
  #transcript = '';
  #hasBegun = false;
  #timer: NodeJS.Timeout;

  constructor(replyMs: number, deltaMs: number, names: ReplyNames, surroundings: ReplySurroundings) {
    this.#surroundings = surroundings;
    this.#names = names;
    this.#replyBytes = replyMs * bytesPerMs;
    this.#deltaMs = deltaMs;
    this.#place = `"response_id":"${names.responseId}","item_id":"${names.itemId}","output_index":0,"content_index":0`;
    this.#emit('response.created', `"response":${this.#response('in_progress', null)}`);
    this.#timer = setTimeout(() => this.#advance(), firstOutputDelayMs);
  }

  get itemId(): string {
    return this.#names.itemId;
  }

  cancel(reason: 'turn_detected' | 'client_cancelled'): void {
    this.#finish('cancelled', reason);
  }

  /** The connection is gone. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #advance(): void {
    if (!this.#hasBegun) this.#begin();
    this.#sendWords();
    this.#sendDelta();
    if (this.#sentBytes >= this.#replyBytes) {
      this.#finish('completed', null);
      return;
    }
    const dueMs =
      this.#startedAtMs + firstOutputDelayMs + this.#sentBytes / bytesPerMs / speedFactor - performance.now();
    this.#timer = setTimeout(() => this.#advance(), Math.max(1, dueMs));
  }

  #begin(): void {
    this.#hasBegun = true;
    const { responseId, previousItemId } = this.#names;
    const item = this.#item('in_progress', '[]');
    this.#emit('response.output_item.added', `"response_id":"${responseId}","output_index":0,"item":${item}`);
    this.#emit(
      'conversation.item.added',
      `"previous_item_id":${JSON.stringify(previousItemId)},"item":${item}`,
    );
    this.#emit('response.content_part.added', `${this.#place},"part":{"type":"audio","transcript":""}`);
  }

  /** The transcript runs ahead of the sound. */
  #sendWords(): void {
    const wanted = Math.ceil((2 * (this.#sentBytes / bytesPerMs + this.#deltaMs)) / wordMs);
    const last = Math.ceil(this.#replyBytes / bytesPerMs / wordMs);
    for (; this.#saidWords < Math.min(wanted, last); this.#saidWords++) {
      const word = ` ${words[this.#saidWords % words.length]}`;
      this.#transcript += word;
      this.#emit(
        'response.output_audio_transcript.delta',
        `${this.#place},"delta":"${word}","obfuscation":"${'kX1yigxefJbQw2Rt'.slice(word.length)}"`,
      );
    }
  }

  #sendDelta(): void {
    const { flights, owner, random } = this.#surroundings;
    const isFirst = this.#sentBytes === 0;
    const wanted =
      this.#deltaMs * bytesPerMs * (isFirst ? firstShare : 1) * (1 + jitter * (2 * random() - 1));
    const left = this.#replyBytes - this.#sentBytes;
    const bytes = wanted > left - 2 * stampBytes ? left : Math.round(wanted);
    const audio = Buffer.from(voice.subarray(0, bytes));
    const number = flights.depart(performance.now());
    const first = isFirst ? firstBit : 0;
    writeStamp(audio, 0, owner, first, number);
    writeStamp(audio, audio.length - stampBytes, owner, first | tailBit, number);
    this.#sentBytes += bytes;
    this.#emit('response.output_audio.delta', `${this.#place},"delta":"${audio.toString('base64')}"`);
  }

  #finish(status: 'completed' | 'cancelled', reason: string | null): void {
    clearTimeout(this.#timer);
    if (this.#hasBegun) this.#closeItem(status);
    this.#emit('response.done', `"response":${this.#response(status, reason)}`);
    this.#emit(
      'rate_limits.updated',
      '"rate_limits":[{"name":"tokens","limit":15000000,"remaining":14998954,"reset_seconds":0.004}]',
    );
    this.#surroundings.onDone();
  }

  #closeItem(status: 'completed' | 'cancelled'): void {
    const transcript = JSON.stringify(this.#transcript);
    const item = this.#finishedItem(status);
    this.#emit('response.output_audio.done', this.#place);
    this.#emit('response.output_audio_transcript.done', `${this.#place},"transcript":${transcript}`);
    this.#emit(
      'response.content_part.done',
      `${this.#place},"part":{"type":"audio","transcript":${transcript}}`,
    );
    this.#emit('conversation.item.done', `"previous_item_id":null,"item":${item}`);
    this.#emit(
      'response.output_item.done',
      `"response_id":"${this.#names.responseId}","output_index":0,"item":${item}`,
    );
  }

  #finishedItem(status: 'completed' | 'cancelled'): string {
    const content = `[{"type":"output_audio","transcript":${JSON.stringify(this.#transcript)}}]`;
    return this.#item(status === 'completed' ? 'completed' : 'incomplete', content);
  }

  #item(status: string, content: string): string {
    return `{"id":"${this.#names.itemId}","type":"message","status":"${status}","role":"assistant","content":${content}}`;
  }

  #response(status: 'in_progress' | 'completed' | 'cancelled', reason: string | null): string {
    const { responseId, conversationId } = this.#names;
    const details = reason === null ? 'null' : `{"type":"cancelled","reason":"${reason}"}`;
    const output = status === 'in_progress' || !this.#hasBegun ? '[]' : `[${this.#finishedItem(status)}]`;
    const usage = status === 'in_progress' ? 'null' : usageText;
    return `{"object":"realtime.response","id":"${responseId}","status":"${status}","status_details":${details},"output":${output},"conversation_id":"${conversationId}","output_modalities":["audio"],"max_output_tokens":"inf","audio":{"output":{"format":{"type":"audio/pcmu"},"voice":"marin"}},"usage":${usage},"metadata":null}`;
  }

  #emit(type: string, fields: string): void {
    this.#surroundings.emit(type, fields);
  }
}

const usageText = JSON.stringify({
  total_tokens: 205,
  input_tokens: 41,
  output_tokens: 164,
  input_token_details: {
    text_tokens: 14,
    audio_tokens: 27,
    image_tokens: 0,
    cached_tokens: 0,
    cached_tokens_details: { text_tokens: 0, audio_tokens: 0, image_tokens: 0 },
  },
  output_token_details: { text_tokens: 28, audio_tokens: 136 },
});
