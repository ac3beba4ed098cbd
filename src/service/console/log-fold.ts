/**
 * Owns: folding a log entry by entry as it comes, whichever chart wrote it, and going on where it cannot be folded.
 * Does not own: the fold (`src/runtime/step.ts`), what is shown of it.
 *
 * Invariants:
 * F1. Entries are taken whatever is wrong with them: what cannot be folded has no state, and `fault` says why.
 * F2. A log whose first chart is not kept any more is folded from the change to one that is, as `replay` does.
 */
import type { Command } from '../../machines/commands.ts';
import { type Entry, entryFault } from '../../machines/entries.ts';
import { keptChart, refuseFuture } from '../../runtime/charts.ts';
import { parseEntry } from '../../runtime/history.ts';
import { HoldfastError } from '../../runtime/ports/errors.ts';
import type { StoredEntry } from '../../runtime/ports/journal.ts';
import { type CallState, step } from '../../runtime/step.ts';

/** What an entry made of the call. Without a state: it was not folded. */
export interface Folded {
  entry: Entry;
  before: CallState | null;
  after: CallState | null;
  commands: readonly Command[];
  /** The entry is one that this version knows, so that more than its text can be read. */
  isKnown: boolean;
}

export class LogFold {
  readonly #callId: string;
  #state: CallState | null = null;
  #fault: string | null = null;
  /** Of an older version: a chart that is kept may take over. */
  #awaitsChange = false;
  #chart: number | null = null;

  constructor(callId: string) {
    this.#callId = callId;
  }

  /** Why the newest entries are not folded; null while they are. */
  get fault(): string | null {
    return this.#fault;
  }

  /** Number of the newest chart that the log names, whether it is kept or not. */
  get chart(): number | null {
    return this.#chart;
  }

  take(stored: StoredEntry): Folded {
    const entry = stored as unknown as Entry;
    this.#noteChart(entry);
    if (this.#awaitsChange && entry.type === 'chart.changed' && keptChart(entry.to)) this.#fault = null;
    return this.#fault === null ? this.#fold(stored, entry) : unfolded(entry);
  }

  /** A step that was made here already: the same log gives the same state (I1). */
  adopt(folded: Folded): void {
    this.#noteChart(folded.entry);
    this.#state = folded.after;
  }

  #noteChart(entry: Entry): void {
    if (entry.type === 'call.created') this.#chart = entry.chart;
    if (entry.type === 'chart.changed') this.#chart = entry.to;
  }

  #fold(stored: StoredEntry, entry: Entry): Folded {
    const before = this.#state;
    try {
      refuseFuture(this.#callId, [stored]);
      const [after, commands] = step(this.#callId, before, parseEntry(this.#callId, stored));
      this.#state = after;
      return { entry, before, after, commands, isKnown: true };
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      this.#awaitsChange = error.code === 'journal.past';
      this.#fault = `from entry ${stored.seq} on: ${error.message}`;
      return unfolded(entry);
    }
  }
}

const unfolded = (entry: Entry): Folded => ({
  entry,
  before: null,
  after: null,
  commands: [],
  isKnown: entryFault(entry) === null,
});
