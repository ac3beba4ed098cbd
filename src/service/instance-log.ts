/**
 * Owns: what is written down of this process itself, beside the calls: facts in the past tense, for the audit.
 * Does not own: what happens (each part tells its own), where facts are kept (`InstanceLog` in the journal port), log
 * lines.
 *
 * Invariants:
 * F1. Nothing waits for it and nothing fails by it: facts queue while the journal is away, `queueLimit` at most; how
 *     many more there were is a fact itself.
 * F2. What strangers can cause is told at most once a minute for each kind, with a count; kinds are bounded.
 * F3. No personal data and no secrets: names are those that operators gave themselves once they were let in.
 */
import type { Clock, TimerHandle } from '../runtime/ports/clock.ts';
import type { InstanceLog as FactStore, InstanceFact, Json } from '../runtime/ports/journal.ts';

export const queueLimit = 1_000;
export const tellEveryMs = 60_000;
export const stopGraceMs = 1_000;

/** Kinds of refusals that are told apart; further ones share the kind `other`. */
const kindLimit = 40;

const retryFirstMs = 1_000;
const retryLongestMs = 30_000;

/** Longer details are cut: they come from errors. */
const longestDetail = 300;

/** Each fact and its detail. Counts are of what happened in the minute before. */
export interface InstanceFacts {
  'instance.started': { version: string; node: string };
  'phase.passed': { phase: string; detail: string };
  'phase.failed': { phase: string; detail: string };
  'drain.begun': { withinMs: number };
  'login.accepted': { name: string };
  'login.ended': { name: string };
  /** `callId` is null for all that the retention erased in one look. */
  'payloads.erased': { callId: string | null; by: string; calls: number; payloads: number; bytes: number };
  'operator.acted': { callId: string; command: string; name: string };
  'instance.stopped': { exitCode: number };
}

/**
 * Facts that are counted, and what tells their kinds apart: what strangers can cause (no names: nobody vouches for
 * those), and what comes many at once.
 */
export interface CountedFacts {
  'request.refused': { where: string; why: string };
  'login.refused': { where: string; why: string };
  'calls.moved': Record<string, never>;
}

interface Counted {
  type: string;
  detail: { [field: string]: Json };
  count: number;
}

interface Place {
  instance: string;
  store: FactStore;
}

export class InstanceLog {
  readonly #clock: Clock;
  #place: Place | null = null;
  #queue: Omit<InstanceFact, 'instance'>[] = [];
  #dropped = 0;
  #writing: Promise<void> | null = null;
  #retry: TimerHandle;
  #retryMs = retryFirstMs;
  readonly #counts = new Map<string, Counted>();
  #minute: TimerHandle | null = null;
  #stopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on facts have somewhere to go, those that came before as well. */
  open(instance: string, store: FactStore): void {
    this.#place = { instance, store };
    this.#write();
  }

  note<Type extends keyof InstanceFacts>(type: Type, detail: InstanceFacts[Type]): void {
    if (!this.#stopped) this.#add(type, detail as unknown as { [field: string]: Json });
  }

  /** An event of the carrier's edge, as `webhook.unsigned`. */
  countRefusal(event: string): void {
    const [where = '', why = ''] = event.split('.');
    this.count('request.refused', { where, why });
  }

  /** F2. The first of its kind is told at once, those of the minute after it together. */
  count<Type extends keyof CountedFacts>(type: Type, detail: CountedFacts[Type]): void {
    if (this.#stopped) return;
    const kind = this.#kindOf(type, detail);
    const known = this.#counts.get(kind.key);
    if (known) {
      known.count += 1;
      return;
    }
    this.#counts.set(kind.key, { type, detail: kind.detail, count: 0 });
    this.#add(type, { ...kind.detail, count: 1 });
    this.#minute ??= this.#clock.setTimeout(() => this.#tellCounts(), tellEveryMs);
  }

  #kindOf(type: string, detail: { [field: string]: string }) {
    const key = JSON.stringify([type, detail]);
    if (this.#counts.has(key) || this.#counts.size < kindLimit) return { key, detail };
    return { key: type, detail: Object.fromEntries(Object.keys(detail).map((field) => [field, 'other'])) };
  }

  #tellCounts(): void {
    this.#minute = null;
    for (const [kind, { type, detail, count }] of this.#counts) {
      if (count === 0) this.#counts.delete(kind);
      else {
        this.#counts.set(kind, { type, detail, count: 0 });
        this.#add(type, { ...detail, count });
      }
    }
    if (this.#counts.size > 0) this.#minute = this.#clock.setTimeout(() => this.#tellCounts(), tellEveryMs);
  }

  #add(type: string, detail: { [field: string]: Json }): void {
    if (this.#queue.length >= queueLimit) this.#dropped += 1;
    else this.#queue.push({ at: this.#clock.now(), type, detail: shorten(detail) });
    this.#write();
  }

  #write(): void {
    if (this.#place === null || this.#writing !== null || this.#queue.length === 0) return;
    this.#clock.clearTimeout(this.#retry);
    const { instance, store } = this.#place;
    const facts = this.#queue.map((fact) => ({ instance, ...fact }));
    this.#writing = store.noteInstance(facts).then(
      () => this.#written(facts.length),
      () => this.#writeLater(),
    );
  }

  #written(count: number): void {
    this.#queue.splice(0, count);
    this.#retryMs = retryFirstMs;
    this.#writing = null;
    const dropped = this.#dropped;
    this.#dropped = 0;
    if (dropped > 0) this.#add('facts.dropped', { count: dropped });
    else this.#write();
  }

  /** A fact may come twice where the journal took it and did not say so: better than never. */
  #writeLater(): void {
    this.#writing = null;
    if (this.#stopped) return;
    this.#retry = this.#clock.setTimeout(() => this.#write(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, retryLongestMs);
  }

  /** The last fact. Waits for the journal for at most `stopGraceMs`; after it nothing is noted. */
  async stop(exitCode: number): Promise<void> {
    if (this.#stopped) return;
    if (this.#minute !== null) this.#clock.clearTimeout(this.#minute);
    this.#tellCounts();
    if (this.#minute !== null) this.#clock.clearTimeout(this.#minute);
    this.note('instance.stopped', { exitCode });
    this.#stopped = true;
    const grace = new Promise<void>((resolve) => {
      this.#retry = this.#clock.setTimeout(resolve, stopGraceMs);
    });
    await Promise.race([this.#flush(), grace]);
    this.#clock.clearTimeout(this.#retry);
  }

  async #flush(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }
}

const shorten = (detail: { [field: string]: Json }): { [field: string]: Json } =>
  Object.fromEntries(
    Object.entries(detail).map(([name, value]) => [
      name,
      typeof value === 'string' ? value.slice(0, longestDetail) : value,
    ]),
  );
