/**
 * Owns: whether a new call is taken now, why not, and where its caller goes instead.
 * Does not own: calls that are known: they go on whatever is down (`../desk.ts`).
 *
 * Admission is not readiness. What is down for one process is mostly down for all: were none of them ready, the
 * balancer would have nowhere to send `/twilio/continue`, and live calls would end.
 *
 * Invariants:
 * AD1. A call is counted as declined once, however often Twilio asks about it.
 * AD2. A call is passed on `mostPasses` times by each process: whoever brings it again has found nobody, and is answered.
 * AD3. A call is declined for a process that comes or goes only where nobody is soon there to take it: else it is put off.
 * I9. At most `mostRemembered` declined calls are remembered, and as many that were passed on.
 */
import type { Clock } from '../../runtime/ports/clock.ts';

/**
 * `agent`: its definition fails for this call. `full`: as many calls as are allowed are live here. `overloaded`: the live
 * ones take more than can be given to them well.
 */
export type DeclineCause = 'starting' | 'draining' | 'journal' | 'model' | 'full' | 'overloaded' | 'agent';

/** What the desk asks before it takes a new call, and what it tells when it does not. */
export interface Admission {
  /** Null where new calls are taken. */
  refusal(): DeclineCause | null;
  /** Whether a call that is not taken for this cause is to ask again in a moment, for somebody may take it then. */
  putsOff(cause: DeclineCause): boolean;
  /**
   * The call is not taken.
   * @returns the number (E.164) that its caller is put through to; null where he hears the fallback or the busy message
   */
  decline(callId: string, cause: DeclineCause, error: unknown): string | null;
}

export interface DoorOptions {
  clock: Clock;
  refusal(): DeclineCause | null;
  /** The number (E.164) of whoever helps callers that the agent cannot serve. */
  fallbackNumber: string | null;
  /** There is a fallback outside this host, which has calls wait for a process. */
  hasFallbackUrl: boolean;
  /** Another process is there, ready or not, or may be. Asked while this one drains. */
  mayHaveCompany(): boolean;
  /** Once for each call. */
  onDeclined(callId: string, cause: DeclineCause, error: unknown): void;
  /** Each time; nobody is told unless asked for. */
  onPassedOn?(callId: string, cause: DeclineCause): void;
}

const mostRemembered = 1_000;

/** Not once: a balancer that spreads by load may come back here before it tries a third process. */
export const mostPasses = 2;

/** Twilio asks again within seconds where an answer was lost: it gets the same one. */
const sameAnswerMs = 10_000;

export class Door implements Admission {
  readonly #options: DoorOptions;
  /** When each call was declined first, by the monotonic clock; oldest first. */
  readonly #declinedAt = new Map<string, number>();
  /** How often each call was passed on; oldest first. */
  readonly #passes = new Map<string, number>();

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  refusal(): DeclineCause | null {
    return this.#options.refusal();
  }

  /** AD3. Of the connections to a shared port the system gives this process its share until it stops to listen. */
  putsOff(cause: DeclineCause): boolean {
    return cause === 'starting' || (cause === 'draining' && this.#options.mayHaveCompany());
  }

  /**
   * Whether whoever brings the call is to try another process with it. Asked only where there may be one, and of known
   * calls too: every process gives the same answer to those.
   */
  passesOn(callId: string): boolean {
    const refusal = this.refusal();
    const passes = this.#passes.get(callId) ?? 0;
    if (refusal === null || passes >= mostPasses) return false;
    remember(this.#passes, callId, passes + 1);
    this.#options.onPassedOn?.(callId, refusal);
    return true;
  }

  decline(callId: string, cause: DeclineCause, error: unknown): string | null {
    const nowMs = this.#options.clock.monotonic();
    const declinedAt = this.#declinedAt.get(callId) ?? nowMs;
    if (!this.#declinedAt.has(callId)) {
      remember(this.#declinedAt, callId, nowMs);
      this.#options.onDeclined(callId, cause, error);
    }
    // Whoever was put through and comes back found nobody there.
    return nowMs - declinedAt <= sameAnswerMs ? this.#numberFor(cause) : null;
  }

  /** A process that comes or goes is soon followed by one that takes the call: waiting for it is better. */
  #numberFor(cause: DeclineCause): string | null {
    const { fallbackNumber, hasFallbackUrl } = this.#options;
    const isPassing = cause === 'starting' || cause === 'draining';
    return isPassing && hasFallbackUrl ? null : fallbackNumber;
  }
}

/** I9. The oldest is forgotten first. */
function remember(calls: Map<string, number>, callId: string, value: number): void {
  calls.set(callId, value);
  const [oldest] = calls.keys();
  if (calls.size > mostRemembered && oldest !== undefined) calls.delete(oldest);
}

/** Takes every call while `takesCalls` says so. For a process that watches nothing. */
export const openWhile = (takesCalls: () => boolean): Admission => ({
  refusal: () => (takesCalls() ? null : 'draining'),
  putsOff: () => false,
  decline: () => null,
});
