/**
 * Owns: what the carrier is answered when the desk is late, fails, or does not know the call.
 * Does not own: what a call wants (`CarrierDesk`), HTTP, TwiML.
 *
 * Invariants:
 * F1. Every request for TwiML gets an answer within its limit, and a call that is over is never created.
 * F2. A call is told to ask again at most `mostWaits` times in a row. A new one is put off `mostPutOffs` times at most,
 *     then declined.
 * F3. A number that the carrier has dialled for a call is not dialled again because our log does not show it yet.
 */

import { isOver } from '../../machines/entry-values.ts';
import type { Answer, CarrierDesk, IncomingCall } from '../../runtime/ports/carrier.ts';
import type { Clock } from '../../runtime/ports/clock.ts';
import { HoldfastError, RetryError } from '../../runtime/ports/errors.ts';
import type { Signal } from '../../runtime/ports/signal.ts';
import { type Continuation, type DialEnd, firstTime } from './continuation.ts';
import type { Tally } from './tally.ts';
import { late, withinLimit } from './time-limit.ts';
import type { CallFields } from './webhook-fields.ts';

/** The carrier gives up after 15 s where the number's own address says nothing else. */
const answerLimitMs = 8_000;

/** Below the 4 s that `connectionOverrides` lets the carrier wait, or the answer would find nobody. */
const continueLimitMs = 3_000;

/** A minute at least: longer than a lone process takes to restart. */
const mostWaits = 60;

/** Times in a row that a call is sent on at once by processes that are cut off: the next one may get it in that second. */
const mostHandedOn = 2;

/** A quarter of a minute at least: longer than a process takes from its first answer until it is ready. */
const mostPutOffs = 15;

/** Long enough for what has just been reported to be in the call's log. */
const waitAMoment: Answer = { do: 'wait', pauseMs: 1_000 };

export type ReportOutcome = 'taken' | 'unknownCall' | 'failed';

const knowsNothingOf = (error: unknown): boolean =>
  error instanceof HoldfastError && error.code === 'call.unknown';

/** Whoever was put through meanwhile has waited long enough. */
const mayComeAgain = ({ waits, dialed }: Continuation): boolean => waits < mostPutOffs && dialed === null;

/** A newer instance has the call: it answers when the carrier asks again. */
const isOfNewer = (error: unknown): boolean =>
  error instanceof HoldfastError && error.code === 'journal.future';

const incoming = ({ CallSid, From, To }: CallFields): IncomingCall => ({
  carrierCallId: CallSid,
  from: From,
  to: To,
});

export interface FrontDeskOptions {
  desk: CarrierDesk;
  clock: Clock;
  tally: Tally;
  /** See `TwimlPlace`. */
  fallbackUrl: string | null;
}

export class FrontDesk {
  readonly #desk: CarrierDesk;
  readonly #clock: Clock;
  readonly #tally: Tally;
  readonly #fallbackUrl: string | null;

  constructor({ desk, clock, tally, fallbackUrl }: FrontDeskOptions) {
    this.#desk = desk;
    this.#clock = clock;
    this.#tally = tally;
    this.#fallbackUrl = fallbackUrl;
  }

  /** For a call that comes in. */
  async answer(fields: CallFields, asked = firstTime): Promise<Answer> {
    return (await this.#concluded(fields)) ?? this.#answerCall(fields, asked);
  }

  /** For a call that the carrier has already. `key` tells one request from another. */
  async continue(fields: CallFields, asked: Continuation, key: string): Promise<Answer> {
    const answer = (await this.#concluded(fields)) ?? (await this.#continueAfter(fields, asked, key));
    if (answer.do !== 'wait' || asked.waits < mostWaits) return answer;
    this.#tally.count('webhook.waitedOut');
    return { do: 'apologise', apology: 'trouble' };
  }

  /** For a call for which the carrier has dialled. */
  async takeDial(fields: CallFields, dialed: DialEnd): Promise<Answer> {
    const concluded = await this.#concluded(fields);
    if (concluded !== null) return concluded;
    await this.#reportDial(fields, dialed);
    return dialed.outcome === 'completed' ? { do: 'hangUp' } : waitAMoment;
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

  async #continueAfter(fields: CallFields, asked: Continuation, key: string): Promise<Answer> {
    const { dialed, waits } = asked;
    // Once more, since the report may have failed; at once, for both together must come in time.
    const reported = dialed === null ? null : this.#reportDial(fields, dialed);
    const [answer] = await Promise.all([this.#continueCall(fields, asked, key), reported]);
    // The caller waits on a line of ours: nobody is dialled any more, and whoever was to be told how it went was not there.
    // The answer does not wait for that, or it would come too late.
    if (answer.do === 'wait' && answer.dialing && dialed === null && waits > 0)
      void this.#reportDial(fields, { outcome: 'unknown', dialId: key });
    const isDialledAlready = answer.do === 'transfer' && dialed !== null;
    if (isDialledAlready || this.#isSentBack(answer)) return waitAMoment;
    // Declined at first and put through: nobody was reached, and nobody is here for the caller any more.
    const isInVain = dialed !== null && dialed.outcome !== 'completed';
    return answer.do === 'hangUp' && isInVain ? { do: 'apologise', apology: 'trouble' } : answer;
  }

  /** Whoever comes from the fallback would come in anew, or be sent back there, without an end to it. */
  #isSentBack(answer: Answer): boolean {
    return answer.do === 'decline' && (answer.againAfterMs !== undefined || this.#fallbackUrl !== null);
  }

  #reportDial({ CallSid }: CallFields, { outcome, dialId }: DialEnd): Promise<ReportOutcome> {
    const entry = { type: 'transfer.finished', outcome } as const;
    return this.report(CallSid, { entry }, `twilio:${CallSid}:dialed:${dialId}`);
  }

  async #answerCall(fields: CallFields, asked: Continuation): Promise<Answer> {
    try {
      const answer = this.#desk.answerCall(incoming(fields), mayComeAgain(asked));
      return this.#inTime(await withinLimit(this.#clock, answerLimitMs, answer), { do: 'decline' });
    } catch (error) {
      this.#tally.count('desk.failed', error);
      return isOfNewer(error) ? waitAMoment : { do: 'decline' };
    }
  }

  async #continueCall(fields: CallFields, asked: Continuation, key: string): Promise<Answer> {
    try {
      const answer = this.#askNext(fields, asked, key);
      return this.#inTime(await withinLimit(this.#clock, continueLimitMs, answer), waitAMoment);
    } catch (error) {
      this.#tally.count('desk.failed', error);
      const mayBeKnownNext = error instanceof RetryError || isOfNewer(error);
      if (!mayBeKnownNext) return { do: 'apologise', apology: 'trouble' };
      return this.#desk.isCutOff() && asked.waits < mostHandedOn ? { do: 'wait', pauseMs: 0 } : waitAMoment;
    }
  }

  /** A call that nobody knows begins now: its first webhook found nobody here, and a fallback sent it back. */
  async #askNext(fields: CallFields, asked: Continuation, key: string): Promise<Answer> {
    try {
      return await this.#desk.continueCall(fields.CallSid, key, asked.left);
    } catch (error) {
      if (!knowsNothingOf(error)) throw error;
      return await this.#desk.answerCall(incoming(fields), mayComeAgain(asked));
    }
  }

  #inTime(answer: Answer | typeof late, otherwise: Answer): Answer {
    if (answer !== late) return answer;
    this.#tally.count('desk.late');
    return otherwise;
  }
}
