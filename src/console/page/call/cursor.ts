/**
 * Owns: which entry is looked at: the newest one as it comes, or one that was chosen; and playing from there.
 * Does not own: what is shown of it.
 */
export const speeds = [1, 4, 16] as const;
export type Speed = (typeof speeds)[number];

/** Longer waits of the call are not waited for. */
const longestWaitMs = 1_500;
const shortestWaitMs = 30;

export class Cursor {
  readonly #timeOf: (seq: number) => number;
  readonly #changed: () => void;
  #seq: number;
  #lastSeq: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Of a live call: the newest entry, whichever that is. */
  isFollowing: boolean;
  isPlaying = false;
  speed: Speed = 1;
  /** With which entry the present one is compared. */
  base: number | null = null;

  constructor(lastSeq: number, seq: number | null, timeOf: (seq: number) => number, changed: () => void) {
    this.#lastSeq = lastSeq;
    this.#seq = Math.max(1, Math.min(seq ?? lastSeq, lastSeq));
    this.isFollowing = seq === null;
    this.#timeOf = timeOf;
    this.#changed = changed;
  }

  get seq(): number {
    return this.#seq;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  grow(lastSeq: number): void {
    this.#lastSeq = lastSeq;
    if (this.isFollowing) this.#seq = lastSeq;
  }

  go(seq: number): void {
    this.pause();
    this.isFollowing = false;
    this.#seq = Math.max(1, Math.min(seq, this.#lastSeq));
    this.#changed();
  }

  follow(): void {
    this.pause();
    this.isFollowing = true;
    this.#seq = this.#lastSeq;
    this.#changed();
  }

  play(): void {
    if (this.#seq >= this.#lastSeq) this.#seq = 1;
    this.isFollowing = false;
    this.isPlaying = true;
    this.#wait();
    this.#changed();
  }

  pause(): void {
    clearTimeout(this.#timer);
    this.isPlaying = false;
  }

  compare(seq: number | null): void {
    this.base = seq;
    this.#changed();
  }

  #wait(): void {
    if (this.#seq >= this.#lastSeq) this.pause();
    if (!this.isPlaying) return;
    const gapMs = Math.min(longestWaitMs, this.#timeOf(this.#seq + 1) - this.#timeOf(this.#seq));
    this.#timer = setTimeout(() => this.#advance(), Math.max(shortestWaitMs, gapMs / this.speed));
  }

  #advance(): void {
    this.#seq++;
    this.#wait();
    this.#changed();
  }
}
