/**
 * Owns: that the personal data of calls goes once it has been kept as long as it is to be kept.
 * Does not own: how it is erased (`src/runtime/erasure.ts`), an operator's erasure.
 *
 * Every process looks, at its start and then hourly: two at it at once erase each call once, for its log is fenced.
 *
 * Invariants:
 * R1. Calls are not held up: one call is erased at a time, with a pause after each, over a handle of its own.
 * R2. A call that cannot be erased keeps no other one from it, and is tried again with the next look.
 */
import { type Erased, type ErasureJournal, eraseCall } from '../runtime/erasure.ts';
import type { Clock, TimerHandle } from '../runtime/ports/clock.ts';
import type { CallListQuery, CallRow } from '../runtime/ports/journal.ts';

export const lookEveryMs = 60 * 60 * 1_000;
export const pauseMs = 100;
const dayMs = 24 * 60 * 60 * 1_000;

/** Calls that are looked up at once. */
const batch = 50;

/** What one look erased. */
export interface RetentionRun extends Erased {
  calls: number;
}

export interface RetentionOptions {
  /** A handle that the calls do not wait for, asked for when there is something to do. */
  journal(): Promise<ErasureJournal>;
  clock: Clock;
  /** Null: for ever. */
  keepDays: number | null;
  /** After each look that erased something. */
  onErased(run: RetentionRun): void;
  onTrouble(error: unknown): void;
}

export class Retention {
  readonly #options: RetentionOptions;
  #timer: TimerHandle;
  #working: Promise<void> | null = null;
  #resume: (() => void) | null = null;
  #stopped = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#options.keepDays === null || this.#stopped) return;
    this.#working = this.#look();
  }

  /** The call that is being erased is erased to its end. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#options.clock.clearTimeout(this.#timer);
    this.#resume?.();
    await this.#working;
  }

  async #look(): Promise<void> {
    const { journal, clock, keepDays, onErased, onTrouble } = this.#options;
    const run: RetentionRun = { calls: 0, payloads: 0, bytes: 0 };
    try {
      await this.#eraseAll(await journal(), clock.now() - (keepDays ?? 0) * dayMs, run);
    } catch (error) {
      onTrouble(error);
    }
    if (run.calls > 0) onErased(run);
    if (!this.#stopped) this.#timer = clock.setTimeout(() => this.start(), lookEveryMs);
  }

  async #eraseAll(journal: ErasureJournal, endedBefore: number, run: RetentionRun): Promise<void> {
    let rows: CallRow[] = [];
    do {
      rows = await journal.list(queryOf(endedBefore, rows.at(-1)));
      for (const row of rows) {
        if (this.#stopped) return;
        await this.#erase(journal, row.callId, run);
        await this.#pause();
      }
    } while (rows.length === batch);
  }

  async #erase(journal: ErasureJournal, callId: string, run: RetentionRun): Promise<void> {
    const { clock, onTrouble } = this.#options;
    try {
      const { payloads, bytes } = await eraseCall(journal, clock, callId, { by: 'retention' });
      if (payloads === 0) return;
      run.calls += 1;
      run.payloads += payloads;
      run.bytes += bytes;
    } catch (error) {
      onTrouble(error);
    }
  }

  /** Ends at once when this is to stop. */
  #pause(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      this.#resume = resolve;
      this.#timer = this.#options.clock.setTimeout(resolve, pauseMs);
    });
  }
}

const queryOf = (endedBefore: number, last: CallRow | undefined): CallListQuery => ({
  live: false,
  endedBefore,
  hasPayloads: true,
  limit: batch,
  ...(last && { after: last }),
});
