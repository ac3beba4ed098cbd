/**
 * Owns: rendered segments, kept because hundreds of sessions say the same.
 * Does not own: how they sound (`segments.ts`).
 *
 * Bound: `cacheBytes`; what was used longest ago is dropped first.
 */

import { renderSegment, type SegmentSound } from '../segments.ts';
import type { AudioFormat } from './audio-format.ts';

export class SegmentCache {
  readonly #sounds = new Map<string, Uint8Array>();
  readonly #cacheBytes: number;
  #keptBytes = 0;

  constructor(cacheBytes = 16 * 1024 * 1024) {
    this.#cacheBytes = cacheBytes;
  }

  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** The sound of the segment. It is shared: do not write into it. */
  render(sound: SegmentSound, format: AudioFormat): Uint8Array {
    const key = `${sound.reply}/${sound.segment}/${sound.lengthMs}/${format.type}`;
    const kept = this.#sounds.get(key);
    if (kept !== undefined) {
      this.#sounds.delete(key);
      this.#sounds.set(key, kept);
      return kept;
    }
    const rendered = renderSegment(sound, format);
    this.#sounds.set(key, rendered);
    this.#keptBytes += rendered.byteLength;
    this.#dropOldest();
    return rendered;
  }

  #dropOldest(): void {
    for (const [key, sound] of this.#sounds) {
      if (this.#keptBytes <= this.#cacheBytes) return;
      this.#sounds.delete(key);
      this.#keptBytes -= sound.byteLength;
    }
  }
}
