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
import type { Clock } from '../../../runtime/ports/clock.ts';
import { RetryError } from '../../../runtime/ports/errors.ts';
import type { PackedCommit } from '../operations.ts';
import { type IdentifiedCommit, takeBatch, toAppendValues, toSettleValues } from './batch.ts';
import { type Failure, kindOf, toJournalError } from './failures.ts';
import type { PostgresLink } from './link.ts';
import { appendSql, settleSql } from './statements.ts';

export const answerWithinMs = 5_000;

const firstPauseMs = 20;
const longestPauseMs = 500;

/** After so many the commits of a batch are tried one by one. */
const attemptsTogether = 3;

type Outcome = 'stored' | 'conflict';

/** Is answered once: a second answer changes nothing. */
class Waiting implements IdentifiedCommit {
  readonly id = crypto.randomUUID();
  readonly commit: PackedCommit;
  readonly answer = Promise.withResolvers<Outcome>();
  /** An earlier try may have arrived. */
  isAgain = false;
  isAnswered = false;

  constructor(commit: PackedCommit) {
    this.commit = commit;
  }

  resolve(outcome: Outcome): void {
    this.isAnswered = true;
    this.answer.resolve(outcome);
  }

  reject(error: Error): void {
    this.isAnswered = true;
    this.answer.reject(error);
  }
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

  async append(commit: PackedCommit): Promise<Outcome> {
    const { clock, place } = this.#options;
    const waiting = new Waiting(commit);
    const timer = clock.setTimeout(
      () => waiting.reject(new RetryError('journal.unavailable', `${place}: no answer in time`)),
      answerWithinMs,
    );
    this.#queue.push(waiting);
    this.#sendSoon();
    try {
      return await waiting.answer.promise;
    } finally {
      clock.clearTimeout(timer);
    }
  }

  /** Calls hand over their entries at the same moments: the first must not travel alone, with all others behind it. */
  #sendSoon(): void {
    if (this.#isSending) return;
    this.#isSending = true;
    setImmediate(() => void this.#send());
  }

  async #send(): Promise<void> {
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
      const error = await this.#attempt(left);
      if (error === null) return;
      const kind = kindOf(error);
      if (kind === 'lost') this.#noteLost(left);
      else if (kind !== 'later' || attempt >= attemptsTogether) return await this.#divide(left, kind, error);
      await this.#pause(pauseMs);
      pauseMs = Math.min(longestPauseMs, pauseMs * 2);
    }
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.setTimeout(resolve, delayMs));
  }

  #noteLost(batch: readonly Waiting[]): void {
    for (const waiting of batch) waiting.isAgain = true;
    this.#options.link.drop();
  }

  /** What is wrong with one of them is found by trying each alone. */
  async #divide(batch: readonly Waiting[], kind: Failure, error: unknown): Promise<void> {
    if (batch.length === 1 || kind === 'refused')
      for (const waiting of batch) waiting.reject(toJournalError(error, this.#options.place));
    else for (const waiting of batch) await this.#store([waiting]);
  }

  /** @returns what it failed with, null once each has its outcome */
  async #attempt(batch: readonly Waiting[]): Promise<unknown> {
    try {
      await this.#ask(batch);
      return null;
    } catch (error) {
      return error;
    }
  }

  async #ask(batch: readonly Waiting[]): Promise<void> {
    const { link, onStored } = this.#options;
    const rows = await link.query<{ id: string }>(appendSql, toAppendValues(batch));
    const stored = new Set(rows.map(({ id }) => id));
    for (const id of await this.#storedBefore(batch.filter((one) => one.isAgain && !stored.has(one.id))))
      stored.add(id);
    const callIds = batch.flatMap(({ id, commit }) => (stored.has(id) ? [commit.row.callId] : []));
    // Before those who wait for these answers go on.
    queueMicrotask(() => onStored(callIds));
    for (const waiting of batch) waiting.resolve(stored.has(waiting.id) ? 'stored' : 'conflict');
  }

  /** P3. */
  async #storedBefore(batch: readonly Waiting[]): Promise<string[]> {
    if (batch.length === 0) return [];
    const rows = await this.#options.link.query<{ id: string }>(settleSql, toSettleValues(batch));
    return rows.map(({ id }) => id);
  }
}
