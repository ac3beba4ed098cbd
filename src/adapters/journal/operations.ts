/**
 * Owns: the vocabulary between a journal handle and the store behind it: every operation with its request and result.
 * Does not own: how a store carries them out, how a commit becomes text (`packing.ts`).
 *
 * Entries, states and signals travel as JSON text: the main thread neither clones nor parses what it only passes on.
 */
import type {
  CallListQuery,
  CallRow,
  InboxSignal,
  InstanceBeat,
  InstanceFact,
  InstanceRow,
  Payload,
} from '../../runtime/ports/journal.ts';

/** A call's index row; `state` is JSON text. */
export interface PackedRow extends Omit<CallRow, 'state'> {
  state: string;
}

export interface PackedCommit {
  /** The commit's entries end at `row.lastSeq`. */
  row: PackedRow;
  firstSeq: number;
  /** JSON text of an array. */
  entries: string;
  payloads: Payload[];
  checkpoint: string | null;
  taken: string[];
  erases: boolean;
}

export interface PackedStep {
  entries: string;
  state: string;
}

export interface PackedLog {
  commits: PackedStep[];
  checkpoint: { seq: number; state: string } | null;
}

export interface PackedSignal extends Omit<InboxSignal, 'signal'> {
  signal: string;
}

export interface PackedFact extends Omit<InstanceFact, 'detail'> {
  detail: string;
}

export type ListPlace = NonNullable<CallListQuery['after']>;

/** `CallListQuery` with null for what does not filter. */
export type ListQuery = {
  [Field in keyof CallListQuery]-?: Field extends 'limit' ? number : NonNullable<CallListQuery[Field]> | null;
};

/** `next` is where to go on where the store stopped before it had seen all calls, so that others get their turn. */
export interface ListPart {
  rows: PackedRow[];
  next: ListPlace | null;
}

/**
 * `now` and `beatAt` are milliseconds since the epoch by the handle's clock: the journal's, unless the store has its own.
 * `beat` gives back what it counted by.
 */
export interface Operations {
  append: { request: PackedCommit; result: 'stored' | 'conflict' };
  read: { request: { callId: string; fromStart: boolean }; result: PackedLog };
  readPayloads: { request: { callId: string }; result: Payload[] };
  findByCarrierId: { request: { carrierCallId: string }; result: PackedRow | null };
  list: { request: ListQuery; result: ListPart };
  readAfter: { request: { callId: string; seq: number; limit: number }; result: PackedStep[] };
  put: { request: PackedSignal; result: 'put' | 'duplicate' | 'full' };
  pending: { request: { owner: string }; result: PackedSignal[] };
  beat: { request: InstanceBeat & { beatAt: number }; result: number };
  instances: { request: { now: number }; result: InstanceRow[] };
  forget: { request: { instance: string }; result: null };
  noteInstance: { request: { facts: PackedFact[] }; result: null };
  readInstanceLog: {
    request: { instance: string | null; before: number | null; limit: number };
    result: PackedFact[];
  };
  saveDefinition: { request: { digest: string; definition: string }; result: null };
  readDefinition: { request: { digest: string }; result: string | null };
  undelivered: { request: { limit: number }; result: PackedRow[] };
  markDelivered: { request: { callId: string }; result: null };
}

export type OperationName = keyof Operations;

/** What carries the operations out, each at once and in its caller's thread. */
export type OperationHandlers = {
  [Name in OperationName]: (request: Operations[Name]['request']) => Operations[Name]['result'];
};

export function perform<Name extends OperationName>(
  handlers: OperationHandlers,
  name: Name,
  request: Operations[Name]['request'],
): Operations[Name]['result'] {
  return handlers[name](request);
}

/** The operations that change the store: they share a transaction and are durable before they are answered. */
export const writingOperations: ReadonlySet<OperationName> = new Set([
  'append',
  'put',
  'beat',
  'forget',
  'noteInstance',
  'saveDefinition',
  'markDelivered',
]);

/** What a journal handle stands on. */
export interface JournalStore {
  /** @throws RetryError `journal.unavailable`, GiveUpError `journal.corrupt`, FixCallError `log.invalid` */
  execute<Name extends OperationName>(
    name: Name,
    request: Operations[Name]['request'],
  ): Promise<Operations[Name]['result']>;
  /** Calls `listener` after a `put` of any process. Returns the function that stops it. */
  watch(listener: () => void): () => void;
  /** Calls `listener` after a commit of any process to this call, or to any where `callId` is null. */
  follow(callId: string | null, listener: () => void): () => void;
  /** Waits for what was asked before. Nothing is asked after it. */
  close(): Promise<void>;
}

/** Untaken signals that one call may have; `put` answers `full` beyond it. */
export const signalsPerCall = 1_000;

/** Facts that are kept of one instance. */
export const factsPerInstance = 10_000;

/** Calls whose payloads are looked into before others get their turn. */
export const callsPerSearch = 200;

/** One append per call is in flight, so this is the number of calls that may wait for a store that stalls. */
export const requestsInFlight = 10_000;
