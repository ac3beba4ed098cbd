/**
 * Owns: the calls that live in this process, and the ways in which a call comes to live here: created, claimed.
 * Does not own: what a call does (`call.ts`), when to claim (the desk, the start-up), the taking of signals out of the
 * inbox (`inbox-reader.ts`).
 *
 * Invariants:
 * I2. Ownership passes only by the entry `owner.claimed`. A claim that meets a taken seq reads, folds and tries
 *     again; a create that meets one answers as a duplicate; any other append that meets one lets the call go.
 * I4. A call that is over or lost is not in the registry; what is left to be written of it is bounded.
 */
import type { Draft, DraftOf } from '../machines/entries.ts';
import { Call, type World } from './call.ts';
import { type FoldedLog, Folds } from './folds.ts';
import { InboxReader } from './inbox-reader.ts';
import { FixCallError, GiveUpError, HoldfastError, RetryError } from './ports/errors.ts';
import type { Inbox, Json } from './ports/journal.ts';
import type { Signal } from './ports/signal.ts';
import { asCurrent, type CallState, chartChange } from './step.ts';

/** Claims of one call that may meet another claim before this process gives up. */
const claimTries = 20;

/** Calls that are over while their last entries still wait for the journal; of more of them the oldest's are dropped. */
const mostUnwritten = 1_000;

export type Claim = Pick<DraftOf<'owner.claimed'>, 'why' | 'attempt'>;

export class Registry {
  readonly #instance: string;
  readonly #journal: FoldedLog & Inbox;
  readonly #folds: Folds;
  readonly #world: World;
  readonly #calls = new Map<string, Call>();
  readonly #unwritten = new Map<string, Call>();
  readonly #inbox: InboxReader;
  #isStopped = false;

  constructor(instance: string, journal: FoldedLog & Inbox, world: Omit<World, 'log'>) {
    this.#instance = instance;
    this.#journal = journal;
    this.#folds = new Folds(journal);
    this.#world = {
      clock: world.clock,
      log: journal,
      perform: world.perform,
      observe: world.observe,
      refused: world.refused,
      lost: (call, error) => {
        this.#forget(call);
        world.lost(call, error);
      },
      over: (call) => {
        this.#forget(call);
        this.#noteUnwritten(call);
        // Told for the second time, it may live here anew: what it has now is not the old one's.
        if (!this.#calls.has(call.callId)) world.over(call);
      },
    };
    this.#inbox = new InboxReader({
      instance,
      inbox: journal,
      clock: world.clock,
      find: (callId) => this.#calls.get(callId),
      refused: world.refused,
    });
  }

  get size(): number {
    return this.#calls.size;
  }

  /** How long the oldest entry of any call here has waited for the journal, milliseconds. */
  get stalledMs(): number {
    let longest = 0;
    for (const call of this.#calls.values()) longest = Math.max(longest, call.stalledMs);
    return longest;
  }

  calls(): Iterable<Call> {
    return this.#calls.values();
  }

  get(callId: string): Call | undefined {
    return this.#calls.get(callId);
  }

  /** It lives here, or is over and its last entries are still to be written. */
  has(callId: string): boolean {
    return this.#calls.has(callId) || this.#unwritten.has(callId);
  }

  /**
   * Begins a call here. Resolves when its first entries are durable.
   * @throws FixCallError `call.exists`; GiveUpError `call.released` once stopped; RetryError `journal.unavailable`
   */
  async create(callId: string, created: Signal, answered: readonly Draft[]): Promise<Call> {
    this.#refuseIfStopped(callId);
    if (this.#calls.has(callId)) throw new FixCallError('call.exists', `call ${callId} lives here already`);
    const call = new Call(callId, this.#world, null, null);
    this.#calls.set(callId, call);
    const claimed: Draft = { type: 'owner.claimed', instance: this.#instance, why: 'created' };
    call.signalAll([created, { entry: claimed }, ...answered.map((entry) => ({ entry }))]);
    try {
      await call.durable();
      return call;
    } catch (error) {
      throw isConflict(error) ? new FixCallError('call.exists', '', { cause: error }) : error;
    }
  }

  /**
   * Makes this process the call's owner and takes `signals` in with the same commit. A call that lives here already
   * only takes the claim in; one of an older chart changes to the present one just before. Resolves when the claim is
   * durable; with null where `mayClaim` refused. That is asked in the turn in which the claim is stepped, so that of two
   * claims with one token only one goes through.
   * @throws FixCallError `call.unknown`; GiveUpError `log.invalid`, `journal.future`, `journal.past`; RetryError
   *   `journal.unavailable`
   */
  async claim(
    callId: string,
    claim: Claim,
    signals: readonly Signal[],
    mayClaim: (state: CallState) => boolean = () => true,
  ): Promise<Call | null> {
    for (let attempt = 0; attempt < claimTries; attempt++) {
      const found = this.#calls.get(callId) ?? (await this.#revive(callId));
      // Another claim in this process may have been quicker.
      const call = this.#calls.get(callId) ?? found;
      this.#refuseIfStopped(callId);
      const { state } = call;
      if (!mayClaim(asCurrent(state))) return null;
      const changed = chartChange(state);
      const claimed = this.#claimOf(claim, state, this.#calls.has(callId));
      this.#calls.set(callId, call);
      call.signalAll([...(changed ? [{ entry: changed }] : []), { entry: claimed }, ...signals]);
      try {
        await call.durable();
        this.#folds.forget(callId);
        this.#dropUnwritten(callId);
        this.#inbox.read();
        return call;
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
    }
    throw new RetryError('journal.unavailable', `the claim of ${callId} met another one ${claimTries} times`);
  }

  /** A signal for a call, wherever it lives. The same key twice changes nothing. */
  async deliver(callId: string, signal: Signal, key: string): Promise<void> {
    await this.#journal.put({ id: key, callId, signal: signal as unknown as Json });
  }

  /**
   * The call's state, read only: live where it lives here, else folded from its log; one of an older chart as the present
   * one would take it over. @throws as `claim`, but for `call.unknown`
   */
  async read(callId: string): Promise<CallState | null> {
    const call = this.#calls.get(callId);
    const state = call ? call.state : await this.#folds.read(callId);
    return state && asCurrent(state);
  }

  /**
   * Looks whether a call that lives here is still ours, and lets it go where it is not: another process may have claimed
   * it while nothing happened here that would have met its claim. @throws RetryError `journal.unavailable`
   */
  async verify(callId: string): Promise<void> {
    const call = this.#calls.get(callId);
    if (!call) return;
    const [row] = await this.#journal.list({ callId, limit: 1 });
    if (row) call.yieldTo(row);
  }

  /** Begins to take in what other processes put into the inbox for calls that live here. */
  watchInbox(): void {
    this.#inbox.watch();
  }

  /** Lets go of a call without a word in its log: it could not be begun in time, or another process is to claim it. */
  abandon(callId: string): void {
    const call = this.#calls.get(callId);
    if (!call) return;
    call.stop();
    this.#forget(call);
  }

  /** Lets go of every call without a further word in its log, for the process stops. */
  stop(): void {
    this.#inbox.stop();
    for (const call of this.#calls.values()) {
      call.flush();
      call.stop();
    }
    for (const call of this.#unwritten.values()) call.stop();
    this.#calls.clear();
    this.#unwritten.clear();
    this.#isStopped = true;
  }

  #refuseIfStopped(callId: string): void {
    if (this.#isStopped) throw new GiveUpError('call.released', `call ${callId}: this process stops`);
  }

  /** A call that bears our name and did not live here lost all that it had, whatever brings it back. */
  #claimOf(claim: Claim, { snapshot }: CallState, isHere: boolean): DraftOf<'owner.claimed'> {
    const isLeftOver = !isHere && snapshot.context.instance === this.#instance;
    const why = isLeftOver ? 'restarted' : claim.why;
    return { type: 'owner.claimed', instance: this.#instance, ...claim, why };
  }

  /** The call as its log has it. It lives here only once it is claimed. */
  async #revive(callId: string): Promise<Call> {
    const state = await this.#folds.read(callId);
    if (!state) throw new FixCallError('call.unknown', `there is no call ${callId}`);
    const rows = await this.#journal.list({ callId, limit: 1 });
    return new Call(callId, this.#world, state, rows[0] ?? null);
  }

  #forget(call: Call): void {
    if (this.#calls.get(call.callId) === call) this.#calls.delete(call.callId);
  }

  /** Told for the second time, it is written, or another process's. */
  #noteUnwritten(call: Call): void {
    const isKnown = this.#unwritten.get(call.callId) === call;
    if (isKnown) this.#unwritten.delete(call.callId);
    if (isKnown || call.durableSeq === call.state.seq) return;
    this.#unwritten.set(call.callId, call);
    const [oldest] = this.#unwritten.keys();
    if (this.#unwritten.size > mostUnwritten && oldest !== undefined) this.#dropUnwritten(oldest);
  }

  #dropUnwritten(callId: string): void {
    this.#unwritten.get(callId)?.stop();
    this.#unwritten.delete(callId);
  }
}

const isConflict = (error: unknown): boolean =>
  error instanceof HoldfastError && error.code === 'journal.conflict';
