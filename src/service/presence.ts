/**
 * Owns: this process's row among the instances, and the adoption of calls whose process is dead.
 * Does not own: calls whose stream is alive: there the stream decides (`desk.ts`).
 *
 * Invariants:
 * N1. Only calls of a dead instance are adopted: one that stopped beating, or whose process on this host is gone.
 * N2. An instance whose clock is more than `clockToleranceMs` from the journal's adopts nothing.
 */
import type { Clock, TimerHandle } from '../runtime/ports/clock.ts';
import type { CallRow, InstanceRow, Journal } from '../runtime/ports/journal.ts';

export const beatEveryMs = 1_000;
export const deadAfterMs = 5_000;
export const clockToleranceMs = 500;

/** Calls of dead instances that are looked at in one round; the next round takes more. */
const adoptLimit = 250;

export interface PresenceOptions {
  instance: string;
  pid: number;
  host: string;
  journal: Journal;
  clock: Clock;
  isReady(): boolean;
  isProcessAlive(pid: number): boolean;
  adopt(row: CallRow): Promise<void>;
  /** Something went wrong that the next round may mend. */
  onTrouble(error: unknown): void;
}

export class Presence {
  readonly #options: PresenceOptions;
  readonly #startedAt: number;
  #timer: TimerHandle | null = null;
  #round: Promise<void> = Promise.resolve();
  #stopped = false;
  /** Difference of this host's clock to the journal's, milliseconds. */
  skewMs = 0;

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  /** Beats at once, so that no other process takes this one for dead, and then every second. */
  start(): Promise<void> {
    this.#round = this.#beatAndAdopt();
    return this.#round;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) this.#options.clock.clearTimeout(this.#timer);
    await this.#round;
    await this.#options.journal.forget(this.#options.instance).catch(this.#options.onTrouble);
  }

  async #beatAndAdopt(): Promise<void> {
    try {
      await this.#beat();
      await this.#adoptOrphans();
    } catch (error) {
      this.#options.onTrouble(error);
    }
    if (this.#stopped) return;
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#round = this.#beatAndAdopt();
    }, beatEveryMs);
  }

  async #beat(): Promise<void> {
    const { journal, clock, instance, pid, host, isReady } = this.#options;
    const journalNow = await journal.beat({
      instance,
      pid,
      host,
      ready: isReady(),
      startedAt: this.#startedAt,
    });
    this.skewMs = clock.now() - journalNow;
  }

  async #adoptOrphans(): Promise<void> {
    if (Math.abs(this.skewMs) > clockToleranceMs) return;
    const { journal, instance, adopt, onTrouble } = this.#options;
    const [live, instances] = await Promise.all([
      journal.list({ live: true, limit: adoptLimit }),
      journal.instances(),
    ]);
    const alive = new Set(instances.filter((row) => this.#isAlive(row)).map((row) => row.instance));
    const orphans = live.filter(({ owner }) => owner !== null && owner !== instance && !alive.has(owner));
    for (const row of orphans) if (!this.#stopped) await adopt(row).catch(onTrouble);
    for (const row of instances) {
      const emptied = !alive.has(row.instance) && !live.some(({ owner }) => owner === row.instance);
      if (emptied) await journal.forget(row.instance);
    }
  }

  #isAlive({ pid, host, beatAgeMs }: InstanceRow): boolean {
    if (beatAgeMs > deadAfterMs) return false;
    return host !== this.#options.host || this.#options.isProcessAlive(pid);
  }
}
