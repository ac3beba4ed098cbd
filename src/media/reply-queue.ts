/**
 * Owns: reply audio that the line has no room for, in the order in which it came.
 * Does not own: when the line has room, what becomes of an item that found none here (`reply-player.ts`).
 *
 * Invariants:
 * I9. At most `capacityBytes` of audio and `mostRuns` changes of item are held. What does not fit is refused: dropping
 *     older audio instead would tear a hole into a sentence that the caller is about to hear.
 */
import type { PlaybackItem } from './playback-ledger.ts';
import { AudioRing } from './ring.ts';

/** A model that jumps between items with every delta is stopped here. */
const mostRuns = 256;

/** Audio of one item without a break. */
interface Run {
  readonly item: PlaybackItem;
  bytes: number;
}

export class ReplyQueue {
  readonly #capacityBytes: number;
  readonly #audio: AudioRing;
  readonly #runs: Run[] = [];

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
    this.#audio = new AudioRing(capacityBytes);
  }

  /** The item whose audio is next, or null where nothing waits. */
  get nextItem(): PlaybackItem | null {
    return this.#runs[0]?.item ?? null;
  }

  get heldBytes(): number {
    return this.#audio.heldBytes;
  }

  /** Copies the beginning of the audio, as far as there is room. @returns the bytes that are kept */
  push(item: PlaybackItem, audio: Uint8Array): number {
    const waitingBytes = this.#audio.end - this.#audio.start;
    const bytes = Math.min(audio.length, this.#capacityBytes - waitingBytes);
    const last = this.#runs.at(-1);
    if (bytes === 0 || (last?.item !== item && this.#runs.length >= mostRuns)) return 0;
    if (last?.item === item) last.bytes += bytes;
    else this.#runs.push({ item, bytes });
    this.#audio.append(audio.subarray(0, bytes));
    return bytes;
  }

  /** Takes at most `mostBytes` of the next item. @returns a view, valid until the next `push` */
  take(mostBytes: number): Buffer {
    const run = this.#runs[0];
    const piece = this.#audio.readFrom(this.#audio.start, Math.min(mostBytes, run?.bytes ?? 0));
    this.#audio.forgetBefore(this.#audio.start + piece.length);
    if (run !== undefined) run.bytes -= piece.length;
    if (run?.bytes === 0) this.#runs.shift();
    return piece;
  }

  clear(): void {
    this.#runs.length = 0;
    this.#audio.clear();
  }
}
