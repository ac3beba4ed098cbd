/**
 * Owns: telling the agent definition that a call ended, at least once, from the journal's own record of what was told.
 * Does not own: what `onCallEnded` does.
 *
 * Invariants:
 * Y1. A call whose end cannot be told keeps no other call's end back for longer than `tellLimitMs`, and is told again
 *     every `retryEveryMs` or as soon as there is room after that.
 * Y2. Telling takes at most `tellLimitMs` a call, and holds up the end of the process for at most `stopGraceMs`.
 */
import { withinDeadline } from '../agent/deadline.ts';
import type { Clock, TimerHandle } from '../runtime/ports/clock.ts';
import type { CallRow, Journal } from '../runtime/ports/journal.ts';

export const retryEveryMs = 10_000;
export const tellLimitMs = 30_000;
export const stopGraceMs = 2_000;

/** Ends that are told at once. */
const batch = 20;

/** Calls whose end could not be told that are remembered; more of them are not looked past. */
const failingLimit = 1_000;

export interface DeliveriesOptions {
  journal: Journal;
  clock: Clock;
  deliver(row: CallRow): Promise<void>;
  onTrouble(error: unknown): void;
}

export class CallEndDeliveries {
  readonly #options: DeliveriesOptions;
  /** Calls that were told in vain, and when they are told again, on the monotonic clock. */
  readonly #failing = new Map<string, number>();
  readonly #released = new AbortController();
  #retry: TimerHandle | null = null;
  #working: Promise<void> | null = null;
  #again = false;
  #stopped = false;

  constructor(options: DeliveriesOptions) {
    this.#options = options;
  }

  /** A call has ended, the process has started, or another one is given up: see what is to be told. */
  wake(): void {
    if (this.#stopped) return;
    this.#again = true;
    this.#working ??= this.#work().finally(() => {
      this.#working = null;
    });
  }

  /** What is being told is told to its end, within the grace; the rest is told by whichever process comes next. */
  async stop(): Promise<void> {
    const { clock } = this.#options;
    this.#stopped = true;
    if (this.#retry !== null) clock.clearTimeout(this.#retry);
    const grace = clock.setTimeout(() => this.#released.abort(), stopGraceMs);
    await this.#working;
    clock.clearTimeout(grace);
  }

  async #work(): Promise<void> {
    while (this.#again && !this.#released.signal.aborted) {
      this.#again = false;
      await this.#tellMany();
    }
  }

  async #tellMany(): Promise<void> {
    const limit = batch + this.#failing.size;
    const rows = await this.#read(limit);
    const fresh = rows.filter(({ callId }) => !this.#failing.has(callId));
    const now = this.#options.clock.monotonic();
    const due = rows.filter(({ callId }) => (this.#failing.get(callId) ?? Number.POSITIVE_INFINITY) <= now);
    await Promise.all([...fresh, ...due].slice(0, batch).map((row) => this.#tell(row)));
    const isMoreToTell = fresh.length + due.length > batch || (fresh.length > 0 && rows.length === limit);
    if (isMoreToTell && this.#failing.size < failingLimit) this.#again = true;
    if (this.#failing.size > 0) this.#retryLater();
  }

  async #read(limit: number): Promise<CallRow[]> {
    try {
      const rows = await this.#options.journal.undelivered(limit);
      // What another process has told meanwhile is no matter of this one any more.
      const known = new Set(rows.map(({ callId }) => callId));
      for (const callId of this.#failing.keys()) if (!known.has(callId)) this.#failing.delete(callId);
      return rows;
    } catch (error) {
      this.#options.onTrouble(error);
      this.#retryLater();
      return [];
    }
  }

  async #tell(row: CallRow): Promise<void> {
    const { clock, deliver, journal, onTrouble } = this.#options;
    if (this.#released.signal.aborted) return;
    const deadline = { clock, timeoutMs: tellLimitMs, released: this.#released.signal };
    const ending = await withinDeadline(deadline, async () => {
      await deliver(row);
      await journal.markDelivered(row.callId);
    });
    if (ending.how === 'returned') {
      this.#failing.delete(row.callId);
      return;
    }
    if (ending.how === 'threw') onTrouble(ending.error);
    if (ending.how === 'timedOut') onTrouble(new Error(`onCallEnded took longer than ${tellLimitMs} ms`));
    this.#failing.set(row.callId, clock.monotonic() + retryEveryMs);
  }

  #retryLater(): void {
    if (this.#stopped) return;
    this.#retry ??= this.#options.clock.setTimeout(() => {
      this.#retry = null;
      this.wake();
    }, retryEveryMs);
  }
}
