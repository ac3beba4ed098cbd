/**
 * Owns: group commit. What is appended while one batch is on its way makes up the next one; each commit has an outcome of
 * its own.
 * Does not own: the statement (`statements.ts`), what a batch holds (`batch.ts`), the connection (`link.ts`).
 *
 * Invariants:
 * P3. `stored` and `conflict` are true. Where an answer was lost, the same commits are sent again under their ids: what
 *     is still under way there makes the second try wait, and what is there is found by its id.
 * P4. A commit that fails, fails alone (J11); but one statement at a time, so that nothing overtakes.
 * P5. Each is answered within `answerWithinMs`. A batch whose answer is not there by then is not given up: it may wait for
 *     a standby, and its commits may yet become durable.
 */
import type { Clock, TimerHandle } from '../../../runtime/ports/clock.ts';
import { RetryError } from '../../../runtime/ports/errors.ts';
import type { PackedCommit } from '../operations.ts';
import { type IdentifiedCommit, takeBatch, toAppendValues, toSettleValues } from './batch.ts';
import { kindOf, toJournalError } from './failures.ts';
import type { PostgresLink } from './link.ts';
import { appendSql, settleSql } from './statements.ts';

export const answerWithinMs = 5_000;

const firstPauseMs = 20;
const longestPauseMs = 500;

/** After so many the commits of a batch are tried one by one. */
const attemptsTogether = 3;

type Outcome = 'stored' | 'conflict';

interface Waiting extends IdentifiedCommit {
  /** An earlier try may have arrived. */
  isAgain: boolean;
  isAnswered: boolean;
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
}

export interface AppenderOptions {
  link: PostgresLink;
  clock: Clock;
  /** For people: where the journal is. */
  place: string;
  onStored(callIds: string[]): void;
}

export class PostgresAppender {
  readonly #options: AppenderOptions;
  readonly #queue: Waiting[] = [];
  #isSending = false;

  constructor(options: AppenderOptions) {
    this.#options = options;
  }

  append(commit: PackedCommit): Promise<Outcome> {
    const { clock, place } = this.#options;
    return new Promise((resolve, reject) => {
      let timer: TimerHandle;
      const settle = () => {
        clock.clearTimeout(timer);
        waiting.isAnswered = true;
      };
      const waiting: Waiting = {
        id: crypto.randomUUID(),
        commit,
        isAgain: false,
        isAnswered: false,
        resolve: (outcome) => {
          settle();
          resolve(outcome);
        },
        reject: (error) => {
          settle();
          reject(toJournalError(error, place));
        },
      };
      timer = clock.setTimeout(
        () => waiting.reject(new RetryError('journal.unavailable', `${place}: no answer in time`)),
        answerWithinMs,
      );
      this.#queue.push(waiting);
      void this.#send();
    });
  }

  async #send(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    while (this.#queue.length > 0) {
      // Nothing was sent of those that were answered meanwhile.
      const batch = takeBatch(this.#queue).filter(({ isAnswered }) => !isAnswered);
      await this.#store(batch);
    }
    this.#isSending = false;
  }

  /** Until each of `batch` is answered. */
  async #store(batch: readonly Waiting[]): Promise<void> {
    let pauseMs = firstPauseMs;
    for (let attempt = 1; ; attempt += 1) {
      const left = batch.filter(({ isAnswered }) => !isAnswered);
      if (left.length === 0) return;
      if (attempt > attemptsTogether && left.length > 1 && !left.some(({ isAgain }) => isAgain)) {
        for (const one of left) await this.#store([one]);
        return;
      }
      const isDone = await this.#attempt(left);
      if (isDone) return;
      await this.#pause(pauseMs);
      pauseMs = Math.min(longestPauseMs, pauseMs * 2);
    }
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.setTimeout(resolve, delayMs));
  }

  /** @returns false where the same commits may be tried again */
  async #attempt(batch: readonly Waiting[]): Promise<boolean> {
    const { link } = this.#options;
    try {
      await link.connection();
    } catch {
      // Nothing was sent; a server may be there the next time.
      return false;
    }
    try {
      await this.#ask(batch);
      return true;
    } catch (error) {
      return await this.#fail(batch, error);
    }
  }

  async #fail(batch: readonly Waiting[], error: unknown): Promise<boolean> {
    const kind = kindOf(error);
    if (kind === 'lost') {
      for (const waiting of batch) waiting.isAgain = true;
      this.#options.link.drop();
    }
    if (kind === 'lost' || (kind === 'later' && batch.length > 1)) return false;
    if (batch.length === 1 || kind === 'refused') for (const waiting of batch) waiting.reject(error);
    else for (const waiting of batch) await this.#store([waiting]);
    return true;
  }

  async #ask(batch: readonly Waiting[]): Promise<void> {
    const { link, onStored } = this.#options;
    const rows = await link.query<{ id: string }>(appendSql, toAppendValues(batch));
    const stored = new Set(rows.map(({ id }) => id));
    for (const id of await this.#storedBefore(batch.filter((one) => one.isAgain && !stored.has(one.id))))
      stored.add(id);
    onStored(batch.flatMap(({ id, commit }) => (stored.has(id) ? [commit.row.callId] : [])));
    for (const waiting of batch) waiting.resolve(stored.has(waiting.id) ? 'stored' : 'conflict');
  }

  /** P3. */
  async #storedBefore(batch: readonly Waiting[]): Promise<string[]> {
    if (batch.length === 0) return [];
    const rows = await this.#options.link.query<{ id: string }>(settleSql, toSettleValues(batch));
    return rows.map(({ id }) => id);
  }
}
