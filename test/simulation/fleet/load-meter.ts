/**
 * Owns: what a fleet asks of its journal: how many operations of each kind, how many bytes it writes.
 * Does not own: how many statements a journal makes of them: several appends of one instance share one.
 */
import type { Journal } from '../../../src/runtime/ports/journal.ts';

const counted = [
  'append',
  'read',
  'readAfter',
  'readPayloads',
  'findByCarrierId',
  'list',
  'put',
  'pending',
  'beat',
  'instances',
  'forget',
  'saveDefinition',
  'readDefinition',
  'undelivered',
  'markDelivered',
] as const;
export type Operation = (typeof counted)[number];

export class LoadMeter {
  readonly counts = new Map<Operation, number>();
  writtenBytes = 0;
  readonly #appendsBySecond = new Map<number, number>();

  /** Counts what is asked of the journal from now on. Returns the journal that nobody counts. */
  watch(journal: Journal, now: () => number): Journal {
    const uncounted = Object.create(journal) as Journal;
    for (const name of counted) {
      const work = (journal[name] as (...given: unknown[]) => unknown).bind(journal);
      const note = (...given: unknown[]): unknown => {
        this.#note(name, given, now());
        return work(...given);
      };
      Object.defineProperty(uncounted, name, { value: work });
      Object.defineProperty(journal, name, { value: note });
    }
    return uncounted;
  }

  get most(): number {
    return Math.max(0, ...this.#appendsBySecond.values());
  }

  count(...names: readonly Operation[]): number {
    return names.reduce((sum, name) => sum + (this.counts.get(name) ?? 0), 0);
  }

  get total(): number {
    return this.count(...counted);
  }

  #note(name: Operation, given: readonly unknown[], nowMs: number): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    if (name !== 'append') return;
    const second = Math.floor(nowMs / 1_000);
    this.#appendsBySecond.set(second, (this.#appendsBySecond.get(second) ?? 0) + 1);
    this.writtenBytes += Buffer.byteLength(JSON.stringify(given[0]));
  }
}
