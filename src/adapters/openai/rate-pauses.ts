/**
 * Owns: how long nothing may be asked for after replies that failed, or requests that were refused, for want of rate.
 * Does not own: waiting for it (`response-queue.ts`), asking again (the call chart).
 *
 * Source: OpenAI Realtime, `response.done` with the error `rate_limit_exceeded`, and the `error` event of that name.
 *
 * Invariants:
 * Q3. A pause is as long as the far side says, within a bound. Where it does not say, or said so before in vain, it doubles
 *     with each such failure since a reply came to its end, with jitter between half and the whole step.
 */
import type { OpenAiLimits } from './limits.ts';
import { reactionToError, type ToldError, toldPauseOf } from './refusals.ts';

export class RatePauses {
  readonly #limits: OpenAiLimits;
  readonly #random: () => number;
  #failures = 0;

  constructor(limits: OpenAiLimits, random: () => number) {
    this.#limits = limits;
    this.#random = random;
  }

  noteCompleted(): void {
    this.#failures = 0;
  }

  /** @returns the pause before the next request, milliseconds; null where the failure asks for none */
  after(error: ToldError): number | null {
    if (reactionToError(error) !== 'slowDown') return null;
    const { rateFirstPauseMs, ratePauseMs } = this.#limits;
    const toldMs = toldPauseOf(error);
    const failures = this.#failures++;
    if (toldMs !== null && failures === 0) return Math.min(toldMs, ratePauseMs);
    const stepMs = Math.min(ratePauseMs, rateFirstPauseMs * 2 ** failures);
    return Math.min(ratePauseMs, Math.max(toldMs ?? 0, Math.round(stepMs * (0.5 + this.#random() / 2))));
  }
}
