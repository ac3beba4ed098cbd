/**
 * Owns: finding a connection that is open in name only: a ping at a fixed pace, and the sign of life that must come
 * before the next one.
 * Does not own: the socket, what is done about a missed pong.
 */
import type { Clock, TimerHandle } from '../runtime/ports/clock.ts';

export interface HeartbeatActions {
  ping(): void;
  /** The last ping was not answered. Called once; the heart then stands still. */
  onMissed(): void;
}

export class Heartbeat {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #actions: HeartbeatActions;
  #timer: TimerHandle;
  #answered = true;

  constructor(clock: Clock, everyMs: number, actions: HeartbeatActions) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#actions = actions;
  }

  start(): void {
    this.#timer = this.#clock.setTimeout(() => this.#beat(), this.#everyMs);
  }

  /** Something came from the far side: a pong, or a message that says as much. */
  noteLife(): void {
    this.#answered = true;
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
  }

  #beat(): void {
    if (!this.#answered) {
      this.#actions.onMissed();
      return;
    }
    this.#answered = false;
    this.#actions.ping();
    this.start();
  }
}
