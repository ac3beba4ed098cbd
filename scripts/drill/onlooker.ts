/**
 * Owns: a console of its own, in the process of the drill: it follows every call's log and sees what comes.
 * Does not own: the console's page.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Feed, StoredEntry } from '../../src/runtime/ports/journal.ts';
import type { CallEvidence } from './evidence.ts';

const entriesAtOnce = 1_000;

interface Followed {
  seen: StoredEntry[];
  reading: Promise<void>;
  stop(): void;
}

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

  async stop(): Promise<void> {
    for (const { stop } of this.#calls.values()) stop();
    await Promise.all([...this.#calls.values()].map(({ reading }) => reading));
  }

  /** What was shown has no gap, is what the log says, and reaches its end. */
  broken(results: readonly Pick<CallEvidence, 'callId' | 'entries'>[]): string[] {
    const wrong = results.filter(({ callId, entries }) => {
      const seen = this.#calls.get(callId)?.seen ?? [];
      return !isDeepStrictEqual(seen, entries);
    });
    const calls = wrong.map(
      ({ callId, entries }) => `${callId} (${this.#calls.get(callId)?.seen.length} of ${entries.length})`,
    );
    return wrong.length === 0 ? [] : [`a console sees every entry once and in order: ${calls.join(', ')}`];
  }

  async #read(callId: string, { seen }: Followed): Promise<void> {
    for (;;) {
      const commits = await this.#feed.readAfter(callId, seen.at(-1)?.seq ?? 0, entriesAtOnce);
      if (commits.length === 0) return;
      seen.push(...commits.flatMap(({ entries }) => entries));
    }
  }
}
