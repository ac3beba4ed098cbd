/**
 * Owns: what the line still has to play, in order, and its marks (Twilio, Media Streams: `mark` and `clear`): a mark is
 * told once everything before it has been played, or thrown away.
 * Does not own: the loudspeaker (`worklet.ts`), the messages (`carrier-stream.ts`).
 */
import { decode } from './mulaw.ts';

/** What a stream asks of the loudspeaker. */
export type SpeakerOrder = { do: 'play'; bytes: Uint8Array } | { do: 'mark'; name: string } | { do: 'clear' };

interface Mark {
  name: string;
  /** Count of samples after which it is reached. */
  at: number;
}

export class PlayOut {
  readonly #onMark: (name: string) => void;
  #chunks: Uint8Array[] = [];
  /** Into the first chunk. */
  #offset = 0;
  #queued = 0;
  #played = 0;
  #marks: Mark[] = [];

  constructor(onMark: (name: string) => void) {
    this.#onMark = onMark;
  }

  get queuedSamples(): number {
    return this.#queued - this.#played;
  }

  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#queued += bytes.length;
  }

  mark(name: string): void {
    this.#marks.push({ name, at: this.#queued });
    this.#tellMarks();
  }

  clear(): void {
    this.#chunks = [];
    this.#offset = 0;
    this.#played = this.#queued;
    this.#tellMarks();
  }

  /** The next sample, -1 to 1; 0 where nothing is left. */
  next(): number {
    const chunk = this.#chunks[0];
    if (!chunk) return 0;
    const byte = chunk[this.#offset++] ?? 0xff;
    if (this.#offset >= chunk.length) {
      this.#chunks.shift();
      this.#offset = 0;
    }
    this.#played++;
    if (this.#marks.length > 0) this.#tellMarks();
    return decode(byte);
  }

  #tellMarks(): void {
    while ((this.#marks[0]?.at ?? Number.POSITIVE_INFINITY) <= this.#played) {
      const mark = this.#marks.shift();
      if (mark) this.#onMark(mark.name);
    }
  }
}
