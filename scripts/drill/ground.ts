/**
 * Owns: where the processes of a drill run: by which address the outside reaches them, on which journal they are.
 * Does not own: the processes (`stage.ts`), several machines (`fleet.ts`).
 */
import { join } from 'node:path';
import { findPort } from '../../test/support/free-port.ts';

/** What one process is given beside what all have. */
export interface Place {
  environment: Readonly<Record<string, string>>;
  /** Modules that are loaded before the service. */
  preload: readonly string[];
}

export interface Ground {
  /** Where the outside comes in. */
  readonly publicUrl: string;
  /** For whoever looks on. */
  readonly journalUrl: string;
  placeOf(instance: string): Place;
  close(): Promise<void>;
}

/** One host: the processes share a port and a file. */
export async function oneHost(folder: string): Promise<Ground> {
  const port = await findPort();
  const journalUrl = `sqlite:${join(folder, 'journal.db')}`;
  const environment = { PORT: String(port), JOURNAL_URL: journalUrl };
  return {
    publicUrl: `http://127.0.0.1:${port}`,
    journalUrl,
    placeOf: () => ({ environment, preload: [] }),
    close: async () => undefined,
  };
}
