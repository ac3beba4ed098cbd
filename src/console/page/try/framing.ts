/**
 * Owns: making frames of 20 ms, 8,000 mu-law samples a second, of whatever rate the browser records at.
 * Does not own: where the sound comes from (`worklet.ts`).
 */
import { encode } from './mulaw.ts';

export const lineRate = 8_000;
export const frameBytes = 160;

export class Framer {
  readonly #ratio: number;
  #sum = 0;
  #weight = 0;
  #frame = new Uint8Array(frameBytes);
  #filled = 0;

  /** @param rate samples a second of what comes */
  constructor(rate: number) {
    this.#ratio = rate / lineRate;
  }

  /** Each sample of the line is the mean of those of the browser that it stands for: that also takes off what is too high. */
  take(samples: Float32Array): Uint8Array[] {
    const frames: Uint8Array[] = [];
    for (const sample of samples) {
      const room = this.#ratio - this.#weight;
      const share = Math.min(1, room);
      this.#sum += sample * share;
      this.#weight += share;
      if (this.#weight < this.#ratio - 1e-9) continue;
      this.#put(this.#sum / this.#weight, frames);
      this.#sum = sample * (1 - share);
      this.#weight = 1 - share;
    }
    return frames;
  }

  #put(sample: number, frames: Uint8Array[]): void {
    this.#frame[this.#filled++] = encode(sample);
    if (this.#filled < frameBytes) return;
    frames.push(this.#frame);
    this.#frame = new Uint8Array(frameBytes);
    this.#filled = 0;
  }
}
