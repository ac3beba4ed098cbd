/**
 * Owns: this process's beat among the instances, and what follows each: a look whether its calls are still its own, and
 * a round of adoption.
 * Does not own: the verdict on others (`liveness.ts`), what is adopted (`adoption.ts`), calls whose stream is alive:
 * there the stream decides (`desk.ts`).
 *
 * Invariants:
 * N2. An instance whose clock is more than `clockToleranceMs` from the journal's adopts nothing.
 * N3. However long a look or an adoption takes, the beat goes on: or others would take this process for dead.
 * N7. A process that others may have given up, since it was frozen or cut off, looks at every call that it holds as soon
 *     as the journal answers, before it does anything else here.
 */
import type { Clock, TimerHandle } from '../runtime/ports/clock.ts';
import type { CallRow, InstanceRow, Journal } from '../runtime/ports/journal.ts';
import { Adoption } from './adoption.ts';
import { Liveness } from './liveness.ts';
import type { Pulse } from './pulse.ts';

export const clockToleranceMs = 500;

/** How often quiet calls are looked at; an append looks after all others. */
const verifyEveryMs = 1_000;

/** Longer than a database takes to fail over: a stream that waits for that here loses nothing of what the caller says. */
const cutOffAfterMs = 3_000;

/** A process that had company so long ago may have it again: others are replaced as well. */
const companyMs = 60_000;

export interface PresenceOptions {
  instance: string;
  pid: number;
  host: string;
  pulse: Pulse;
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
  /** @param isDue asked again in the turn in which the claim is stepped */
  adopt(row: CallRow, isDue: () => boolean): Promise<void>;
  /** A dead instance has no live call any more: what it still owed to calls that had ended is anybody's now. */
  onForgotten(): void;
  /** Lets go of calls that another process has claimed: of `all`, or of those in which nothing happens here. */
  verify(which: 'all' | 'quiet'): Promise<void>;
  /** Something went wrong that the next round may mend. */
  onTrouble(error: unknown): void;
}

export class Presence {
  readonly #options: PresenceOptions;
  readonly #liveness: Liveness;
  readonly #adoption: Adoption;
  readonly #startedAt: number;
  #timer: TimerHandle;
  #beating: Promise<void> = Promise.resolve();
  #verifying: Promise<void> | null = null;
  #adopting: Promise<void> | null = null;
  #stopped = false;
  /** Since when no beat has been answered, on the monotonic clock. */
  #unansweredSince: number | null = null;
  #verifiedAt = 0;
  /** Others may have claimed any call here since the last look. */
  #isSuspect = true;
  /** How far this host's clock is from the journal's, milliseconds; 0 where the answer's way explains the difference. */
  skewMs = 0;

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    this.#liveness = new Liveness(options);
    const mayAdopt = (): boolean => !this.#stopped && options.mayAdopt();
    this.#adoption = new Adoption({ ...options, liveness: this.#liveness, mayAdopt });
  }

  /** Beats at once, so that no other process takes this one for dead, and from then on. Resolves after the first beat. */
  start(): Promise<void> {
    this.#beating = this.#round();
    return this.#beating;
  }

  /**
   * The journal does not answer this process, and another one was there not long before: that one, or one that came in its
   * place, may be answered. A lone process is never cut off: whatever it cannot do now, nobody can.
   */
  get isCutOff(): boolean {
    const since = this.#unansweredSince;
    const seenAt = this.#adoption.othersSeenAt;
    if (since === null || seenAt === null) return false;
    return this.#options.clock.monotonic() - since >= cutOffAfterMs && since - seenAt <= companyMs;
  }

  /** Tells the others at once that something has changed, such as whether this process is ready. @returns whether it did */
  announce(): Promise<boolean> {
    return this.#beat();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#options.clock.clearTimeout(this.#timer);
    await this.#beating;
    await this.#verifying;
    await this.#adopting;
    await this.#adoption.settled();
    await this.#leave().catch(this.#options.onTrouble);
  }

  async #round(): Promise<void> {
    const hasBeaten = await this.#beat();
    if (this.#stopped) return;
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#beating = this.#round();
    }, this.#options.pulse.beatEveryMs);
    if (hasBeaten && this.#verifying === null) this.#beginVerifying();
  }

  async #beat(): Promise<boolean> {
    const { journal, clock, instance, pid, host, isReady, address, onTrouble } = this.#options;
    const askedAt = clock.now();
    const askedAtMs = clock.monotonic();
    this.#unansweredSince ??= askedAtMs;
    try {
      const startedAt = this.#startedAt;
      const row = { instance, pid, host, ready: isReady(), startedAt, address: address() };
      this.skewMs = skewOf(await journal.beat(row), askedAt, clock.now());
      this.#unansweredSince = null;
      if (this.#liveness.noteBeat(askedAtMs, clock.monotonic())) this.#isSuspect = true;
      return true;
    } catch (error) {
      this.#liveness.noteOutage();
      onTrouble(error);
      return false;
    }
  }

  #beginVerifying(): void {
    this.#verifying = this.#verify()
      .catch(this.#options.onTrouble)
      .finally(() => {
        this.#verifying = null;
        if (!this.#stopped) this.#beginAdopting();
      });
  }

  async #verify(): Promise<void> {
    const { verify, clock } = this.#options;
    const nowMs = clock.monotonic();
    const isSuspect = this.#isSuspect;
    if (!isSuspect && nowMs - this.#verifiedAt < verifyEveryMs) return;
    this.#isSuspect = false;
    this.#verifiedAt = nowMs;
    try {
      await verify(isSuspect ? 'all' : 'quiet');
    } catch (error) {
      this.#isSuspect ||= isSuspect;
      throw error;
    }
  }

  #beginAdopting(): void {
    const { mayAdopt, onTrouble } = this.#options;
    if (this.#adopting || !mayAdopt() || Math.abs(this.skewMs) > clockToleranceMs) return;
    this.#adopting = this.#adoption
      .round()
      .catch(onTrouble)
      .finally(() => {
        this.#adopting = null;
      });
  }

  /** The row stays while calls bear this instance's name, or ends are untold: by it the others find what is to be done. */
  async #leave(): Promise<void> {
    const { journal, instance } = this.#options;
    const [left] = await journal.list({ live: true, owner: instance, limit: 1 });
    const [untold] = await journal.undelivered(1);
    if (!left && !untold) await journal.forget(instance);
  }
}

/** The journal told its time at some moment between the question and the answer. */
function skewOf(journalNow: number, askedAt: number, answeredAt: number): number {
  if (journalNow < askedAt) return askedAt - journalNow;
  return Math.min(0, answeredAt - journalNow);
}
