/**
 * Owns: noticing that a line which looks alive brings no audio.
 * Does not own: what is done about it (the call chart).
 *
 * One timer, set again only when it fires: a frame costs a comparison.
 */

export interface BridgeClock {
  /** Milliseconds from an arbitrary origin; never goes back. */
  monotonic(): number;
  setTimeout(callback: () => void, delayMs: number): unknown;
  clearTimeout(handle: unknown): void;
}

export interface StarvationListener {
  /** Called once per starvation. */
  onStarved(silentMs: number): void;
  /** A frame came after all. */
  onResumed(): void;
}

export class StarvationWatch {
  readonly #clock: BridgeClock;
  readonly #starvedAfterMs: number;
  readonly #listener: StarvationListener;
  #timer: unknown = null;
  #isStarved = false;
  #lastFrameMs = 0;

  constructor(clock: BridgeClock, starvedAfterMs: number, listener: StarvationListener) {
    this.#clock = clock;
    this.#starvedAfterMs = starvedAfterMs;
    this.#listener = listener;
  }

  /** Not before `stop`, where it was started before. */
  start(): void {
    this.#lastFrameMs = this.#clock.monotonic();
    this.#arm(this.#starvedAfterMs);
  }

  stop(): void {
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
    this.#isStarved = false;
  }

  frameArrived(nowMs: number): void {
    this.#lastFrameMs = nowMs;
    if (this.#isStarved) this.#resume();
  }

  #arm(delayMs: number): void {
    this.#timer = this.#clock.setTimeout(() => this.#check(), delayMs);
  }

  #check(): void {
    this.#timer = null;
    const silentMs = this.#clock.monotonic() - this.#lastFrameMs;
    if (silentMs < this.#starvedAfterMs) {
      this.#arm(this.#starvedAfterMs - silentMs);
    } else {
      this.#isStarved = true;
      this.#listener.onStarved(silentMs);
    }
  }

  #resume(): void {
    this.#isStarved = false;
    this.#arm(this.#starvedAfterMs);
    this.#listener.onResumed();
  }
}
