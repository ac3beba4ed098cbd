/**
 * Owns: calls that append without a pause to a journal that fails at times, and what must hold of their logs afterwards.
 *
 * Each call writes as the runtime does: one append in flight; after a failure without a word on its outcome it reads what
 * the journal holds.
 */
import { expect } from 'vitest';
import type { Journal } from '../../src/runtime/ports/journal.ts';
import { commitOf } from '../contract/commits.ts';

const retryPauseMs = 50;

export class SteadyLoad {
  readonly #journal: Journal;
  readonly #name: string;
  /** The last acknowledged seq of each call. */
  readonly #acknowledged = new Map<string, number>();
  readonly #running: Promise<void>[];
  /** Rejects with what ends a call of the load; never resolves. */
  readonly #broken: Promise<never>;
  readonly #codes = new Set<string>();
  #isStopped = false;
  #count = 0;
  #heard: (() => void)[] = [];

  constructor(journal: Journal, { calls, name }: { calls: number; name: string }) {
    this.#journal = journal;
    this.#name = name;
    this.#running = Array.from({ length: calls }, (_, index) => this.#run(`${name}-${index}`));
    this.#broken = new Promise((_, reject) => {
      for (const running of this.#running) running.catch(reject);
    });
    this.#broken.catch(() => undefined);
  }

  /** What appends failed with. */
  get codes(): string[] {
    return [...this.#codes];
  }

  /** Resolves when so many more entries are durable. @throws what an append failed with that is not to be tried again */
  async more(entries: number): Promise<void> {
    const wanted = this.#count + entries;
    while (this.#count < wanted) {
      const heard = new Promise<void>((resolve) => this.#heard.push(resolve));
      await Promise.race([heard, this.#broken]);
    }
  }

  async #run(callId: string): Promise<void> {
    for (let seq = 1; !this.#isStopped; seq += 1) {
      await this.#append(callId, seq);
      this.#acknowledged.set(callId, seq);
      this.#count += 1;
      for (const hear of this.#heard.splice(0)) hear();
    }
  }

  async #append(callId: string, seq: number): Promise<void> {
    const commit = commitOf(callId, seq, {
      note: this.#name,
      payloads: [{ seq, name: 'text', content: `${seq}` }],
    });
    for (;;) {
      const error = await this.#journal.append(commit).then(
        () => null,
        (reason) => reason,
      );
      if (error === null) return;
      this.#codes.add(error.code);
      if (error.code !== 'journal.unavailable') throw error;
      if (await this.#holds(callId, seq)) return;
    }
  }

  /** Asked until there is an answer: none is no word on the append, which may be there and would be its own rival. */
  async #holds(callId: string, seq: number): Promise<boolean> {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, retryPauseMs));
      const steps = await this.#journal.readAfter(callId, seq - 1, 1).catch(() => null);
      if (steps !== null) return steps.length > 0;
    }
  }

  /** Ends the load; every call must have gone on to its end. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#running);
  }

  /** What was acknowledged is there, in order, without a hole, written once. */
  async verify(journal: Journal): Promise<void> {
    for (const [callId, last] of this.#acknowledged) {
      const entries = (await journal.read(callId)).commits.flatMap((commit) => commit.entries);
      expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index + 1));
      expect(entries.length).toBeGreaterThanOrEqual(last);
      expect(entries.length).toBeLessThanOrEqual(last + 1);
      expect(await journal.readPayloads(callId)).toHaveLength(entries.length);
      expect(await journal.list({ callId })).toMatchObject([{ lastSeq: entries.length }]);
    }
  }
}
