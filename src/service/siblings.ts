/**
 * Owns: which other processes are there to take a call, by what they say of themselves in the journal.
 * Does not own: saying so (`presence.ts`), what is done with a call then.
 */
import type { InstanceRow, Instances } from '../runtime/ports/journal.ts';
import { isBeating } from './liveness.ts';
import type { Pulse } from './pulse.ts';

export interface SiblingsOptions {
  instance: string;
  host: string;
  pulse: Pulse;
  isProcessAlive(pid: number): boolean;
  /** An instance that stops together with this process. */
  drainsWithUs(instance: string): boolean;
  journal: Pick<Instances, 'instances'>;
}

export class Siblings {
  readonly #options: SiblingsOptions;

  constructor(options: SiblingsOptions) {
    this.#options = options;
  }

  /** @throws RetryError `journal.unavailable` */
  async areReady(): Promise<boolean> {
    const rows = await this.#options.journal.instances();
    return rows.some((row) => this.#takesCalls(row));
  }

  /** @throws RetryError `journal.unavailable` */
  async isThere(instance: string): Promise<boolean> {
    const rows = await this.#options.journal.instances();
    return rows.some((row) => row.instance === instance && this.#isAlive(row));
  }

  #isAlive(row: InstanceRow): boolean {
    const { host, pulse, isProcessAlive } = this.#options;
    return isBeating(row, pulse) && (row.host !== host || isProcessAlive(row.pid));
  }

  #takesCalls(row: InstanceRow): boolean {
    const { instance, drainsWithUs } = this.#options;
    return row.ready && this.#isAlive(row) && row.instance !== instance && !drainsWithUs(row.instance);
  }
}
