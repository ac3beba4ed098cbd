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

  #takesCalls(row: InstanceRow): boolean {
    const { instance, host, pulse, isProcessAlive, drainsWithUs } = this.#options;
    const isThere = isBeating(row, pulse) && (row.host !== host || isProcessAlive(row.pid));
    return row.ready && isThere && row.instance !== instance && !drainsWithUs(row.instance);
  }
}
