/**
 * Owns: what the carrier is answered when the desk is late, fails, or does not know the call.
 * Does not own: what a call wants (`CarrierDesk`), HTTP, TwiML.
 *
 * Invariants:
 * F1. Every request for TwiML gets an answer within its limit, and a call that is over is never created.
 * F2. A call is told to ask again at most `mostWaits` times in a row.
 */

import { isOver } from '../../machines/entries.ts';
import type { Answer, CarrierDesk, IncomingCall } from '../../runtime/ports/carrier.ts';
import type { Clock } from '../../runtime/ports/clock.ts';
import { HoldfastError, RetryError } from '../../runtime/ports/errors.ts';
import type { Signal } from '../../runtime/ports/signal.ts';
import type { Tally } from './tally.ts';
import { late, withinLimit } from './time-limit.ts';
import type { CallFields } from './webhook-fields.ts';

/** The carrier gives up after 15 s where the number's own address says nothing else. */
const answerLimitMs = 8_000;

/** Below the 4 s that `connectionOverrides` lets the carrier wait, or the answer would find nobody. */
const continueLimitMs = 3_000;

/** A minute at least: longer than a lone process takes to restart. */
const mostWaits = 60;

export type ReportOutcome = 'taken' | 'unknownCall' | 'failed';

const knowsNothingOf = (error: unknown): boolean =>
  error instanceof HoldfastError && error.code === 'call.unknown';

const incoming = ({ CallSid, From, To }: CallFields): IncomingCall => ({
  carrierCallId: CallSid,
  from: From,
  to: To,
});

export class FrontDesk {
  readonly #desk: CarrierDesk;
  readonly #clock: Clock;
  readonly #tally: Tally;

  constructor({ desk, clock, tally }: { desk: CarrierDesk; clock: Clock; tally: Tally }) {
    this.#desk = desk;
    this.#clock = clock;
    this.#tally = tally;
  }

  /** For a call that comes in. */
  async answer(fields: CallFields): Promise<Answer> {
    return (await this.#concluded(fields)) ?? this.#answerCall(fields);
  }

  /** For a call that the carrier has already. `waits`: how often in a row it was told to ask again. */
  async continue(fields: CallFields, waits: number): Promise<Answer> {
    const answer = (await this.#concluded(fields)) ?? (await this.#continueCall(fields));
    if (answer.do !== 'wait' || waits < mostWaits) return answer;
    this.#tally.count('webhook.waitedOut');
    return { do: 'apologise' };
  }

  async report(carrierCallId: string, signal: Signal, key: string): Promise<ReportOutcome> {
    try {
      const report = this.#desk.report(carrierCallId, signal, key).then((): 'taken' => 'taken');
      const outcome = await withinLimit(this.#clock, continueLimitMs, report);
      if (outcome === 'taken') return 'taken';
      this.#tally.count('desk.late');
      return 'failed';
    } catch (error) {
      this.#tally.count(knowsNothingOf(error) ? 'callback.unknownCall' : 'desk.failed', error);
      return knowsNothingOf(error) ? 'unknownCall' : 'failed';
    }
  }

  /** The answer for a call that is over, once its end is reported; null for any other. */
  async #concluded({ CallSid, CallStatus: status }: CallFields): Promise<Answer | null> {
    if (status === undefined || !isOver(status)) return null;
    const entry = { type: 'carrier.reported', status, source: 'webhook' } as const;
    await this.report(CallSid, { entry }, `twilio:${CallSid}:webhook:${status}`);
    return { do: 'hangUp' };
  }

  async #answerCall(fields: CallFields): Promise<Answer> {
    try {
      const answer = this.#desk.answerCall(incoming(fields));
      return this.#inTime(await withinLimit(this.#clock, answerLimitMs, answer), 'decline');
    } catch (error) {
      this.#tally.count('desk.failed', error);
      return { do: 'decline' };
    }
  }

  async #continueCall(fields: CallFields): Promise<Answer> {
    try {
      return this.#inTime(await withinLimit(this.#clock, continueLimitMs, this.#askNext(fields)), 'wait');
    } catch (error) {
      this.#tally.count('desk.failed', error);
      return { do: error instanceof RetryError ? 'wait' : 'apologise' };
    }
  }

  /** A call that nobody knows begins now: its first webhook found nobody here, and a fallback sent it back. */
  async #askNext(fields: CallFields): Promise<Answer> {
    try {
      return await this.#desk.continueCall(fields.CallSid);
    } catch (error) {
      if (!knowsNothingOf(error)) throw error;
      return await this.#desk.answerCall(incoming(fields));
    }
  }

  #inTime(answer: Answer | typeof late, otherwise: 'decline' | 'wait'): Answer {
    if (answer !== late) return answer;
    this.#tally.count('desk.late');
    return { do: otherwise };
  }
}
