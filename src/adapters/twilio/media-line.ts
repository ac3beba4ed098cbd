/**
 * Owns: what is sent to the caller on one stream, and giving up on a far side that does not read.
 * Does not own: when the stream ends (`media-stream.ts`), how much may be queued at all (`src/media`).
 *
 * Invariants:
 * I9. A line whose unsent bytes stay above `mostBufferedBytes` for `stuckMs`, or ever pass `hardLimitBytes`, is given
 *     up.
 */
import type { Line } from '../../runtime/ports/carrier.ts';
import type { Clock, TimerHandle } from '../../runtime/ports/clock.ts';
import type { Signal } from '../../runtime/ports/signal.ts';
import type { Socket } from '../../runtime/ports/socket.ts';
import { MessageWriter } from './media-message.ts';

/** Three minutes of audio in base64. */
export const mostBufferedBytes = 2 * 1_024 * 1_024;
export const stuckMs = 2_000;
export const hardLimitBytes = 16 * 1_024 * 1_024;

export interface LineEnds {
  /** We want no more of the stream. */
  onClose(): void;
  /** The far side does not read. */
  onStuck(): void;
}

export class MediaLine implements Line {
  readonly streamId: string;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #ends: LineEnds;
  readonly #writer: MessageWriter;
  #overfull: TimerHandle;
  #silenced = false;
  readonly #earlyEnds: Signal[] = [];
  #onEarlyEnd: ((signal: Signal) => void) | null = null;

  constructor(streamId: string, socket: Socket, clock: Clock, ends: LineEnds) {
    this.streamId = streamId;
    this.#socket = socket;
    this.#clock = clock;
    this.#ends = ends;
    this.#writer = new MessageWriter(streamId);
  }

  sendAudio(audio: Buffer): void {
    if (this.#silenced || audio.length === 0) return;
    this.#socket.send(this.#writer.media(audio));
    this.#watchBuffer();
  }

  sendMark(name: string): void {
    if (!this.#silenced) this.#socket.send(this.#writer.mark(name));
  }

  clear(): void {
    if (!this.#silenced) this.#socket.send(this.#writer.clear);
  }

  bufferedBytes(): number {
    return this.#socket.bufferedBytes();
  }

  whenEndedEarly(listener: (signal: Signal) => void): void {
    this.#onEarlyEnd = listener;
    for (const signal of this.#earlyEnds) queueMicrotask(() => listener(signal));
  }

  /** The stream has ended, and is not admitted yet. */
  endEarly(signal: Signal): void {
    this.#earlyEnds.push(signal);
    this.#onEarlyEnd?.(signal);
  }

  close(): void {
    this.#ends.onClose();
  }

  /** Nothing is sent from now on. */
  silence(): void {
    this.#silenced = true;
    this.#forgetOverfull();
  }

  #watchBuffer(): void {
    const bytes = this.#socket.bufferedBytes();
    if (bytes > hardLimitBytes) this.#ends.onStuck();
    else if (bytes <= mostBufferedBytes) this.#forgetOverfull();
    else this.#overfull ??= this.#clock.setTimeout(() => this.#judge(), stuckMs);
  }

  #judge(): void {
    this.#overfull = undefined;
    if (this.#socket.bufferedBytes() > mostBufferedBytes) this.#ends.onStuck();
  }

  #forgetOverfull(): void {
    this.#clock.clearTimeout(this.#overfull);
    this.#overfull = undefined;
  }
}
