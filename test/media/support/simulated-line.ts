/**
 * Owns: a carrier's stream as the bridge sees it (Twilio, Media Streams): plays 8 bytes a millisecond in order, echoes
 * a mark when all audio before it was played, and echoes all of them at once when it is cleared.
 */
import { bytesPerMs } from '../../../src/media/mulaw.ts';
import type { CallerLine } from '../../../src/media/reply-player.ts';

type Queued = { audio: Buffer } | { mark: string };

export class SimulatedLine implements CallerLine {
  /** Everything the caller heard. */
  readonly heard: number[] = [];
  /** Sizes of the pieces, and the marks between them, as they were sent. */
  readonly sent: (number | string)[] = [];
  readonly marks: string[] = [];
  clears = 0;
  isStalled = false;
  echoesMarks = true;
  #queue: Queued[] = [];
  readonly #echo: (name: string) => void;

  constructor(echo: (name: string) => void) {
    this.#echo = echo;
  }

  sendAudio(audio: Buffer): void {
    this.sent.push(audio.length);
    this.#queue.push({ audio: Buffer.from(audio) });
  }

  sendMark(name: string): void {
    this.sent.push(name);
    this.marks.push(name);
    this.#queue.push({ mark: name });
  }

  clear(): void {
    this.clears++;
    const pending = this.#queue.flatMap((queued) => ('mark' in queued ? [queued.mark] : []));
    this.#queue = [];
    for (const name of pending) this.#echoMark(name);
  }

  bufferedBytes(): number {
    return this.isStalled ? Number.MAX_SAFE_INTEGER : 0;
  }

  heardBytesOf(byte: number): number {
    return this.heard.reduce((count, heard) => count + (heard === byte ? 1 : 0), 0);
  }

  play(ms: number): void {
    let budget = ms * bytesPerMs;
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      if ('audio' in next) {
        const count = Math.min(budget, next.audio.length);
        this.heard.push(...next.audio.subarray(0, count));
        next.audio = next.audio.subarray(count);
        budget -= count;
        if (next.audio.length > 0) return;
        this.#queue.shift();
      } else {
        this.#queue.shift();
        this.#echoMark(next.mark);
      }
    }
  }

  #echoMark(name: string): void {
    if (this.echoesMarks) this.#echo(name);
  }
}
