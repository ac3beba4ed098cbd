/**
 * Owns: what the numbered steps of a schema are, in any store, and the word on a schema that is newer than they.
 * Does not own: the steps.
 */
import { GiveUpError } from '../../runtime/ports/errors.ts';

export interface Migration {
  number: number;
  sql: string;
}

export function newestVersion(steps: readonly Migration[]): number {
  return steps.at(-1)?.number ?? 0;
}

/** @throws GiveUpError `journal.future` where `version` is beyond the newest step */
export function refuseNewer(place: string, version: number, steps: readonly Migration[]): void {
  const newest = newestVersion(steps);
  if (version <= newest) return;
  throw new GiveUpError(
    'journal.future',
    `${place} has schema version ${version}, this Holdfast knows ${newest}: run the newer one. Nothing was written.`,
  );
}
