/**
 * Owns: the calls that live in this process, and the ways in which a call comes to live here: created, claimed.
 * Does not own: what a call does (`call.ts`), when to claim (the desk, the start-up).
 *
 * Invariants:
 * I2. Ownership passes only by the entry `owner.claimed`. A claim that meets a taken seq reads, folds and tries
 *     again; a create that meets one answers as a duplicate; any other append that meets one lets the call go.
 * I4. A call that is over or lost is not in the registry.
 */
import type { Draft, DraftOf } from '../machines/entries.ts';
import { Call, type World } from './call.ts';
import { readState } from './history.ts';
import type { TimerHandle } from './ports/clock.ts';
import { FixCallError, GiveUpError, HoldfastError, RetryError } from './ports/errors.ts';
import type { Inbox, Json, Log } from './ports/journal.ts';
import type { Signal } from './ports/signal.ts';
import type { CallState } from './step.ts';

/** Claims of one call that may meet another claim before this process gives up. */
const claimTries = 20;

/** Pause before an inbox that could not be read is read again. */
const rereadMs = 1_000;

export type Claim = Pick<DraftOf<'owner.claimed'>, 'why' | 'attempt'>;

export class Registry {
  readonly #instance: string;
  readonly #journal: Log & Inbox;
  readonly #world: World;
  readonly #calls = new Map<string, Call>();
  #unwatch: (() => void) | null = null;
  #isStopped = false;
  #inbox: 'idle' | 'reading' | 'readAgain' = 'idle';
  #rereading: TimerHandle;

  constructor(instance: string, journal: Log & Inbox, world: Omit<World, 'log'>) {
    this.#instance = instance;
    this.#journal = journal;
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
        world.over(call);
      },
    };
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
   * only takes the claim in. Resolves when the claim is durable; with null where `mayClaim` refused. That is asked
   * in the turn in which the claim is stepped, so that of two claims with one token only one goes through.
   * @throws FixCallError `call.unknown`; GiveUpError `log.invalid`, `journal.future`; RetryError `journal.unavailable`
   */
  async claim(
    callId: string,
    claim: Claim,
    signals: readonly Signal[],
    mayClaim: (state: CallState) => boolean = () => true,
  ): Promise<Call | null> {
    const claimed: Signal = { entry: { type: 'owner.claimed', instance: this.#instance, ...claim } };
    for (let attempt = 0; attempt < claimTries; attempt++) {
      const found = this.#calls.get(callId) ?? (await this.#revive(callId));
      // Another claim in this process may have been quicker.
      const call = this.#calls.get(callId) ?? found;
      this.#refuseIfStopped(callId);
      if (!mayClaim(call.state)) return null;
      this.#calls.set(callId, call);
      call.signalAll([claimed, ...signals]);
      try {
        await call.durable();
        if (this.#unwatch) this.#drain();
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

  /** The call's state, read only: live where it lives here, else folded from its log. */
  async read(callId: string): Promise<CallState | null> {
    const call = this.#calls.get(callId);
    return call ? call.state : readState(this.#journal, callId);
  }

  /** Begins to take in what other processes put into the inbox for calls that live here. */
  watchInbox(): void {
    this.#unwatch ??= this.#journal.watch(this.#instance, () => this.#drain());
    this.#drain();
  }

  /** Lets go of a call that could not be begun in time. */
  abandon(callId: string): void {
    const call = this.#calls.get(callId);
    if (!call) return;
    call.stop();
    this.#forget(call);
  }

  /** Lets go of every call without a word in its log, for the process stops. */
  stop(): void {
    this.#unwatch?.();
    this.#unwatch = null;
    this.#world.clock.clearTimeout(this.#rereading);
    for (const call of this.#calls.values()) call.stop();
    this.#calls.clear();
    this.#isStopped = true;
  }

  #refuseIfStopped(callId: string): void {
    if (this.#isStopped) throw new GiveUpError('call.released', `call ${callId}: this process stops`);
  }

  /** The call as its log has it. It lives here only once it is claimed. */
  async #revive(callId: string): Promise<Call> {
    const state = await readState(this.#journal, callId);
    if (!state) throw new FixCallError('call.unknown', `there is no call ${callId}`);
    const rows = await this.#journal.list({ callId, limit: 1 });
    return new Call(callId, this.#world, state, rows[0] ?? null);
  }

  /** One reading of the inbox at a time: a signal must not be taken twice. */
  #drain(): void {
    const reading = this.#inbox !== 'idle';
    this.#inbox = reading ? 'readAgain' : 'reading';
    if (!reading) void this.#readInbox();
  }

  async #readInbox(): Promise<void> {
    await this.#takeInbox();
    const again = this.#inbox === 'readAgain';
    this.#inbox = 'idle';
    if (again) this.#drain();
  }

  async #takeInbox(): Promise<void> {
    const pending = await this.#journal.pending(this.#instance).catch(() => this.#readLater());
    for (const { id, callId, signal } of pending) {
      const call = this.#calls.get(callId);
      if (!call) continue;
      call.signal(signal as unknown as Signal, [id]);
      await call.durable().catch(() => undefined);
    }
  }

  /** The journal did not answer, and may not tell of these signals again. */
  #readLater(): [] {
    const { clock } = this.#world;
    clock.clearTimeout(this.#rereading);
    if (this.#unwatch) this.#rereading = clock.setTimeout(() => this.#drain(), rereadMs);
    return [];
  }

  #forget(call: Call): void {
    if (this.#calls.get(call.callId) === call) this.#calls.delete(call.callId);
  }
}

const isConflict = (error: unknown): boolean =>
  error instanceof HoldfastError && error.code === 'journal.conflict';
