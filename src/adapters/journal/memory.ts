/**
 * Owns: the journal in memory for tests and simulations: several handles on one store stand for several processes.
 * Does not own: the rows (`memory-tables.ts`).
 *
 * What is asked is done at once and answered in a microtask; only a fault hook makes an append wait.
 */
import type { Clock } from '../../runtime/ports/clock.ts';
import { RetryError } from '../../runtime/ports/errors.ts';
import type { Journal, StoredEntry } from '../../runtime/ports/journal.ts';
import { Followers } from './followers.ts';
import { openHandle } from './handle.ts';
import { MemoryTables } from './memory-tables.ts';
import {
  type JournalStore,
  type OperationName,
  type Operations,
  type PackedCommit,
  perform,
} from './operations.ts';

/** What a simulation makes of an append: `loseReply` stores it and answers `journal.unavailable` all the same. */
export type AppendFate = 'store' | 'refuse' | 'loseReply';

export interface MemoryJournalOptions {
  clock: Clock;
  /** Asked before each append. A promise that is not settled stalls it; later appends do not wait for it. */
  beforeAppend?: (callId: string, entries: readonly StoredEntry[]) => AppendFate | Promise<AppendFate>;
}

/** What the handles share. */
export interface MemoryStore {
  readonly tables: MemoryTables;
  readonly watchers: Set<() => void>;
  readonly followers: Followers;
}

export function createMemoryStore(): MemoryStore {
  return { tables: new MemoryTables(), watchers: new Set(), followers: new Followers() };
}

export function openMemoryJournal(store: MemoryStore, options: MemoryJournalOptions): Journal {
  return openHandle(new MemoryStoreAccess(store, options.beforeAppend ?? null), options.clock);
}

class MemoryStoreAccess implements JournalStore {
  readonly #store: MemoryStore;
  readonly #beforeAppend: Required<MemoryJournalOptions>['beforeAppend'] | null;
  readonly #unanswered = new Set<Promise<unknown>>();

  constructor(store: MemoryStore, beforeAppend: Required<MemoryJournalOptions>['beforeAppend'] | null) {
    this.#store = store;
    this.#beforeAppend = beforeAppend;
  }

  async execute<Name extends OperationName>(
    name: Name,
    request: Operations[Name]['request'],
  ): Promise<Operations[Name]['result']> {
    const answer = this.#answer(name, request);
    this.#unanswered.add(answer);
    try {
      return await answer;
    } finally {
      this.#unanswered.delete(answer);
    }
  }

  async #answer<Name extends OperationName>(
    name: Name,
    request: Operations[Name]['request'],
  ): Promise<Operations[Name]['result']> {
    const fate =
      name === 'append' && this.#beforeAppend !== null ? await this.#ask(request as PackedCommit) : 'store';
    if (fate === 'refuse') throw new RetryError('journal.unavailable', '');
    const result = perform(this.#store.tables, name, request);
    if (name === 'append' && result === 'stored') this.#tellOf(request as PackedCommit);
    if (fate === 'loseReply') throw new RetryError('journal.unavailable', '');
    if (name === 'put' && result === 'put') this.#notify();
    return result;
  }

  #tellOf({ row }: PackedCommit): void {
    queueMicrotask(() => this.#store.followers.tell([row.callId]));
  }

  async #ask(commit: PackedCommit): Promise<AppendFate> {
    return (await this.#beforeAppend?.(commit.row.callId, JSON.parse(commit.entries))) ?? 'store';
  }

  #notify(): void {
    const { watchers } = this.#store;
    for (const watcher of watchers) queueMicrotask(() => watchers.has(watcher) && watcher());
  }

  watch(listener: () => void): () => void {
    const watcher = () => listener();
    this.#store.watchers.add(watcher);
    return () => this.#store.watchers.delete(watcher);
  }

  follow(callId: string | null, listener: () => void): () => void {
    return this.#store.followers.add(callId, listener);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#unanswered);
  }
}
