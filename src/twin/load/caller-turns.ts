/**
 * Owns: when a caller speaks: after each reply was played, or into it.
 * Does not own: the sound, the playout (`playout.ts`).
 */
import type { CallerPlan } from './caller-plan.ts';

/** Nothing came of what was asked: the caller asks again. */
const patienceMs = 10_000;
/** More of a reply may follow what was played so long ago. */
const replyGapMs = 300;

export interface TurnEvents {
  onSpeech(isBargeIn: boolean): void;
  onNoReply(): void;
}

export class CallerTurns {
  readonly #plan: CallerPlan;
  readonly #events: TurnEvents;
  readonly #random: () => number;
  #pauseMs: number;
  #speaksUntilMs = 0;
  #waitsSinceMs: number;
  #hasHeardReply = false;
  #replyBeganMs = 0;
  #playedOutMs = 0;

  constructor(plan: CallerPlan, events: TurnEvents, random: () => number, nowMs: number) {
    this.#plan = plan;
    this.#random = random;
    this.#pauseMs = plan.firstPauseMs * random();
    this.#events = events;
    this.#waitsSinceMs = nowMs;
  }

  /** Whether the caller has been waiting for a reply of which nothing has come. */
  get isWaiting(): boolean {
    return !this.#hasHeardReply;
  }

  replyHeard(nowMs: number): void {
    if (!this.#hasHeardReply) this.#replyBeganMs = nowMs;
    this.#hasHeardReply = true;
    this.#playedOutMs = Math.max(this.#playedOutMs, nowMs);
  }

  /** @param queuedMs what is left to play @returns whether the caller speaks now */
  speaks(nowMs: number, queuedMs: number): boolean {
    if (nowMs < this.#speaksUntilMs) return true;
    if (queuedMs > 0) this.#playedOutMs = nowMs + queuedMs;
    if (this.#bargesIn(nowMs, queuedMs)) return this.#begin(nowMs, true);
    if (this.#isAnswered(nowMs, queuedMs)) return this.#begin(nowMs, false);
    if (this.#hasHeardReply || nowMs < this.#waitsSinceMs + patienceMs) return false;
    this.#events.onNoReply();
    return this.#begin(nowMs, false);
  }

  #bargesIn(nowMs: number, queuedMs: number): boolean {
    const { bargeInAfterMs } = this.#plan;
    return (
      bargeInAfterMs !== null &&
      this.#hasHeardReply &&
      queuedMs > 0 &&
      nowMs > this.#replyBeganMs + bargeInAfterMs
    );
  }

  #isAnswered(nowMs: number, queuedMs: number): boolean {
    if (!this.#hasHeardReply || queuedMs > 0) return false;
    return nowMs > this.#playedOutMs + Math.max(replyGapMs, this.#pauseMs);
  }

  #begin(nowMs: number, isBargeIn: boolean): true {
    this.#speaksUntilMs = nowMs + this.#plan.speechMs;
    this.#waitsSinceMs = this.#speaksUntilMs;
    this.#pauseMs = this.#plan.pauseMs * (0.5 + this.#random());
    this.#hasHeardReply = false;
    this.#events.onSpeech(isBargeIn);
    return true;
  }
}
