/**
 * Owns: the buffer from which Twilio plays a stream's audio to the caller, and the marks in it.
 * Does not own: the clock that asks for the next frame (`call/phone-line.ts`), the messages (`server-messages.ts`).
 *
 * Invariants:
 * O1. Every accepted byte is played once, in order, unless a `clear` comes before it.
 * O2. A mark is echoed after the last byte queued before it has sounded to its end, and never later than the next
 *     frame; with nothing queued, at once; by `clear`, at once and in order.
 * O3. At most ten minutes of audio and 10,000 marks wait.
 *
 * Source: Twilio, Media Streams, WebSocket messages; Error Dictionary 31931.
 */
import { silenceByte } from '../../../media/mulaw.ts';

interface PendingMark {
  name: string;
  /** How many bytes of the stream come before it. */
  position: number;
}

const mostQueuedBytes = 10 * 60 * 8_000;
const mostPendingMarks = 10_000;
const initialBytes = 8_192;

export class Playout {
  readonly #onMark: (name: string) => void;
  readonly #marks: PendingMark[] = [];
  #buffer = Buffer.alloc(0);
  /** Where in the buffer the next byte to play lies. */
  #start = 0;
  /** Counted from the stream's beginning: accepted and not cleared, handed out, sounded to the end. */
  #acceptedBytes = 0;
  #takenBytes = 0;
  #soundedBytes = 0;

  /** @param onMark called with each mark's name when it is to be echoed */
  constructor(onMark: (name: string) => void) {
    this.#onMark = onMark;
  }

  get queuedBytes(): number {
    return this.#acceptedBytes - this.#takenBytes;
  }

  /** False where ten minutes are queued already: then none of it is taken. Copies what it takes. */
  enqueue(audio: Uint8Array): boolean {
    if (this.queuedBytes + audio.length > mostQueuedBytes) return false;
    this.#makeRoom(audio.length);
    this.#buffer.set(audio, this.#start + this.queuedBytes);
    this.#acceptedBytes += audio.length;
    return true;
  }

  /** False where too many marks are waiting already. */
  mark(name: string): boolean {
    if (this.#acceptedBytes === this.#soundedBytes) {
      this.#onMark(name);
      return true;
    }
    if (this.#marks.length >= mostPendingMarks) return false;
    this.#marks.push({ name, position: this.#acceptedBytes });
    return true;
  }

  /** Empties the buffer. The frame that sounds just now sounds to its end. Returns how many bytes were thrown away. */
  clear(): number {
    const clearedBytes = this.queuedBytes;
    this.#acceptedBytes = this.#takenBytes;
    this.#start = 0;
    for (const { name } of this.#marks.splice(0)) this.#onMark(name);
    return clearedBytes;
  }

  /**
   * The frame before this one has sounded to its end: echoes its marks, then fills `frame` with what comes next and
   * with silence after it.
   *
   * @returns how many bytes of the frame are the stream's
   */
  play(frame: Uint8Array): number {
    this.#soundedBytes = this.#takenBytes;
    this.#echoSounded();
    const length = Math.min(frame.length, this.queuedBytes);
    if (length > 0) frame.set(this.#buffer.subarray(this.#start, this.#start + length));
    if (length < frame.length) frame.fill(silenceByte, length);
    this.#takenBytes += length;
    this.#start = this.queuedBytes === 0 ? 0 : this.#start + length;
    return length;
  }

  #echoSounded(): void {
    let sounded = 0;
    while ((this.#marks[sounded]?.position ?? Number.POSITIVE_INFINITY) <= this.#soundedBytes) sounded += 1;
    if (sounded === 0) return;
    for (const { name } of this.#marks.splice(0, sounded)) this.#onMark(name);
  }

  #makeRoom(length: number): void {
    const needed = this.queuedBytes + length;
    if (this.#start + needed <= this.#buffer.length) return;
    const target =
      needed <= this.#buffer.length
        ? this.#buffer
        : Buffer.allocUnsafe(Math.max(initialBytes, needed, this.#buffer.length * 2));
    this.#buffer.copy(target, 0, this.#start, this.#start + this.queuedBytes);
    this.#buffer = target;
    this.#start = 0;
  }
}
