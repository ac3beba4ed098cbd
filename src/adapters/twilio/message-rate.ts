/** Owns: noticing that a peer sends more messages than any call does. */
import type { Clock } from '../../runtime/ports/clock.ts';

/** 40 times the rate of a call. */
export const mostMessagesPerSecond = 2_000;

const windowMs = 1_000;

/** Counts in windows of one second, each opened by the first message after the one before it. */
export class MessageRate {
  readonly #clock: Clock;
  #openedAt = Number.NEGATIVE_INFINITY;
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts one message and says whether it is one too many. */
  exceeded(): boolean {
    const now = this.#clock.monotonic();
    if (now - this.#openedAt >= windowMs) {
      this.#openedAt = now;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#count > mostMessagesPerSecond;
  }
}
