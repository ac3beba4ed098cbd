/**
 * Owns: what a journal keeps and promises, as small ports that one adapter implements together.
 * Does not own: what the entries mean (`src/machines/entries.ts`), who may claim a call (`src/runtime/registry.ts`).
 *
 * Every adapter (memory, SQLite, PostgreSQL) is held to one contract suite, `test/contract/journal.ts`.
 *
 * Invariants:
 * J1. A commit is atomic: its entries, payloads, index row, checkpoint and taken signals are all there or none is.
 * J2. A call's seq is dense from 1: a commit whose first seq is not the last one plus 1 meets `journal.conflict`.
 * J3. A resolved `append` is durable.
 * J4. A signal is taken once: by the commit that names it in `taken`. A commit that names one which does not wait for
 *     its call meets `journal.conflict`. Of a taken signal only the id is kept.
 * J8. After a commit that `erases`, nothing of the call's payloads, nor of signals that wait for it, can be read by any
 *     means that the store offers, and the log folds as before.
 */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** One fact of a call as it is stored. `seq` counts from 1 without holes, `at` never goes back within a call. */
export interface StoredEntry {
  seq: number;
  /** Milliseconds since the Unix epoch. */
  at: number;
  type: string;
  [field: string]: Json;
}

/** Erasable personal data. An entry refers to it by its own seq and `name`. */
export interface Payload {
  seq: number;
  name: string;
  content: string;
}

/** The row by which a call is found without its log. Written with every commit. */
export interface CallRow {
  callId: string;
  /** The carrier's own id (Twilio: CallSid). Unique where present: a second call with it meets `journal.conflict`. */
  carrierCallId: string | null;
  direction: 'incoming' | 'outgoing';
  /** The instance of the last `owner.claimed`; null once the call has ended. */
  owner: string | null;
  startedAt: number;
  endedAt: number | null;
  endReason: string | null;
  lastSeq: number;
  /** The chart's state value after `lastSeq`. */
  state: Json;
}

export interface Commit {
  callId: string;
  /** Dense and rising; the first one's seq is the fence. Never empty. */
  entries: readonly StoredEntry[];
  payloads: readonly Payload[];
  row: CallRow;
  /** The whole folded state after the last entry, where this commit should carry one. A cache: only the newest is kept. */
  checkpoint: Json | null;
  /** Ids of the inbox signals that these entries took in. */
  taken: readonly string[];
  /** The call's payloads up to these entries, and what waits in its inbox, are erased with this commit. */
  erases?: boolean;
}

export interface StoredCommit {
  callId: string;
  entries: StoredEntry[];
  /** The state value stored with it. */
  state: Json;
}

export interface CallLog {
  /** The newest checkpoint (null without one, or with `fromStart`) and all commits after it. Empty for an unknown call. */
  commits: StoredCommit[];
  checkpoint: { seq: number; state: Json } | null;
}

export interface Log {
  /**
   * @throws GiveUpError `journal.conflict`; RetryError `journal.unavailable` (the outcome may be unknown: read to learn
   * it); FixCallError `log.invalid` where the commit could be part of no log
   */
  append(commit: Commit): Promise<void>;
  read(callId: string, options?: { fromStart?: boolean }): Promise<CallLog>;
  /** What is left of the call's payloads, by seq and name. */
  readPayloads(callId: string): Promise<Payload[]>;
  findByCarrierId(carrierCallId: string): Promise<CallRow | null>;
  /** Newest first, by start and then by id. */
  list(query: CallListQuery): Promise<CallRow[]>;
}

/** Each field that is there filters. `limit` defaults to 50. */
export interface CallListQuery {
  live?: boolean;
  owner?: string;
  callId?: string;
  direction?: CallRow['direction'];
  endReason?: string;
  /** Milliseconds since the epoch; both excluded. */
  startedAfter?: number;
  startedBefore?: number;
  endedBefore?: number;
  /** Calls that have payloads left. */
  hasPayloads?: boolean;
  /** Part of the call's id, its owner, its end's reason or any payload's content; upper or lower case (ASCII). */
  text?: string;
  /** Only what comes after this call in the order of the list. */
  after?: Pick<CallRow, 'startedAt' | 'callId'>;
  limit?: number;
}

/** For those who watch: what was committed by whichever process. Costs nothing while nobody follows. */
export interface Feed {
  /** Whole commits that end after `seq`, oldest first; stops after the one with which `limit` entries are reached. */
  readAfter(callId: string, seq: number, limit: number): Promise<StoredCommit[]>;
  /**
   * Calls `listener` within 50 ms of a commit by any process: to this call, or to any where `callId` is null. One call
   * may stand for many commits, and one for none, where some may have been missed. Returns the function that stops it.
   */
  follow(callId: string | null, listener: () => void): () => void;
}

/** A fact of an instance, in the past tense. Holds no personal data. */
export interface InstanceFact {
  instance: string;
  at: number;
  type: string;
  detail: { [field: string]: Json };
}

/** What happened to instances, beside the calls: an audit log. Of each instance the newest 10,000 facts are kept. */
export interface InstanceLog {
  noteInstance(facts: readonly InstanceFact[]): Promise<void>;
  /** Newest first. `before` a moment (excluded). `limit` defaults to 100. */
  readInstanceLog(query: { instance?: string; before?: number; limit?: number }): Promise<InstanceFact[]>;
}

/**
 * A signal for a call, put by any process, taken as an entry by the call's owner. Of one for a call that has ended only
 * the id is kept: nobody will take it.
 */
export interface InboxSignal {
  /** Idempotency key, unique over the journal: a second `put` with the same id changes nothing. */
  id: string;
  callId: string;
  /** The entry to be, without seq and at, and its payloads. */
  signal: Json;
}

export interface Inbox {
  /** @throws RetryError `journal.unavailable`, also while 1,000 signals of this call wait */
  put(signal: InboxSignal): Promise<'put' | 'duplicate'>;
  /** Signals that nobody took, of calls that `owner` owns, oldest first. */
  pending(owner: string): Promise<InboxSignal[]>;
  /**
   * Calls `listener` within 100 ms of a `put` by any process that may concern `owner`. One call may stand for many puts,
   * and one for none, where some may have been missed. Returns the function that stops it.
   */
  watch(owner: string, listener: () => void): () => void;
}

export interface InstanceRow {
  instance: string;
  pid: number;
  host: string;
  ready: boolean;
  startedAt: number;
  /** Where its admin server answers (`http://127.0.0.1:9090`); null where it has none. */
  address: string | null;
  /** Milliseconds since the last beat, by the journal's clock. */
  beatAgeMs: number;
  /**
   * Whether its own session with the journal is open right now, as the journal's engine knows it; null where there is
   * none. A process that died is not connected any more within milliseconds; one that is frozen, or cut off without a
   * word, still is until the engine notices, and only stops beating.
   */
  isConnected: boolean | null;
}

/** What an instance says of itself. */
export type InstanceBeat = Omit<InstanceRow, 'beatAgeMs' | 'isConnected'>;

export interface Instances {
  /** Creates or renews this instance's row. Returns the journal's clock, milliseconds since the epoch. */
  beat(instance: InstanceBeat): Promise<number>;
  instances(): Promise<InstanceRow[]>;
  /** Removes the row of an instance that stopped or whose calls were all adopted. */
  forget(instance: string): Promise<void>;
}

/** Resolved agent definitions, stored once by digest. */
export interface Definitions {
  saveDefinition(digest: string, definition: Json): Promise<void>;
  readDefinition(digest: string): Promise<Json | null>;
}

/** The cursor behind `onCallEnded`: at least once, by any process. */
export interface Deliveries {
  /** Ended calls whose end was not delivered yet, oldest end first. */
  undelivered(limit: number): Promise<CallRow[]>;
  markDelivered(callId: string): Promise<void>;
}

export interface Journal extends Log, Feed, Inbox, Instances, InstanceLog, Definitions, Deliveries {
  /** Waits for what was appended, then lets go of the file or connections. All else meets FixCallError `journal.closed`. */
  close(): Promise<void>;
}
