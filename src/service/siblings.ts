/**
 * Owns: which other processes are there to take a call, by what they say of themselves in the journal.
 * Does not own: saying so (`presence.ts`), what is done with a call then.
 */
import type { InstanceRow, Instances } from '../runtime/ports/journal.ts';
import { deadAfterMs } from './presence.ts';

export interface SiblingsOptions {
  instance: string;
  host: string;
  isProcessAlive(pid: number): boolean;
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

  #takesCalls({ instance, ready, beatAgeMs, host, pid }: InstanceRow): boolean {
    const { instance: ours, host: ourHost, isProcessAlive } = this.#options;
    const isThere = beatAgeMs < deadAfterMs && (host !== ourHost || isProcessAlive(pid));
    return ready && isThere && instance !== ours;
  }
}
