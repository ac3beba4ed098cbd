/**
 * Owns: what was said or heard on one side of a call: bytes, and the time at which each stretch of them began.
 * Does not own: who said it, silence (it is what lies between the stretches).
 *
 * Invariants:
 * A1. At most `limitBytes` are kept; what comes later is dropped.
 */
import { bytesPerMs, silenceByte } from '../../../media/mulaw.ts';

/** Audio without a gap, as it sounded from `at` on. */
export interface AudioStretch {
  /** Milliseconds since the Unix epoch. */
  at: number;
  /** G.711 mu-law, 8 kHz. */
  bytes: Uint8Array;
}

interface StretchPlace {
  at: number;
  start: number;
  length: number;
}

const initialBytes = 4_096;

export class AudioTrack {
  readonly #limitBytes: number;
  readonly #places: StretchPlace[] = [];
  #bytes = Buffer.alloc(0);
  #length = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Adds the first `length` bytes of `audio`, which sounded from `at` on; copies them. */
  append(at: number, audio: Uint8Array, length = audio.length): void {
    if (this.#length + length > this.#limitBytes) return;
    this.#makeRoom(length);
    this.#bytes.set(length === audio.length ? audio : audio.subarray(0, length), this.#length);
    this.#place(at, length);
    this.#length += length;
  }

  #place(at: number, length: number): void {
    const last = this.#places.at(-1);
    if (last !== undefined && Math.abs(last.at + last.length / bytesPerMs - at) < 1) last.length += length;
    else this.#places.push({ at, start: this.#length, length });
  }

  #makeRoom(length: number): void {
    const needed = this.#length + length;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(initialBytes, needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }

  /** Everything in order. The bytes are views: copy them before the track goes on. */
  stretches(): AudioStretch[] {
    return this.#places.map(({ at, start, length }) => ({
      at,
      bytes: this.#bytes.subarray(start, start + length),
    }));
  }

  /** The time from `startAt` on as it sounded, silence included. */
  render(startAt: number, durationMs: number): Buffer {
    const rendered = Buffer.alloc(Math.ceil(durationMs * bytesPerMs), silenceByte);
    for (const { at, bytes } of this.stretches()) {
      const offset = Math.round((at - startAt) * bytesPerMs);
      if (offset >= 0 && offset < rendered.length)
        rendered.set(bytes.subarray(0, rendered.length - offset), offset);
    }
    return rendered;
  }
}
