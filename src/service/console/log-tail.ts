/**
 * Owns: reading a call's log to its end, and on as it is written, by whichever process.
 * Does not own: what is made of it.
 *
 * Invariants:
 * T1. Each commit is taken once and in order; one that could not be taken is read again.
 * T2. Whoever asks for what there is gets what was written until then.
 * I4. After `stop` nothing is followed and nothing is taken.
 */
import type { Feed, StoredCommit } from '../../runtime/ports/journal.ts';
import type { Stop } from '../../runtime/ports/operator.ts';

/** Entries that are read at once. */
const batchEntries = 500;

export interface LogTailOptions {
  callId: string;
  journal: Feed;
  take(commits: readonly StoredCommit[]): Promise<void>;
  /** Something may have been written. */
  onNews(): void;
}

const lastSeqOf = (commits: readonly StoredCommit[]): number => commits.at(-1)?.entries.at(-1)?.seq ?? 0;

export class LogTail {
  readonly #options: LogTailOptions;
  readonly #unfollow: Stop;
  #lastSeq = 0;
  #reading: Promise<void> | null = null;
  #isStale = true;
  #isStopped = false;

  constructor(options: LogTailOptions) {
    this.#options = options;
    this.#unfollow = options.journal.follow(options.callId, () => options.onNews());
  }

  /** @throws what the journal throws, and what `take` does */
  async catchUp(): Promise<void> {
    this.#isStale = true;
    this.#reading ??= this.#readWhileStale().finally(() => {
      this.#reading = null;
    });
    await this.#reading;
  }

  get isReading(): boolean {
    return this.#reading !== null;
  }

  /** What comes up to `seq` was had otherwise. */
  skipTo(seq: number): void {
    this.#lastSeq = seq;
  }

  stop(): void {
    this.#isStopped = true;
    this.#unfollow();
  }

  async #readWhileStale(): Promise<void> {
    while (this.#isStale && !this.#isStopped) {
      this.#isStale = false;
      while (await this.#readOn());
    }
  }

  /** @returns whether there may be more */
  async #readOn(): Promise<boolean> {
    const { journal, callId, take } = this.#options;
    const commits = await journal.readAfter(callId, this.#lastSeq, batchEntries);
    // A commit that ends later may begin before.
    const fresh = commits.filter(({ entries }) => (entries[0]?.seq ?? 0) > this.#lastSeq);
    if (fresh.length === 0 || this.#isStopped) return false;
    const { length } = fresh.flatMap(({ entries }) => entries);
    await take(fresh);
    this.#lastSeq = lastSeqOf(fresh);
    return length >= batchEntries;
  }
}
