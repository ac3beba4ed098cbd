/**
 * Owns: which other processes are there to take a call, by what they say of themselves in the journal.
 * Does not own: saying so (`presence.ts`), what is done with a call then.
 */
import type { InstanceRow, Instances } from '../runtime/ports/journal.ts';
import { isBeating } from './liveness.ts';
import type { Pulse } from './pulse.ts';
import type { Claimer } from './tool-runs.ts';

export interface SiblingsOptions {
  instance: string;
  host: string;
  pulse: Pulse;
  isProcessAlive(pid: number): boolean;
  /** An instance that stops together with this process. */
  drainsWithUs(instance: string): boolean;
  journal: Pick<Instances, 'instances'>;
}

/** Who is there beside this process: one that is ready, one that is not (yet, or any more), or nobody. */
export type Company = 'ready' | 'unready' | 'none';

export class Siblings {
  readonly #options: SiblingsOptions;

  constructor(options: SiblingsOptions) {
    this.#options = options;
  }

  /** @throws RetryError `journal.unavailable` */
  async areReady(): Promise<boolean> {
    return (await this.company()) === 'ready';
  }

  /** @throws RetryError `journal.unavailable` */
  async isThere({ instance, at }: Claimer): Promise<boolean> {
    const rows = await this.#options.journal.instances();
    return rows.some((row) => row.instance === instance && row.startedAt <= at && this.#isAlive(row));
  }

  /** @throws RetryError `journal.unavailable` */
  async company(): Promise<Company> {
    const rows = await this.#options.journal.instances();
    const others = rows.filter((row) => this.#staysWithoutUs(row));
    if (others.length === 0) return 'none';
    return others.some(({ ready }) => ready) ? 'ready' : 'unready';
  }

  #isAlive(row: InstanceRow): boolean {
    const { host, pulse, isProcessAlive } = this.#options;
    return isBeating(row, pulse) && (row.host !== host || isProcessAlive(row.pid));
  }

  #staysWithoutUs(row: InstanceRow): boolean {
    const { instance, drainsWithUs } = this.#options;
    return this.#isAlive(row) && row.instance !== instance && !drainsWithUs(row.instance);
  }
}
