/**
 * Owns: whether somebody speaks, judged by the energy of the received audio.
 * Does not own: the wall clock. Time here is audio: where none arrives, nothing is judged.
 *
 * The live service judges windows of 32 ms: in its recordings every moment of detection is a multiple of that.
 * Its judgement of a window is a neural network's; here a window is loud when its root mean square is.
 *
 * Source: OpenAI Realtime, voice activity detection.
 */
import { type AudioFormat, bytesPerMs, isSilence, sampleBytes, squareSum } from './audio-format.ts';

const windowMs = 32;

/** A threshold of 1 asks for this root mean square on the 16-bit scale; the usual 0.5 for -36 dB of full scale. */
const loudnessAtFullThreshold = 1_000;

export interface ActivitySettings {
  /** 0 to 1. */
  threshold: number;
  /** Quiet audio after which a turn counts as over, milliseconds. */
  silenceMs: number;
}

/** Calls with the position of a window in milliseconds of audio since the start of the session. */
export interface ActivityListener {
  started(windowStartMs: number): void;
  stopped(windowEndMs: number): void;
}

export class VoiceActivity {
  readonly #listener: ActivityListener;
  #settings: ActivitySettings | null = null;
  #isSpeaking = false;
  #quietMs = 0;
  #windowSquares = 0;
  #windowBytes = 0;

  constructor(listener: ActivityListener) {
    this.#listener = listener;
  }

  get isSpeaking(): boolean {
    return this.#isSpeaking;
  }

  /** Sets what is judged from now on; null judges nothing and forgets an open turn. */
  configure(settings: ActivitySettings | null): void {
    this.#settings = settings;
    if (settings === null) this.reset();
  }

  /** Forgets an open turn and the audio of an unfinished window. */
  reset(): void {
    this.#isSpeaking = false;
    this.#quietMs = 0;
    this.#windowSquares = 0;
    this.#windowBytes = 0;
  }

  /**
   * Judges audio.
   *
   * @param startMs milliseconds of audio before it
   */
  hear(audio: Uint8Array, format: AudioFormat, startMs: number): void {
    const rate = bytesPerMs(format);
    if (!this.#isSpeaking && this.#windowSquares === 0 && isSilence(format, audio)) {
      this.#windowBytes = (this.#windowBytes + audio.byteLength) % (windowMs * rate);
      return;
    }
    let start = 0;
    while (this.#settings !== null && start < audio.byteLength) {
      const end = Math.min(audio.byteLength, start + windowMs * rate - this.#windowBytes);
      this.#windowSquares += squareSum(format, audio, start, end);
      this.#windowBytes += end - start;
      start = end;
      if (this.#windowBytes === windowMs * rate)
        this.#closeWindow(this.#settings, format, startMs + end / rate);
    }
  }

  #closeWindow(settings: ActivitySettings, format: AudioFormat, endMs: number): void {
    const samples = this.#windowBytes / sampleBytes(format);
    const loudness = Math.sqrt(this.#windowSquares / samples);
    this.#windowSquares = 0;
    this.#windowBytes = 0;
    if (loudness > settings.threshold * loudnessAtFullThreshold) this.#hearLoudWindow(endMs);
    else if (this.#isSpeaking) this.#hearQuietWindow(settings, endMs);
  }

  #hearLoudWindow(endMs: number): void {
    this.#quietMs = 0;
    if (this.#isSpeaking) return;
    this.#isSpeaking = true;
    this.#listener.started(endMs - windowMs);
  }

  #hearQuietWindow(settings: ActivitySettings, endMs: number): void {
    this.#quietMs += windowMs;
    if (this.#quietMs < settings.silenceMs) return;
    this.#isSpeaking = false;
    this.#quietMs = 0;
    this.#listener.stopped(endMs);
  }
}
