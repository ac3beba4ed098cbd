/**
 * Owns: finding a session that is there and does nothing any more: its socket answers pings, and no event comes. One that
 * has been quiet for a while is asked something that it must answer.
 * Does not own: the socket (`src/platform/heartbeat.ts` finds one that is open in name only).
 *
 * One timer, set again only when it fires: an event costs a look at the clock.
 */
import type { Clock, TimerHandle } from '../../runtime/ports/clock.ts';

/**
 * By the pause between pings: how long a session may be quiet before it is asked, and how long it may take to answer.
 * Together less than the caller's audio is kept for the next session (`BridgeSettings.ringMs`), where the pause is 2 s.
 */
const quietPings = 2.5;
const answerPings = 2;

export interface MuteWatchActions {
  ask(): void;
  /** Nothing came, not even an answer. Called once; nothing is watched any more. */
  onMute(): void;
}

export class MuteWatch {
  readonly #clock: Clock;
  readonly #quietMs: number;
  readonly #answerMs: number;
  readonly #actions: MuteWatchActions;
  #timer: TimerHandle;
  #lastEventAtMs = 0;
  #isAsked = false;

  constructor(clock: Clock, pingEveryMs: number, actions: MuteWatchActions) {
    this.#clock = clock;
    this.#quietMs = quietPings * pingEveryMs;
    this.#answerMs = answerPings * pingEveryMs;
    this.#actions = actions;
  }

  start(): void {
    this.noteEvent();
    this.#lookAfter(this.#quietMs);
  }

  noteEvent(): void {
    this.#lastEventAtMs = this.#clock.monotonic();
    this.#isAsked = false;
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
  }

  #lookAfter(delayMs: number): void {
    this.#timer = this.#clock.setTimeout(() => this.#look(), delayMs);
  }

  #look(): void {
    // A clock that counts fractions may be short of the moment by less than it can tell.
    const restMs = Math.ceil(this.#quietMs - (this.#clock.monotonic() - this.#lastEventAtMs));
    if (this.#isAsked) this.#actions.onMute();
    else if (restMs > 0) this.#lookAfter(restMs);
    else this.#ask();
  }

  #ask(): void {
    this.#isAsked = true;
    this.#actions.ask();
    this.#lookAfter(this.#answerMs);
  }
}
