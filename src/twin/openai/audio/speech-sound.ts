/**
 * Owns: the sound of a whole reply: its segments in a row, of which any part can be read.
 * Does not own: the sound of a segment (`segments.ts`), keeping it (`segment-cache.ts`).
 */
import type { BrainReply, NumberedSegment } from '../brain.ts';
import { frameMs, framesOf } from '../segments.ts';
import { type AudioFormat, bytesPerMs } from './audio-format.ts';
import type { SegmentCache } from './segment-cache.ts';

export class SpeechSound {
  readonly format: AudioFormat;
  /** With the lengths that they really take: whole frames. */
  readonly segments: readonly NumberedSegment[];
  readonly byteLength: number;
  readonly #reply: number;
  readonly #cache: SegmentCache;

  constructor({ reply, segments }: BrainReply, format: AudioFormat, cache: SegmentCache) {
    this.format = format;
    this.segments = segments.map((segment) => ({
      ...segment,
      lengthMs: framesOf(segment.lengthMs) * frameMs,
    }));
    this.byteLength = this.segments.reduce((sum, { lengthMs }) => sum + lengthMs * bytesPerMs(format), 0);
    this.#reply = reply;
    this.#cache = cache;
  }

  /** A copy of the sound from byte `start` to byte `end`. */
  read(start: number, end: number): Buffer {
    const parts: Uint8Array[] = [];
    let at = 0;
    for (const { segment, lengthMs } of this.segments) {
      const bytes = lengthMs * bytesPerMs(this.format);
      if (at < end && at + bytes > start) {
        const sound = this.#cache.render({ reply: this.#reply, segment, lengthMs }, this.format);
        parts.push(sound.subarray(Math.max(0, start - at), end - at));
      }
      at += bytes;
    }
    return Buffer.concat(parts);
  }
}
