/**
 * Owns: the timer for a caller who says nothing after the model has spoken.
 * Does not own: what happens then (`caller-turns.ts`).
 *
 * It counts from the end of a response plus the time that its audio takes to play, as the service estimates it, and
 * comes at most once per response.
 *
 * Source: OpenAI Realtime, turn detection, `idle_timeout_ms`.
 */
import type { Clock, TimerHandle } from '../../../runtime/ports/clock.ts';

export class IdleTimeout {
  readonly #clock: Clock;
  readonly #onIdle: () => void;
  #timer: TimerHandle;

  constructor(clock: Clock, onIdle: () => void) {
    this.#clock = clock;
    this.#onIdle = onIdle;
  }

  /** A response with so much audio is done. */
  arm(timeoutMs: number, audioMs: number): void {
    this.disarm();
    this.#timer = this.#clock.setTimeout(this.#onIdle, timeoutMs + audioMs);
  }

  disarm(): void {
    this.#clock.clearTimeout(this.#timer);
  }
}
