/**
 * Owns: a media stream of which a test plays the far side: it plays 8 bytes a millisecond in order, echoes marks once
 * what came before them was played, and all of them at once when it is cleared (Twilio, Media Streams).
 */
import { bytesPerMs } from '../../../src/media/mulaw.ts';
import type { Line, LineListener } from '../../../src/runtime/ports/carrier.ts';
import type { Clock, TimerHandle } from '../../../src/runtime/ports/clock.ts';
import type { Signal } from '../../../src/runtime/ports/signal.ts';

export const frameMs = 20;

export class FakeLine implements Line {
  readonly streamId: string;
  /** Everything that was sent to the caller. */
  readonly sent: Buffer[] = [];
  clears = 0;
  /** Closed by us. */
  isClosed = false;
  /** Over, whoever ended it. */
  isOver = false;
  echoesMarks = true;
  readonly #clock: Clock;
  #listener: LineListener | null = null;
  readonly #earlyEnds: Signal[] = [];
  #onEarlyEnd: ((signal: Signal) => void) | null = null;
  #playsUntilMs = 0;
  #timestampMs = 0;
  #pendingMarks = new Map<string, TimerHandle>();

  constructor(streamId: string, clock: Clock) {
    this.streamId = streamId;
    this.#clock = clock;
  }

  get sentMs(): number {
    return this.sent.reduce((bytes, piece) => bytes + piece.length, 0) / bytesPerMs;
  }

  /** The desk admitted it: its events have a listener from now on. */
  carriesTo(listener: LineListener): void {
    this.#listener = listener;
    for (const signal of this.#earlyEnds) listener.onSignal(signal);
    if (this.isClosed) this.#end(1000);
  }

  /** It was not admitted: the stream closes its own socket. */
  isRefused(): void {
    this.isOver = true;
  }

  sendAudio(audio: Buffer): void {
    if (this.isClosed || this.isOver) return;
    this.sent.push(Buffer.from(audio));
    const nowMs = this.#clock.monotonic();
    this.#playsUntilMs = Math.max(nowMs, this.#playsUntilMs) + audio.length / bytesPerMs;
  }

  sendMark(name: string): void {
    if (this.isClosed || this.isOver) return;
    const delayMs = Math.max(0, this.#playsUntilMs - this.#clock.monotonic());
    const timer = this.#clock.setTimeout(() => this.#echo(name), delayMs);
    this.#pendingMarks.set(name, timer);
  }

  clear(): void {
    this.clears += 1;
    this.#playsUntilMs = this.#clock.monotonic();
    for (const [name, timer] of [...this.#pendingMarks]) {
      this.#clock.clearTimeout(timer);
      this.#echo(name);
    }
  }

  bufferedBytes(): number {
    return 0;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#clock.setTimeout(() => this.#end(1000), 1);
  }

  whenEndedEarly(listener: (signal: Signal) => void): void {
    this.#onEarlyEnd = listener;
    for (const signal of this.#earlyEnds) queueMicrotask(() => listener(signal));
  }

  /** The connection is lost before the desk has admitted the stream. */
  dropsEarly(code = 1006): void {
    this.isOver = true;
    const signal: Signal = { entry: { type: 'stream.closed', streamId: this.streamId, code } };
    this.#earlyEnds.push(signal);
    this.#onEarlyEnd?.(signal);
  }

  /** The caller speaks. */
  brings(lengthMs: number, byte = 0x2a): void {
    for (let ms = 0; ms < lengthMs; ms += frameMs) {
      const frame = Buffer.alloc(frameMs * bytesPerMs, byte);
      if (!this.isOver && !this.isClosed) this.#listener?.onAudio(frame, this.#timestampMs);
      this.#timestampMs += frameMs;
    }
  }

  /** Audio in spite of everything: the far side may not have noticed yet that it was closed. */
  bringsAllTheSame(lengthMs: number): void {
    const frame = Buffer.alloc(lengthMs * bytesPerMs, 0x2b);
    this.#listener?.onAudio(frame, this.#timestampMs);
  }

  /** Twilio's `stop` message. */
  stops(): void {
    if (!this.isOver)
      this.#listener?.onSignal({ entry: { type: 'stream.stopped', streamId: this.streamId } });
  }

  /** Twilio ends the stream: its call carries out something else, or is over. */
  ends(): void {
    this.stops();
    this.#end(1000);
  }

  /** The connection is lost. */
  drops(code = 1006): void {
    this.#end(code);
  }

  #echo(name: string): void {
    this.#pendingMarks.delete(name);
    if (this.echoesMarks && !this.isOver) this.#listener?.onMark(name);
  }

  #end(code: number): void {
    if (this.isOver || !this.#listener) return;
    this.isOver = true;
    for (const timer of this.#pendingMarks.values()) this.#clock.clearTimeout(timer);
    this.#pendingMarks.clear();
    this.#listener.onSignal({ entry: { type: 'stream.closed', streamId: this.streamId, code } });
  }
}
