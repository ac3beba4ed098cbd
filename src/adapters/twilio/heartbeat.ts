/**
 * Owns: noticing that a socket is half open: it is pinged, and a ping that was not answered by the next one is missed.
 * Does not own: what is done then.
 */
import type { Clock, TimerHandle } from '../../runtime/ports/clock.ts';
import type { Socket } from '../../runtime/ports/socket.ts';

export const pingEveryMs = 10_000;

export class Heartbeat {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #onMissed: () => void;
  #timer: TimerHandle;
  #answered = true;

  /** `onMissed` is called at most once. */
  constructor(socket: Socket, clock: Clock, onMissed: () => void) {
    this.#socket = socket;
    this.#clock = clock;
    this.#onMissed = onMissed;
    this.#arm();
  }

  onPong(): void {
    this.#answered = true;
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
  }

  #arm(): void {
    this.#timer = this.#clock.setTimeout(() => this.#beat(), pingEveryMs);
  }

  #beat(): void {
    if (this.#answered) {
      this.#answered = false;
      this.#socket.ping();
      this.#arm();
    } else {
      this.#onMissed();
    }
  }
}
