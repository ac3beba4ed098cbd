/**
 * Owns: what the address remembers at which the carrier asks again: how often in a row it was told to, and how its
 * dialling ended.
 * Does not own: the address (`addresses.ts`), what is answered there (`front-desk.ts`).
 *
 * The carrier sends the query back as it was written, and signs it: nobody else can write one.
 */
import { z } from 'zod';
import { type DraftOf, entrySchemas } from '../../machines/entries.ts';

/** How the carrier's dialling for the caller ended. */
export interface DialEnd {
  outcome: DraftOf<'transfer.finished'>['outcome'];
  /** Tells one dialling from another. Letters, digits, `_` and `-`, at most 64. */
  dialId: string;
}

export interface Continuation {
  /** How often in a row the call has been told to ask again. */
  waits: number;
  /** The dialling that the call comes from, whose end may not be in its log yet. */
  dialed: DialEnd | null;
}

/** A call that was not told to ask again. */
export const firstTime: Continuation = { waits: 0, dialed: null };

const mostDialIdCharacters = 64;

const query = z.object({
  waits: z.coerce.number().int().min(0).max(1_000_000).catch(0),
  dialed: entrySchemas['transfer.finished'].shape.outcome.optional().catch(undefined),
  dial: z
    .string()
    .regex(/^[\w-]+$/)
    .max(mostDialIdCharacters)
    .optional()
    .catch(undefined),
});

/** From the query of a request; what we did not write there counts as the first time. */
export function readContinuation(fields: unknown): Continuation {
  const { waits, dialed: outcome, dial: dialId } = query.parse(fields);
  return { waits, dialed: outcome && dialId ? { outcome, dialId } : null };
}

/** The query, with its question mark, for a call that is told to ask once more. */
export function queryAfter({ waits, dialed }: Continuation): string {
  const parameters = new URLSearchParams({ waits: String(waits + 1) });
  if (dialed !== null) {
    parameters.set('dialed', dialed.outcome);
    parameters.set('dial', dialed.dialId);
  }
  return `?${parameters}`;
}
