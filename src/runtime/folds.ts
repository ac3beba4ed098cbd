/**
 * Owns: the states of calls that were read lately, so that the next reading folds only what came after.
 * Does not own: the fold (`history.ts`), calls that live here (`registry.ts`).
 *
 * One stream that comes to this process for a call of another one has the call read several times: for the answer, for
 * the token, for the claim. After a death they all come at once.
 *
 * Invariants:
 * I1. A kept state is the fold of the log up to its seq, and a log only grows: what is read is what a fold of the whole
 *     log gives.
 */
import { foldNewest, parseEntries, readState } from './history.ts';
import type { Feed, Log } from './ports/journal.ts';
import type { CallState } from './step.ts';

/** More calls than are read at once; of the others the oldest goes. */
export const keptFolds = 500;

/** What one reading takes at once. */
const entriesAtOnce = 100;

export type FoldedLog = Log & Pick<Feed, 'readAfter'>;

export class Folds {
  readonly #log: FoldedLog;
  readonly #kept = new Map<string, CallState>();

  constructor(log: FoldedLog) {
    this.#log = log;
  }

  /** The call's state as its log has it now, or null for an unknown call. @throws as `readState` */
  async read(callId: string): Promise<CallState | null> {
    const known = this.#kept.get(callId);
    const state = known ? await this.#goOn(known) : await readState(this.#log, callId);
    if (state) this.#keep(state);
    return state;
  }

  /** For a call that lives here now: its actor knows more. */
  forget(callId: string): void {
    this.#kept.delete(callId);
  }

  async #goOn(known: CallState): Promise<CallState> {
    let state = known;
    for (;;) {
      const commits = await this.#log.readAfter(state.callId, state.seq, entriesAtOnce);
      const entries = parseEntries(state.callId, commits);
      state = foldNewest(state.callId, entries, state) ?? state;
      if (entries.length < entriesAtOnce) return state;
    }
  }

  /** Of two readings at once the one that saw more counts; an ended call is hardly read again. */
  #keep(state: CallState): void {
    const { callId, seq, snapshot } = state;
    if ((this.#kept.get(callId)?.seq ?? 0) > seq) return;
    this.#kept.delete(callId);
    if (snapshot.status !== 'active') return;
    this.#kept.set(callId, state);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > keptFolds && oldest !== undefined) this.#kept.delete(oldest);
  }
}
