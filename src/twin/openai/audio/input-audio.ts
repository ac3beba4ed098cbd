/**
 * Owns: the audio that the client appended: the session's clock of audio, the buffer that a commit takes, and
 * which part of it is speech.
 * Does not own: what follows from speech or a commit (`session/caller-turns.ts`).
 *
 * Invariants:
 * N1. The clock counts the milliseconds of all audio appended in the session, whatever is committed or cleared.
 * N2. Only received audio moves it: without audio no turn ever ends.
 *
 * Source: OpenAI Realtime, input audio buffer; voice activity detection.
 */

import type { TurnDetection } from '../protocol/session-schema.ts';
import { type AudioFormat, bytesPerMs, sampleBytes } from './audio-format.ts';
import type { AudioRecord } from './audio-record.ts';
import { type ActivitySettings, VoiceActivity } from './voice-activity.ts';

/** Positions on the session's clock of audio, and the audio between them as far as it is still kept. */
export interface AudioSpan {
  startMs: number;
  endMs: number;
  read(): Uint8Array;
}

export interface SpeechListener {
  speechStarted(audioStartMs: number): void;
  speechStopped(span: AudioSpan): void;
}

/** Semantic detection waits for the end of a thought; here eagerness only sets for how much silence, in ms. */
const silenceByEagerness = { low: 1_200, medium: 700, auto: 700, high: 300 } as const;
const semanticThreshold = 0.5;
const semanticPrefixMs = 300;

export class InputAudio {
  readonly #record: AudioRecord;
  readonly #listener: SpeechListener;
  readonly #activity: VoiceActivity;
  #format: AudioFormat;
  #prefixMs = 0;
  #clockMs = 0;
  #bufferStartMs = 0;
  #speechStartMs = 0;
  /** Bytes of a sample that was cut in two by an append. */
  #carried: Uint8Array = new Uint8Array(0);

  constructor(record: AudioRecord, format: AudioFormat, listener: SpeechListener) {
    this.#record = record;
    this.#format = format;
    this.#listener = listener;
    this.#activity = new VoiceActivity({
      started: (windowStartMs) => this.#noteStart(windowStartMs),
      stopped: (windowEndMs) => this.#noteStop(windowEndMs),
    });
  }

  get bufferedMs(): number {
    return this.#clockMs - this.#bufferStartMs;
  }

  get isSpeaking(): boolean {
    return this.#activity.isSpeaking;
  }

  /** Takes over the format and the turn detection of the session. */
  configure(format: AudioFormat, detection: TurnDetection | null): void {
    if (format.type !== this.#format.type) {
      this.#activity.reset();
      this.#carried = new Uint8Array(0);
    }
    this.#format = format;
    this.#prefixMs = detection?.type === 'server_vad' ? detection.prefix_padding_ms : semanticPrefixMs;
    this.#activity.configure(detection === null ? null : activityOf(detection));
  }

  append(appended: Uint8Array): void {
    const audio = this.#wholeSamples(appended);
    const startMs = this.#clockMs;
    this.#record.append(audio);
    this.#clockMs += audio.byteLength / bytesPerMs(this.#format);
    this.#activity.hear(audio, this.#format, startMs);
  }

  /** Takes what is buffered. An open turn is over with it. */
  take(): AudioSpan {
    const span = this.#span(this.isSpeaking ? this.#speechStartMs : this.#bufferStartMs, this.#clockMs);
    this.clear();
    return span;
  }

  /** Drops what is buffered, an open turn included. */
  clear(): void {
    this.#bufferStartMs = this.#clockMs;
    this.#activity.reset();
  }

  /** The last `lengthMs` of the buffer, which is taken with it. */
  takeLast(lengthMs: number): AudioSpan {
    const startMs = Math.max(this.#bufferStartMs, this.#clockMs - lengthMs);
    const span = this.#span(startMs, this.#clockMs);
    this.#bufferStartMs = this.#clockMs;
    return span;
  }

  #noteStart(windowStartMs: number): void {
    this.#speechStartMs = Math.max(this.#bufferStartMs, windowStartMs - this.#prefixMs);
    this.#listener.speechStarted(Math.round(this.#speechStartMs));
  }

  #noteStop(windowEndMs: number): void {
    this.#bufferStartMs = windowEndMs;
    this.#listener.speechStopped(this.#span(this.#speechStartMs, windowEndMs));
  }

  #wholeSamples(appended: Uint8Array): Uint8Array {
    const audio = this.#carried.byteLength === 0 ? appended : Buffer.concat([this.#carried, appended]);
    const wholeBytes = audio.byteLength - (audio.byteLength % sampleBytes(this.#format));
    if (wholeBytes === appended.byteLength && audio === appended) return appended;
    this.#carried = audio.subarray(wholeBytes);
    return audio.subarray(0, wholeBytes);
  }

  #span(startMs: number, endMs: number): AudioSpan {
    const rate = bytesPerMs(this.#format);
    const byteAt = (ms: number): number =>
      Math.round(this.#record.appendedBytes - (this.#clockMs - ms) * rate);
    const [startByte, endByte] = [byteAt(startMs), byteAt(endMs)];
    return {
      startMs: Math.round(startMs),
      endMs: Math.round(endMs),
      read: () => this.#record.read(startByte, endByte),
    };
  }
}

function activityOf(detection: TurnDetection): ActivitySettings {
  return detection.type === 'server_vad'
    ? { threshold: detection.threshold, silenceMs: detection.silence_duration_ms }
    : { threshold: semanticThreshold, silenceMs: silenceByEagerness[detection.eagerness] };
}
