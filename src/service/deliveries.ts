/**
 * Owns: telling the agent definition that a call ended, at least once, from the journal's own record of what was told.
 * Does not own: what `onCallEnded` does.
 *
 * Invariants:
 * Y1. A call whose end cannot be told keeps no other call's end back, and is told again every `retryEveryMs`.
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
  /** Calls that were told in vain. */
  readonly #failing = new Set<string>();
  readonly #released = new AbortController();
  #retry: TimerHandle | null = null;
  #working: Promise<void> | null = null;
  #again = false;
  #stopped = false;

  constructor(options: DeliveriesOptions) {
    this.#options = options;
  }

  /** A call has ended, or the process has started: see what is to be told. */
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
    const rows = await this.#options.journal.undelivered(limit).catch((error: unknown) => {
      this.#options.onTrouble(error);
      this.#retryLater();
      return [];
    });
    const fresh = rows.filter(({ callId }) => !this.#failing.has(callId));
    await Promise.all(fresh.map((row) => this.#tell(row)));
    if (fresh.length > 0 && rows.length === limit && this.#failing.size < failingLimit) this.#again = true;
  }

  async #tell(row: CallRow): Promise<void> {
    const { clock, deliver, journal, onTrouble } = this.#options;
    if (this.#released.signal.aborted) return;
    const deadline = { clock, timeoutMs: tellLimitMs, released: this.#released.signal };
    const ending = await withinDeadline(deadline, async () => {
      await deliver(row);
      await journal.markDelivered(row.callId);
    });
    if (ending.how === 'returned') return;
    if (ending.how === 'threw') onTrouble(ending.error);
    if (ending.how === 'timedOut') onTrouble(new Error(`onCallEnded took longer than ${tellLimitMs} ms`));
    this.#failing.add(row.callId);
    this.#retryLater();
  }

  /** Then everything counts as not tried yet. */
  #retryLater(): void {
    if (this.#stopped) return;
    this.#retry ??= this.#options.clock.setTimeout(() => {
      this.#retry = null;
      this.#failing.clear();
      this.wake();
    }, retryEveryMs);
  }
}
