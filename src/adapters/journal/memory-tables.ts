/**
 * Owns: a journal's rows in the memory of this process, and each operation on them.
 * Does not own: faults, watchers, when an answer arrives (`memory.ts`).
 *
 * Nothing is ever removed but instances, their oldest facts and what is erased: it is for tests and simulations,
 * which end.
 *
 * Invariants: J1, J2, J4, J8. Every operation checks everything before it changes anything.
 */
import type { InstanceBeat, InstanceRow, Payload } from '../../runtime/ports/journal.ts';
import { byStartNewestFirst, compareText, isListed } from './memory-list.ts';
import {
  factsPerInstance,
  type ListPart,
  type ListQuery,
  type OperationHandlers,
  type PackedCommit,
  type PackedFact,
  type PackedLog,
  type PackedRow,
  type PackedSignal,
  type PackedStep,
  signalsPerCall,
} from './operations.ts';

interface CallRecord {
  row: PackedRow;
  commits: { firstSeq: number; entries: string; state: string }[];
  checkpoint: { seq: number; state: string } | null;
  payloads: Payload[];
  delivered: boolean;
}

interface SignalRecord extends PackedSignal {
  taken: boolean;
}

export class MemoryTables implements OperationHandlers {
  readonly #calls = new Map<string, CallRecord>();
  readonly #callIdByCarrierId = new Map<string, string>();
  readonly #signals = new Map<string, SignalRecord>();
  readonly #instances = new Map<string, InstanceBeat & { beatAt: number }>();
  /** In the order in which they were noted. */
  #facts: PackedFact[] = [];
  readonly #definitions = new Map<string, string>();

  append(commit: PackedCommit): 'stored' | 'conflict' {
    const known = this.#calls.get(commit.row.callId);
    if (!this.#accepts(commit, known)) return 'conflict';
    const call: CallRecord = known ?? {
      row: commit.row,
      commits: [],
      checkpoint: null,
      payloads: [],
      delivered: false,
    };
    this.#index(call.row, commit.row);
    call.row = { ...commit.row };
    call.commits.push({ firstSeq: commit.firstSeq, entries: commit.entries, state: commit.row.state });
    call.payloads.push(...commit.payloads);
    if (commit.checkpoint !== null) call.checkpoint = { seq: commit.row.lastSeq, state: commit.checkpoint };
    this.#calls.set(commit.row.callId, call);
    for (const id of commit.taken) this.#take(id);
    if (commit.erases) this.#erase(call);
    return 'stored';
  }

  #erase(call: CallRecord): void {
    call.payloads.length = 0;
    for (const { id } of this.#signals.values()) if (this.#isWaiting(id, call.row.callId)) this.#take(id);
  }

  #accepts(commit: PackedCommit, known: CallRecord | undefined): boolean {
    const { callId, carrierCallId } = commit.row;
    const carriedBy = carrierCallId === null ? undefined : this.#callIdByCarrierId.get(carrierCallId);
    return (
      commit.firstSeq === (known?.row.lastSeq ?? 0) + 1 &&
      (carriedBy ?? callId) === callId &&
      new Set(commit.taken).size === commit.taken.length &&
      commit.taken.every((id) => this.#isWaiting(id, callId))
    );
  }

  #isWaiting(id: string, callId: string): boolean {
    const signal = this.#signals.get(id);
    return signal !== undefined && !signal.taken && signal.callId === callId;
  }

  #index(before: PackedRow, after: PackedRow): void {
    if (before.carrierCallId !== null) this.#callIdByCarrierId.delete(before.carrierCallId);
    if (after.carrierCallId !== null) this.#callIdByCarrierId.set(after.carrierCallId, after.callId);
  }

  #take(id: string): void {
    const signal = this.#signals.get(id);
    if (signal !== undefined) Object.assign(signal, { taken: true, signal: '' });
  }

  read({ callId, fromStart }: { callId: string; fromStart: boolean }): PackedLog {
    const call = this.#calls.get(callId);
    const checkpoint = fromStart ? null : (call?.checkpoint ?? null);
    const commits = (call?.commits ?? []).filter(({ firstSeq }) => firstSeq > (checkpoint?.seq ?? 0));
    return { commits, checkpoint };
  }

  readPayloads({ callId }: { callId: string }): Payload[] {
    const payloads = this.#calls.get(callId)?.payloads ?? [];
    return payloads
      .map((payload) => ({ ...payload }))
      .sort((one, other) => one.seq - other.seq || compareText(one.name, other.name));
  }

  findByCarrierId({ carrierCallId }: { carrierCallId: string }): PackedRow | null {
    const callId = this.#callIdByCarrierId.get(carrierCallId);
    return (callId !== undefined && this.#calls.get(callId)?.row) || null;
  }

  readAfter({ callId, seq, limit }: { callId: string; seq: number; limit: number }): PackedStep[] {
    const commits = this.#calls.get(callId)?.commits ?? [];
    const lastSeq = this.#calls.get(callId)?.row.lastSeq ?? 0;
    return commits
      .filter((_, index) => (commits[index + 1]?.firstSeq ?? lastSeq + 1) > seq + 1)
      .slice(0, limit);
  }

  list(query: ListQuery): ListPart {
    const rows = [...this.#calls.values()]
      .filter((call) => isListed(call, query))
      .map(({ row }) => row)
      .sort(byStartNewestFirst)
      .slice(0, query.limit);
    return { rows, next: null };
  }

  put(signal: PackedSignal): 'put' | 'duplicate' | 'full' {
    if (this.#signals.has(signal.id)) return 'duplicate';
    const waiting = [...this.#signals.values()].filter(({ id }) => this.#isWaiting(id, signal.callId));
    if (waiting.length >= signalsPerCall) return 'full';
    const isOver = (this.#calls.get(signal.callId)?.row.endedAt ?? null) !== null;
    this.#signals.set(signal.id, { ...signal, taken: isOver, signal: isOver ? '' : signal.signal });
    return 'put';
  }

  pending({ owner }: { owner: string }): PackedSignal[] {
    const waiting = [...this.#signals.values()].filter(
      ({ taken, callId }) => !taken && this.#calls.get(callId)?.row.owner === owner,
    );
    // Copies: what is taken before the answer is read loses its content.
    return waiting.map(({ id, callId, signal }) => ({ id, callId, signal }));
  }

  beat(instance: InstanceBeat & { beatAt: number }): number {
    this.#instances.set(instance.instance, { ...instance });
    return instance.beatAt;
  }

  instances({ now }: { now: number }): InstanceRow[] {
    return [...this.#instances.values()]
      .map(({ beatAt, ...row }) => ({ ...row, beatAgeMs: Math.max(0, now - beatAt), isConnected: null }))
      .sort((one, other) => compareText(one.instance, other.instance));
  }

  forget({ instance }: { instance: string }): null {
    this.#instances.delete(instance);
    return null;
  }

  noteInstance({ facts }: { facts: PackedFact[] }): null {
    this.#facts.push(...facts.map((fact) => ({ ...fact })));
    const whose = new Set(facts.map(({ instance }) => instance));
    const surplus = [...whose].flatMap((instance) =>
      this.readInstanceLog({ instance, before: null, limit: this.#facts.length }).slice(factsPerInstance),
    );
    if (surplus.length > 0) this.#facts = this.#facts.filter((fact) => !surplus.includes(fact));
    return null;
  }

  readInstanceLog(query: { instance: string | null; before: number | null; limit: number }): PackedFact[] {
    return this.#facts
      .filter(({ instance }) => instance === (query.instance ?? instance))
      .filter(({ at }) => at < (query.before ?? Number.POSITIVE_INFINITY))
      .toReversed()
      .sort((one, other) => other.at - one.at)
      .slice(0, query.limit);
  }

  saveDefinition({ digest, definition }: { digest: string; definition: string }): null {
    if (!this.#definitions.has(digest)) this.#definitions.set(digest, definition);
    return null;
  }

  readDefinition({ digest }: { digest: string }): string | null {
    return this.#definitions.get(digest) ?? null;
  }

  undelivered({ limit }: { limit: number }): PackedRow[] {
    return [...this.#calls.values()]
      .filter(({ row, delivered }) => row.endedAt !== null && !delivered)
      .map(({ row }) => row)
      .sort(
        (one, other) => (one.endedAt ?? 0) - (other.endedAt ?? 0) || compareText(one.callId, other.callId),
      )
      .slice(0, limit);
  }

  markDelivered({ callId }: { callId: string }): null {
    const call = this.#calls.get(callId);
    if (call !== undefined) call.delivered = true;
    return null;
  }
}
