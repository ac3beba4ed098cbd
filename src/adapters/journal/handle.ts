/**
 * Owns: the `Journal` port over any store: packing, the journal's clock, what a closed handle answers.
 * Does not own: keeping anything.
 *
 * Invariants:
 * J5. After `close` nothing reaches the store and no listener is called.
 */
import type { Clock } from '../../runtime/ports/clock.ts';
import { FixCallError, GiveUpError, RetryError } from '../../runtime/ports/errors.ts';
import type {
  CallListQuery,
  CallLog,
  CallRow,
  Commit,
  InboxSignal,
  InstanceBeat,
  InstanceFact,
  InstanceRow,
  Journal,
  Json,
  Payload,
  StoredCommit,
} from '../../runtime/ports/journal.ts';
import { type JournalStore, type OperationName, type Operations, signalsPerCall } from './operations.ts';
import {
  packCommit,
  packFact,
  packQuery,
  packSignal,
  unpackFact,
  unpackLog,
  unpackRow,
  unpackSignal,
  unpackStep,
} from './packing.ts';

const defaultFactLimit = 100;

/** `clock` is the journal's clock, unless the store has its own: all handles of one store should be given the same. */
export function openHandle(store: JournalStore, clock: Clock): Journal {
  return new JournalHandle(store, clock);
}

class JournalHandle implements Journal {
  readonly #store: JournalStore;
  readonly #clock: Clock;
  /** Stops of everybody who watches or follows. */
  readonly #listening = new Set<() => void>();
  #closing: Promise<void> | null = null;

  constructor(store: JournalStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  async append(commit: Commit): Promise<void> {
    const outcome = await this.#ask('append', packCommit(commit));
    if (outcome === 'conflict') throw new GiveUpError('journal.conflict', '');
  }

  async read(callId: string, { fromStart = false }: { fromStart?: boolean } = {}): Promise<CallLog> {
    return unpackLog(callId, await this.#ask('read', { callId, fromStart }));
  }

  async readPayloads(callId: string): Promise<Payload[]> {
    return await this.#ask('readPayloads', { callId });
  }

  async findByCarrierId(carrierCallId: string): Promise<CallRow | null> {
    const row = await this.#ask('findByCarrierId', { carrierCallId });
    return row && unpackRow(row);
  }

  async list(query: CallListQuery): Promise<CallRow[]> {
    const asked = packQuery(query);
    const rows: CallRow[] = [];
    let after = asked.after;
    do {
      const part = await this.#ask('list', { ...asked, after, limit: asked.limit - rows.length });
      rows.push(...part.rows.map(unpackRow));
      after = part.next;
    } while (after !== null && rows.length < asked.limit);
    return rows;
  }

  async readAfter(callId: string, seq: number, limit: number): Promise<StoredCommit[]> {
    const commits: StoredCommit[] = [];
    let entries = 0;
    for (const step of await this.#ask('readAfter', { callId, seq, limit })) {
      if (entries >= limit) break;
      const commit = unpackStep(callId, step);
      commits.push(commit);
      entries += commit.entries.length;
    }
    return commits;
  }

  follow(callId: string | null, listener: () => void): () => void {
    return this.#listen(() => this.#store.follow(callId, listener));
  }

  async noteInstance(facts: readonly InstanceFact[]): Promise<void> {
    await this.#ask('noteInstance', { facts: facts.map(packFact) });
  }

  async readInstanceLog(query: Parameters<Journal['readInstanceLog']>[0]): Promise<InstanceFact[]> {
    const { instance = null, before = null, limit = defaultFactLimit } = query;
    return (await this.#ask('readInstanceLog', { instance, before, limit })).map(unpackFact);
  }

  async put(signal: InboxSignal): Promise<'put' | 'duplicate'> {
    const outcome = await this.#ask('put', packSignal(signal));
    if (outcome === 'full')
      throw new RetryError('journal.unavailable', `the call has ${signalsPerCall} signals that nobody took`);
    return outcome;
  }

  async pending(owner: string): Promise<InboxSignal[]> {
    return (await this.#ask('pending', { owner })).map(unpackSignal);
  }

  /** Tells every watcher of every put: who owns the call may change while the word is on its way. */
  watch(_owner: string, listener: () => void): () => void {
    return this.#listen(() => this.#store.watch(listener));
  }

  #listen(begin: () => () => void): () => void {
    if (this.#closing !== null) throw new FixCallError('journal.closed', '');
    const end = begin();
    const stop = () => {
      if (this.#listening.delete(stop)) end();
    };
    this.#listening.add(stop);
    return stop;
  }

  async beat(instance: InstanceBeat): Promise<number> {
    return await this.#ask('beat', { ...instance, beatAt: this.#clock.now() });
  }

  async instances(): Promise<InstanceRow[]> {
    return await this.#ask('instances', { now: this.#clock.now() });
  }

  async forget(instance: string): Promise<void> {
    await this.#ask('forget', { instance });
  }

  async saveDefinition(digest: string, definition: Json): Promise<void> {
    await this.#ask('saveDefinition', { digest, definition: JSON.stringify(definition) });
  }

  async readDefinition(digest: string): Promise<Json | null> {
    const definition = await this.#ask('readDefinition', { digest });
    return definition === null ? null : (JSON.parse(definition) as Json);
  }

  async undelivered(limit: number): Promise<CallRow[]> {
    return (await this.#ask('undelivered', { limit })).map(unpackRow);
  }

  async markDelivered(callId: string): Promise<void> {
    await this.#ask('markDelivered', { callId });
  }

  close(): Promise<void> {
    this.#closing ??= this.#letGo();
    return this.#closing;
  }

  async #letGo(): Promise<void> {
    for (const stop of this.#listening) stop();
    await this.#store.close();
  }

  async #ask<Name extends OperationName>(
    name: Name,
    request: Operations[Name]['request'],
  ): Promise<Operations[Name]['result']> {
    if (this.#closing !== null) throw new FixCallError('journal.closed', '');
    return await this.#store.execute(name, request);
  }
}
