/**
 * Owns: the caller's audio as it comes to a session of the load model: how long each frame took, whether one is missing,
 * and where speech begins and ends.
 * Does not own: what follows from speech (`model-session.ts`).
 *
 * Of an append with one or two frames only the stamps are decoded. Audio in other pieces is decoded whole.
 */
import type { FlightTimes } from './flight-times.ts';
import { type Message, textOf } from './frame-socket.ts';
import {
  decodeBase64,
  findStamp,
  frameBytes,
  readStamp,
  type Stamp,
  speech,
  stampBytes,
} from './frame-stamp.ts';
import type { Measures } from './measures.ts';

export const appendHead = Buffer.from('{"type":"input_audio_buffer.append","audio":"');
const appendTailBytes = 2;
/** Of base64. */
const oneFrameCharacters = 216;
const twoFramesCharacters = 428;
/** The groups in which a stamp lies, wherever it begins. */
const stampCharacters = 16;
const bytesPerMs = 8;
const silenceMs = 500;
/** What a call sent before its session could take it was kept for it by what is measured, and tells nothing of it. */
const openingMs = 250;

export interface SpeechEvents {
  /** The owner of the first frame: which call this is. */
  onCaller(owner: number): void;
  /** @param audioMs of audio so far */
  onSpeechStarted(audioMs: number): void;
  onSpeechStopped(audioMs: number): void;
}

export class CallerAudio {
  readonly #measures: Measures;
  readonly #upFlights: Map<number, FlightTimes>;
  readonly #events: SpeechEvents;
  readonly #stamp: Stamp = { owner: 0, kind: 0, number: 0 };
  readonly #scratch = Buffer.alloc(2 * stampBytes);
  #openedAtMs = Number.POSITIVE_INFINITY;
  #bytes = 0;
  #silentSinceBytes = 0;
  #isSpeaking = false;
  #lastFrame = -1;

  constructor(measures: Measures, upFlights: Map<number, FlightTimes>, events: SpeechEvents) {
    this.#measures = measures;
    this.#upFlights = upFlights;
    this.#events = events;
  }

  /** The session's settings are confirmed. */
  open(nowMs: number): void {
    this.#openedAtMs = Math.min(this.#openedAtMs, nowMs);
  }

  /** An append that begins with `appendHead`. */
  take(message: Message): void {
    const characters = message.length - appendHead.length - appendTailBytes;
    if (characters === oneFrameCharacters) this.#takeFrames(message, 1);
    else if (characters === twoFramesCharacters) this.#takeFrames(message, 2);
    else this.takeAudio(textOf(message).slice(appendHead.length, -appendTailBytes));
  }

  /** Audio in pieces of any size. */
  takeAudio(payload: string): void {
    const audio = Buffer.from(payload, 'base64');
    const nowMs = performance.now();
    for (let at = findStamp(audio, 0); at >= 0; ) {
      const next = findStamp(audio, at + stampBytes);
      if (readStamp(audio, at, this.#stamp)) this.#land(nowMs, next < 0);
      at = next;
    }
    this.#noteSpeech(audio.length);
  }

  #takeFrames({ bytes, start, mask }: Message, frames: number): void {
    const nowMs = performance.now();
    for (let frame = 0; frame < frames; frame++) {
      const at = appendHead.length + Math.floor((frame * frameBytes) / 3) * 4;
      decodeBase64(bytes, start + at, stampCharacters, mask, at & 3, this.#scratch);
      const isStamped = readStamp(this.#scratch, (frame * frameBytes) % 3, this.#stamp);
      if (isStamped) this.#land(nowMs, frame === frames - 1);
      else this.#measures.count('error.upUnstamped');
      this.#noteSpeech(frameBytes);
    }
  }

  #land(nowMs: number, isNewest: boolean): void {
    const { owner, number } = this.#stamp;
    if (this.#lastFrame < 0) this.#events.onCaller(owner);
    const flights = this.#upFlights.get(owner);
    // Its caller has hung up.
    if (flights === undefined) return;
    this.#noteJump(number);
    this.#measures.count('frames.received');
    const flightMs = flights.arrive(number, nowMs);
    if (flightMs === null) this.#measures.count('error.upUnknown');
    else if (nowMs - flightMs > this.#openedAtMs + openingMs) {
      this.#measures.record(isNewest ? 'up' : 'upHeld', flightMs);
    }
  }

  /** A new session is given again what its predecessor may have lost, so going back is right. */
  #noteJump(number: number): void {
    const expected = this.#lastFrame + 1;
    this.#lastFrame = number;
    if (expected === 0 || number === expected) return;
    if (number > expected) this.#measures.count('error.upLost', number - expected);
    else this.#measures.count('frames.repeated');
  }

  /** The last stamp says what the audio is. */
  #noteSpeech(bytes: number): void {
    this.#bytes += bytes;
    const audioMs = Math.floor(this.#bytes / bytesPerMs);
    if (this.#stamp.kind === speech) {
      this.#silentSinceBytes = this.#bytes;
      if (this.#isSpeaking) return;
      this.#isSpeaking = true;
      this.#events.onSpeechStarted(audioMs);
    } else if (this.#isSpeaking && this.#bytes - this.#silentSinceBytes >= silenceMs * bytesPerMs) {
      this.#isSpeaking = false;
      this.#events.onSpeechStopped(audioMs);
    }
  }
}
