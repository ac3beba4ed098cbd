/**
 * Owns: telling the other processes that calls have new commits.
 * Does not own: hearing it (`listener.ts`), telling those who follow here (`store.ts`).
 *
 * PostgreSQL lets one transaction of a database at a time commit with a NOTIFY, and wakes every process that listens to
 * anything. So a notice is no part of the commit, which waits for a standby, and comes at most every `noticeEveryMs`.
 * A notice that is lost with its connection is sent again; one that is lost with its process is made up for by the next
 * commit to the call: by whoever claims it.
 */
import type { Clock, TimerHandle } from '../../../runtime/ports/clock.ts';
import type { PostgresLink } from './link.ts';
import { statements } from './statements.ts';

/** Well within the 50 ms in which a commit must be told. */
const noticeEveryMs = 15;
const retryAfterMs = 500;

/** A payload holds at most 8,000 bytes (PostgreSQL, NOTIFY). Where the names are longer, it says that anything may have changed. */
const payloadBytes = 7_000;

export interface NoticesOptions {
  link: PostgresLink;
  clock: Clock;
  channel: string;
  /** Marks the notices that come from here. */
  sender: string;
}

export class CommitNotices {
  readonly #options: NoticesOptions;
  readonly #callIds = new Set<string>();
  #telling: Promise<void> | null = null;
  #resume: (() => void) | null = null;
  #isClosed = false;

  constructor(options: NoticesOptions) {
    this.#options = options;
  }

  /** The first one after a pause is sent at once. */
  add(callIds: readonly string[]): void {
    for (const callId of callIds) this.#callIds.add(callId);
    this.#telling ??= this.#tellAll().finally(() => {
      this.#telling = null;
    });
  }

  async #tellAll(): Promise<void> {
    while (this.#callIds.size > 0) {
      const isTold = await this.#tell();
      if (this.#isClosed && !isTold) return;
      if (!this.#isClosed) await this.#pause(isTold ? noticeEveryMs : retryAfterMs);
    }
  }

  /** @returns false where it may be told later */
  async #tell(): Promise<boolean> {
    const { link, channel, sender } = this.#options;
    const callIds = [...this.#callIds];
    this.#callIds.clear();
    const names = JSON.stringify(callIds);
    const payload = `${sender} ${Buffer.byteLength(names) < payloadBytes ? names : 'null'}`;
    try {
      await link.query(statements.notify, [channel, payload]);
      return true;
    } catch {
      for (const callId of callIds) this.#callIds.add(callId);
      return false;
    }
  }

  async #pause(delayMs: number): Promise<void> {
    const { clock } = this.#options;
    let timer: TimerHandle;
    await new Promise<void>((resolve) => {
      this.#resume = resolve;
      timer = clock.setTimeout(resolve, delayMs);
    });
    clock.clearTimeout(timer);
  }

  /** What is left to be told is told, where there is a server. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#resume?.();
    await this.#telling;
  }
}
