/**
 * Owns: this process's row among the instances, and the adoption of calls that no living process holds.
 * Does not own: calls whose stream is alive: there the stream decides (`desk.ts`).
 *
 * Invariants:
 * N1. Only calls of a dead instance are adopted: one whose process on this host is gone, or that stopped beating and
 *     does not say either that calls live there. One that does is cut off from the journal alone: its calls go on, and
 *     their streams are alive, until it gives the journal up. A call that bears this instance's own name and does not
 *     live here is one of a dead process too.
 * N2. An instance whose clock is more than `clockToleranceMs` from the journal's adopts nothing.
 * N3. However long an adoption takes, the beat goes on: or others would take this process for dead.
 */
import type { Clock, TimerHandle } from '../runtime/ports/clock.ts';
import { type ErrorCode, HoldfastError } from '../runtime/ports/errors.ts';
import type { CallRow, InstanceRow, Journal } from '../runtime/ports/journal.ts';

export const beatEveryMs = 1_000;
export const deadAfterMs = 5_000;
export const clockToleranceMs = 500;

/** Live calls that are looked at in one round, and calls of each dead instance; the next round takes more. */
const adoptLimit = 250;

export interface PresenceOptions {
  instance: string;
  pid: number;
  host: string;
  journal: Journal;
  clock: Clock;
  isReady(): boolean;
  isProcessAlive(pid: number): boolean;
  /** Where the other processes can ask whether this one is there; null while nowhere. */
  address(): string | null;
  /** Asks a silent instance itself whether calls live there. Resolves soon, and never throws. */
  hasCalls(row: InstanceRow): Promise<boolean>;
  /** False while this process is about to stop: what it adopted would be orphaned again. */
  mayAdopt(): boolean;
  /** Whether the call lives in this process. */
  isHere(callId: string): boolean;
  adopt(row: CallRow): Promise<void>;
  /** Lets go of calls that another process has claimed while nothing happened in them here. */
  verify(): Promise<void>;
  /** Something went wrong that the next round may mend. */
  onTrouble(error: unknown): void;
}

export class Presence {
  readonly #options: PresenceOptions;
  readonly #startedAt: number;
  /** Calls of the last round whose logs this version cannot fold: told once, and left alone. */
  #hopeless = new Set<string>();
  #stillHopeless = new Set<string>();
  #timer: TimerHandle;
  #beating: Promise<void> = Promise.resolve();
  #adopting: Promise<void> | null = null;
  #stopped = false;
  /** How far this host's clock is from the journal's, milliseconds; 0 where the answer's way explains the difference. */
  skewMs = 0;

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  /** Beats at once, so that no other process takes this one for dead, and then every second. Resolves after the first beat. */
  start(): Promise<void> {
    this.#beating = this.#round();
    return this.#beating;
  }

  /** Tells the others at once that something has changed, such as whether this process is ready. @returns whether it did */
  announce(): Promise<boolean> {
    return this.#beat();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#options.clock.clearTimeout(this.#timer);
    await this.#beating;
    await this.#adopting;
    await this.#leave().catch(this.#options.onTrouble);
  }

  async #round(): Promise<void> {
    const hasBeaten = await this.#beat();
    if (this.#stopped) return;
    if (hasBeaten) await this.#options.verify().catch(this.#options.onTrouble);
    if (this.#stopped) return;
    if (hasBeaten) this.#beginAdopting();
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#beating = this.#round();
    }, beatEveryMs);
  }

  async #beat(): Promise<boolean> {
    const { journal, clock, instance, pid, host, isReady, address, onTrouble } = this.#options;
    const askedAt = clock.now();
    try {
      const startedAt = this.#startedAt;
      const row = { instance, pid, host, ready: isReady(), startedAt, address: address() };
      this.skewMs = skewOf(await journal.beat(row), askedAt, clock.now());
      return true;
    } catch (error) {
      onTrouble(error);
      return false;
    }
  }

  #beginAdopting(): void {
    const { mayAdopt, onTrouble } = this.#options;
    if (this.#adopting || !mayAdopt() || Math.abs(this.skewMs) > clockToleranceMs) return;
    this.#adopting = this.#adoptOrphans()
      .catch(onTrouble)
      .finally(() => {
        this.#adopting = null;
      });
  }

  async #adoptOrphans(): Promise<void> {
    const { journal } = this.#options;
    this.#stillHopeless = new Set();
    // In this order: whoever owns a call of the list has beaten before.
    const calls = await journal.list({ live: true, limit: adoptLimit });
    const instances = await journal.instances();
    const alive = await this.#aliveAmong(instances);
    for (const row of calls) if (this.#isOrphan(row, alive)) await this.#adopt(row);
    for (const { instance } of instances) if (!alive.has(instance)) await this.#inherit(instance);
    this.#hopeless = this.#stillHopeless;
  }

  /** The calls of a dead instance, however many newer ones there are; without any, its row goes. */
  async #inherit(dead: string): Promise<void> {
    const { journal } = this.#options;
    const rows = await journal.list({ live: true, owner: dead, limit: adoptLimit });
    if (rows.length === 0) await journal.forget(dead);
    for (const row of rows) await this.#adopt(row);
  }

  async #adopt(row: CallRow): Promise<void> {
    const { adopt, mayAdopt, onTrouble } = this.#options;
    const { callId } = row;
    if (this.#stopped || !mayAdopt() || this.#stillHopeless.has(callId)) return;
    if (this.#hopeless.has(callId)) {
      this.#stillHopeless.add(callId);
      return;
    }
    try {
      await adopt(row);
    } catch (error) {
      onTrouble(error);
      if (isHopeless(error)) this.#stillHopeless.add(callId);
    }
  }

  #isOrphan({ callId, owner }: CallRow, alive: ReadonlySet<string>): boolean {
    const { instance, isHere } = this.#options;
    return owner === instance ? !isHere(callId) : owner !== null && !alive.has(owner);
  }

  async #aliveAmong(instances: readonly InstanceRow[]): Promise<ReadonlySet<string>> {
    const verdicts = await Promise.all(instances.map((row) => this.#isAlive(row)));
    return new Set(instances.flatMap(({ instance }, index) => (verdicts[index] ? [instance] : [])));
  }

  async #isAlive(row: InstanceRow): Promise<boolean> {
    const { instance, pid, host, beatAgeMs } = row;
    const { instance: ours, host: ourHost, isProcessAlive, hasCalls } = this.#options;
    if (instance === ours) return true;
    if (host === ourHost && !isProcessAlive(pid)) return false;
    return beatAgeMs <= deadAfterMs || hasCalls(row);
  }

  /** The row stays while calls bear this instance's name: by it the next process finds them. */
  async #leave(): Promise<void> {
    const { journal, instance } = this.#options;
    const [left] = await journal.list({ live: true, owner: instance, limit: 1 });
    if (!left) await journal.forget(instance);
  }
}

const hopelessCodes: ReadonlySet<ErrorCode> = new Set(['log.invalid', 'journal.future', 'journal.past']);

/** The log cannot be folded by this version, now or later. */
const isHopeless = (error: unknown): boolean =>
  error instanceof HoldfastError && hopelessCodes.has(error.code);

/** The journal told its time at some moment between the question and the answer. */
function skewOf(journalNow: number, askedAt: number, answeredAt: number): number {
  if (journalNow < askedAt) return askedAt - journalNow;
  return Math.min(0, answeredAt - journalNow);
}
