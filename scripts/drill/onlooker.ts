/**
 * Owns: a console of its own, in the process of the drill: it follows every call's log and sees what comes.
 * Does not own: the console's page.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Feed, StoredEntry } from '../../src/runtime/ports/journal.ts';
import type { CallEvidence } from './evidence.ts';

const entriesAtOnce = 1_000;
const readLimitMs = 10_000;

interface Followed {
  seen: StoredEntry[];
  reading: Promise<void>;
  stop(): void;
}

export const brokenByTheFeed = (missed: readonly string[]): string[] =>
  missed.length === 0 ? [] : [`a console sees every entry once and in order: ${missed.join(', ')}`];

export class Onlooker {
  readonly #feed: Feed;
  readonly #calls = new Map<string, Followed>();

  constructor(feed: Feed) {
    this.#feed = feed;
  }

  follow(callId: string): void {
    const followed: Followed = { seen: [], reading: Promise.resolve(), stop: () => undefined };
    this.#calls.set(callId, followed);
    const read = (): void => {
      followed.reading = followed.reading.then(() => this.#read(callId, followed)).catch(() => undefined);
    };
    followed.stop = this.#feed.follow(callId, read);
    read();
  }

  /** Whatever is still being read is waited for, and not for ever. */
  async stop(): Promise<void> {
    const all = [...this.#calls.values()];
    for (const { stop } of all) stop();
    await Promise.race([
      Promise.all(all.map(({ reading }) => reading)),
      sleep(readLimitMs, null, { ref: false }),
    ]);
  }

  /** Calls of which what was shown has a gap, is not what the log says, or does not reach its end. */
  missed(results: readonly Pick<CallEvidence, 'callId' | 'entries'>[]): string[] {
    const wrong = results.filter(({ callId, entries }) => {
      const seen = this.#calls.get(callId)?.seen ?? [];
      return !isDeepStrictEqual(seen, entries);
    });
    return wrong.map(
      ({ callId, entries }) => `${callId} (${this.#calls.get(callId)?.seen.length} of ${entries.length})`,
    );
  }

  async #read(callId: string, { seen }: Followed): Promise<void> {
    for (;;) {
      const commits = await this.#feed.readAfter(callId, seen.at(-1)?.seq ?? 0, entriesAtOnce);
      if (commits.length === 0) return;
      seen.push(...commits.flatMap(({ entries }) => entries));
    }
  }
}
