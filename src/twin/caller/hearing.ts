/**
 * Owns: telling from the sound alone when the agent speaks.
 * Does not own: what the caller does about it (`scripted-caller.ts`).
 *
 * Invariants:
 * HE1. `agentStarted` and `agentStopped` alternate, and their times never go back.
 */
import { decodeMulaw } from '../../media/mulaw.ts';
import type { CallerEvent } from './party.ts';
import { frameMs } from './voice.ts';

/** A frame whose mean absolute sample is below this (about -50 dBFS) is silence to an ear. */
const audibleMean = 100;
/** Shorter pauses are part of the speech. */
const pauseWithinSpeechMs = 400;

const loudness = Uint16Array.from({ length: 256 }, (_, byte) => Math.abs(decodeMulaw(byte)));

/** Bytes of a frame that are listened to: all of 20 ms, and as many, evenly spread, of a longer one. */
const heardBytes = 160;

/** Whether an ear would notice a frame of G.711 mu-law. */
export function isAudible(frame: Uint8Array): boolean {
  const stride = Math.max(1, Math.floor(frame.length / heardBytes));
  let sum = 0;
  for (let index = 0; index < frame.length; index += stride) sum += loudness[frame[index] ?? 0] ?? 0;
  return sum * stride >= audibleMean * frame.length;
}

export class Hearing {
  readonly #listener: (event: CallerEvent) => void;
  /** Length of a frame. */
  #frameMs = frameMs;
  #isAgentSpeaking = false;
  /** Where the last audible frame ended. */
  #audibleUntil = Number.NEGATIVE_INFINITY;
  #spokenMs = 0;

  constructor(listener: (event: CallerEvent) => void) {
    this.#listener = listener;
  }

  /** To be called before the first frame where frames are not of 20 ms. */
  tune(lengthMs: number): void {
    this.#frameMs = lengthMs;
  }

  /** Sound of the agent since the last `forget`, in milliseconds. */
  get spokenMs(): number {
    return this.#spokenMs;
  }

  silentForMs(at: number): number {
    return Math.max(0, at - this.#audibleUntil);
  }

  forget(): void {
    this.#spokenMs = 0;
  }

  hear(at: number, frame: Uint8Array | null): void {
    if (frame !== null && isAudible(frame)) this.#noteSound(at);
    else if (this.#isAgentSpeaking && at + this.#frameMs - this.#audibleUntil >= pauseWithinSpeechMs)
      this.#noteSilence();
  }

  #noteSound(at: number): void {
    this.#audibleUntil = at + this.#frameMs;
    this.#spokenMs += this.#frameMs;
    if (this.#isAgentSpeaking) return;
    this.#isAgentSpeaking = true;
    this.#listener({ event: 'agentStarted', at });
  }

  #noteSilence(): void {
    this.#isAgentSpeaking = false;
    this.#listener({ event: 'agentStopped', at: this.#audibleUntil });
  }
}
