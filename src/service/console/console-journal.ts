/**
 * Owns: the console's own handle of the journal: whatever a page searches, the calls' commits do not wait for it.
 * Does not own: the journal (`src/adapters/journal`).
 */
import type { Journal } from '../../runtime/ports/journal.ts';

export interface ConsoleJournalOptions {
  /** Null: there is only one handle, which is not ours to close. */
  open: (() => Promise<Journal>) | null;
  shared: Journal;
}

export class ConsoleJournal {
  readonly #options: ConsoleJournalOptions;
  #opened: Promise<Journal> | null = null;
  #isClosed = false;

  constructor(options: ConsoleJournalOptions) {
    this.#options = options;
  }

  /** Opened when it is first asked for, and again where that failed. @throws what opening throws */
  async open(): Promise<Journal> {
    const { open, shared } = this.#options;
    // Whoever asks a handle that is closed is told so by it.
    if (open === null || this.#isClosed) return shared;
    this.#opened ??= open().catch((error: unknown) => {
      this.#opened = null;
      throw error;
    });
    return await this.#opened;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const opened = await this.#opened?.catch(() => null);
    await opened?.close();
  }
}
