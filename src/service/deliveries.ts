/**
 * Owns: telling the agent definition that a call ended, at least once, from the journal's own record of what was told.
 * Does not own: what `onCallEnded` does.
 */
import type { Clock, TimerHandle } from '../runtime/ports/clock.ts';
import type { CallRow, Journal } from '../runtime/ports/journal.ts';

const retryEveryMs = 10_000;
const batch = 50;

export interface DeliveriesOptions {
  journal: Journal;
  clock: Clock;
  deliver(row: CallRow): Promise<void>;
  onTrouble(error: unknown): void;
}

export class CallEndDeliveries {
  readonly #options: DeliveriesOptions;
  #timer: TimerHandle | null = null;
  #working: Promise<void> | null = null;
  #again = false;
  #stopped = false;

  constructor(options: DeliveriesOptions) {
    this.#options = options;
  }

  /** A call has ended, or the process has started: see what is to be told. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#working) this.#again = true;
    else this.#working = this.#work();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) this.#options.clock.clearTimeout(this.#timer);
    await this.#working;
  }

  async #work(): Promise<void> {
    const { journal, onTrouble, clock } = this.#options;
    let failed = false;
    const rows = await journal.undelivered(batch).catch((error: unknown) => {
      onTrouble(error);
      failed = true;
      return [];
    });
    for (const row of rows) {
      if (!this.#stopped && !(await this.#tell(row))) failed = true;
    }
    this.#working = null;
    if (this.#again || (rows.length === batch && !failed)) {
      this.#again = false;
      this.wake();
    } else if (failed && !this.#stopped) {
      this.#timer = clock.setTimeout(() => this.wake(), retryEveryMs);
    }
  }

  async #tell(row: CallRow): Promise<boolean> {
    try {
      await this.#options.deliver(row);
      await this.#options.journal.markDelivered(row.callId);
      return true;
    } catch (error) {
      this.#options.onTrouble(error);
      return false;
    }
  }
}
