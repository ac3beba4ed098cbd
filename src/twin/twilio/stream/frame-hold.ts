/**
 * Owns: making frames late without changing their order, as a network does.
 * Does not own: how late (the stream's faults say it).
 *
 * Invariants:
 * H1. Frames leave in the order in which they came.
 * H2. At most one timer is set; at most a minute of frames waits, the oldest goes early.
 */
import type { Clock, TimerHandle } from '../../../runtime/ports/clock.ts';

interface HeldFrame {
  payload: string;
  timestampMs: number;
  /** By the monotonic clock. */
  releaseAt: number;
}

const mostHeldFrames = 3_000;

export class FrameHold {
  readonly #clock: Clock;
  readonly #release: (payload: string, timestampMs: number) => void;
  #frames: HeldFrame[] = [];
  #timer: TimerHandle;

  constructor(clock: Clock, release: (payload: string, timestampMs: number) => void) {
    this.#clock = clock;
    this.#release = release;
  }

  get isHolding(): boolean {
    return this.#frames.length > 0;
  }

  /** Releases the frame `delayMs` from now, or together with the one before it where that is later. */
  push(payload: string, timestampMs: number, delayMs: number): void {
    this.#frames.push({ payload, timestampMs, releaseAt: this.#clock.monotonic() + delayMs });
    if (this.#frames.length > mostHeldFrames) this.#releaseFirst();
    if (this.#frames.length === 1) this.#schedule();
  }

  /** Drops what is held. */
  stop(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#frames = [];
  }

  #releaseFirst(): void {
    const frame = this.#frames.shift();
    if (frame !== undefined) this.#release(frame.payload, frame.timestampMs);
  }

  #schedule(): void {
    const first = this.#frames[0];
    if (first === undefined) return;
    this.#timer = this.#clock.setTimeout(() => this.#releaseDue(), first.releaseAt - this.#clock.monotonic());
  }

  #releaseDue(): void {
    const now = this.#clock.monotonic();
    while ((this.#frames[0]?.releaseAt ?? Number.POSITIVE_INFINITY) <= now) this.#releaseFirst();
    this.#schedule();
  }
}
