/**
 * Owns: the adoption of calls that no process holds: in each round, which calls those are, and which of them are this
 * process's to adopt now. It may take longer than a round.
 * Does not own: whose process is gone (`liveness.ts`), the claim (`claims.ts`), when a round comes (`presence.ts`).
 *
 * Invariants:
 * N5. Whatever this process is the first heir of is adopted in one round; what others should have adopted and have not
 *     is adopted a turn later for each of them. So a call is left alone only while nobody is there.
 * N6. A call that bears this instance's own name and does not live here is one of a dead process, and this one's.
 * N8. A call is adopted by what the last round saw: whoever was frozen or cut off meanwhile knows nothing any more.
 * I9. A round looks at `lookLimit` calls of each instance; the next round takes more.
 */
import type { Clock } from '../runtime/ports/clock.ts';
import { type ErrorCode, HoldfastError } from '../runtime/ports/errors.ts';
import type { CallRow, Journal } from '../runtime/ports/journal.ts';
import { placeAmong } from './inheritance.ts';
import type { Liveness, View } from './liveness.ts';
import type { Pulse } from './pulse.ts';

/** Live calls of one instance that are looked at in one round. */
const lookLimit = 1_000;

/** Adoptions under way at once: each reads a log. */
const adoptAtOnce = 16;

/** How often live calls are looked through for owners that have no row, and how many at a time. */
const sweepEveryMs = 5_000;
const sweepLimit = 250;

/** Calls that are remembered as hopeless; of more of them the oldest are told once more. */
const mostHopeless = 10_000;

export interface AdoptionOptions {
  instance: string;
  pulse: Pulse;
  journal: Journal;
  clock: Clock;
  liveness: Liveness;
  /** False while this process is about to stop: what it adopted would be orphaned again. */
  mayAdopt(): boolean;
  /** Whether the call lives in this process. */
  isHere(callId: string): boolean;
  /** @param isDue asked again in the turn in which the claim is stepped */
  adopt(row: CallRow, isDue: () => boolean): Promise<void>;
  /** A dead instance has no live call any more: what it still owed to calls that had ended is anybody's now. */
  onForgotten(): void;
  /** Something went wrong that the next round may mend. */
  onTrouble(error: unknown): void;
}

export class Adoption {
  readonly #options: AdoptionOptions;
  /** Calls whose logs this version cannot fold: told once, and left alone. */
  readonly #hopeless = new Set<string>();
  /** Calls that are being adopted, or wait for it, in this order. */
  readonly #underWay = new Map<string, CallRow>();
  readonly #waiting: CallRow[] = [];
  #workers: Promise<void>[] = [];
  #view: View | null = null;
  /** When another process was there last, on the monotonic clock; null before any was. */
  othersSeenAt: number | null = null;
  /** Owners of live calls that have no row. */
  readonly #rowless = new Set<string>();
  #sweptAt: number | null = null;
  /** The last call that was looked at. */
  #cursor: CallRow | undefined;

  constructor(options: AdoptionOptions) {
    this.#options = options;
  }

  /** Adopts in the background. */
  async round(): Promise<void> {
    const { journal, liveness, clock } = this.#options;
    // In this order: whoever owns a call of the list has beaten before.
    const swept = this.#isSweepDue ? await this.#sweep() : [];
    const rows = await journal.instances();
    for (const { owner } of swept) if (owner !== null) this.#rowless.add(owner);
    for (const { instance } of rows) this.#rowless.delete(instance);
    const view = await liveness.look(rows, this.#rowless);
    this.#view = view;
    if (view.there.some(({ instance }) => instance !== this.#options.instance)) this.othersSeenAt = view.at;
    for (const [owner, adoptableAt] of view.gone)
      if (clock.monotonic() >= adoptableAt) await this.#inherit(owner, adoptableAt, view);
  }

  /** Resolves when nothing is being adopted any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#workers);
  }

  get #isSweepDue(): boolean {
    const now = this.#options.clock.monotonic();
    return this.#sweptAt === null || now - this.#sweptAt >= sweepEveryMs;
  }

  /** Adopts the calls of this instance's own name. @returns a page of all live calls, each time the next one */
  async #sweep(): Promise<CallRow[]> {
    const { journal, clock, instance, isHere } = this.#options;
    this.#sweptAt = clock.monotonic();
    const own = await journal.list({ live: true, owner: instance, limit: lookLimit });
    this.#take(own.filter(({ callId }) => !isHere(callId)));
    const after = this.#cursor;
    const page = await journal.list({ live: true, limit: sweepLimit, ...(after && { after }) });
    this.#cursor = page.length < sweepLimit ? undefined : page.at(-1);
    return page.filter(({ owner }) => owner !== instance);
  }

  /** The calls of an instance that is gone; without any, its row goes. */
  async #inherit(owner: string, adoptableAt: number, { there }: View): Promise<void> {
    const { journal, clock, instance, pulse } = this.#options;
    const rows = await journal.list({ live: true, owner, limit: lookLimit });
    const waitedMs = clock.monotonic() - adoptableAt;
    const isOurs = (name: string): boolean => waitedMs >= placeAmong(there, instance, name) * pulse.turnMs;
    this.#take(rows, ({ callId }) => isOurs(callId));
    if (rows.length === 0 && isOurs(owner)) await this.#forget(owner);
  }

  /** In turn, as calls are adopted: all heirs at once would tell the same ends. */
  async #forget(owner: string): Promise<void> {
    const { journal, onForgotten } = this.#options;
    this.#rowless.delete(owner);
    await journal.forget(owner);
    onForgotten();
  }

  /** @param isOurs asked of those alone that nothing is known of: each answer takes a hash for every heir */
  #take(rows: readonly CallRow[], isOurs: (row: CallRow) => boolean = () => true): void {
    for (const row of rows) {
      if (this.#underWay.has(row.callId) || this.#hopeless.has(row.callId) || !isOurs(row)) continue;
      this.#underWay.set(row.callId, row);
      this.#waiting.push(row);
    }
    while (this.#workers.length < Math.min(adoptAtOnce, this.#underWay.size)) this.#startWorker();
  }

  #startWorker(): void {
    const worker = this.#work().finally(() => {
      this.#workers = this.#workers.filter((other) => other !== worker);
    });
    this.#workers.push(worker);
  }

  async #work(): Promise<void> {
    for (let row = this.#waiting.shift(); row; row = this.#waiting.shift()) {
      if (this.#isDue(row)) await this.#adopt(row);
      this.#underWay.delete(row.callId);
    }
  }

  async #adopt(row: CallRow): Promise<void> {
    const { adopt, onTrouble } = this.#options;
    try {
      await adopt(row, () => this.#isDue(row));
    } catch (error) {
      onTrouble(error);
      if (isHopeless(error)) this.#giveUp(row.callId);
    }
  }

  /** N8. */
  #isDue({ owner }: CallRow): boolean {
    const { instance, clock, pulse, mayAdopt } = this.#options;
    const view = this.#view;
    if (!mayAdopt() || owner === null) return false;
    if (owner === instance) return true;
    return view !== null && clock.monotonic() - view.at < pulse.silentAfterMs && view.gone.has(owner);
  }

  #giveUp(callId: string): void {
    this.#hopeless.add(callId);
    const [oldest] = this.#hopeless;
    if (this.#hopeless.size > mostHopeless && oldest !== undefined) this.#hopeless.delete(oldest);
  }
}

const hopelessCodes: ReadonlySet<ErrorCode> = new Set(['log.invalid', 'journal.future', 'journal.past']);

/** The log cannot be folded by this version, now or later. */
const isHopeless = (error: unknown): boolean =>
  error instanceof HoldfastError && hopelessCodes.has(error.code);
