/**
 * Owns: how loud one direction is, from a few samples of each frame.
 * Does not own: who listens to it.
 */
import { bytesPerMs, decodeMulaw } from './mulaw.ts';

/** Every seventh sample: 7 shares no factor with 8,000, so no common test tone is caught at one phase only. */
const levelStride = 7;

const windowMs = 100;
const samplesPerWindow = Math.floor((windowMs * bytesPerMs) / levelStride);

const squares = Float32Array.from({ length: 256 }, (_, byte) => (decodeMulaw(byte) / 0x8000) ** 2);

export class LevelMeter {
  #level = 0;
  #sum = 0;
  #samples = 0;

  /** Root mean square of the last whole window of 100 ms; 0 is silence, 1 a square wave at full scale. */
  get level(): number {
    return this.#level;
  }

  /** Takes every `levelStride`-th byte of the mu-law audio, the first included. */
  addFrom(audio: Uint8Array): void {
    let [sum, samples] = [this.#sum, this.#samples];
    for (let at = 0; at < audio.length; at += levelStride) {
      sum += squares[audio[at] ?? 0] ?? 0;
      if (++samples < samplesPerWindow) continue;
      this.#level = Math.sqrt(sum / samplesPerWindow);
      [sum, samples] = [0, 0];
    }
    [this.#sum, this.#samples] = [sum, samples];
  }
}
