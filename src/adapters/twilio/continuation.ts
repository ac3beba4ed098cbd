/**
 * Owns: what the address remembers at which the carrier asks again: how often in a row it was told to, how its dialling
 * ended, and which stream it was told to open.
 * Does not own: the address (`addresses.ts`), what is answered there (`front-desk.ts`).
 *
 * The carrier sends the query back as it was written, and signs it: nobody else can write one.
 */
import { z } from 'zod';
import { type DraftOf, entrySchemas } from '../../machines/entries.ts';
import type { RequestedStream } from '../../runtime/ports/carrier.ts';

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
  /** The stream that the call comes from, though it may never have come about. */
  left: RequestedStream | null;
}

/** A call that was not told to ask again. */
export const firstTime: Continuation = { waits: 0, dialed: null, left: null };

const mostDialIdCharacters = 64;

const count = z.coerce.number().int().min(0).max(1_000_000).catch(0);

const query = z.object({
  waits: count,
  attempt: count,
  spared: count,
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
  const { waits, dialed: outcome, dial: dialId, attempt, spared } = query.parse(fields);
  return {
    waits,
    dialed: outcome && dialId ? { outcome, dialId } : null,
    left: attempt > 0 ? { attempt, spared } : null,
  };
}

/** The query, with its question mark, for a call that is told to ask once more. */
export const queryAfter = (asked: Continuation): string => queryOf({ ...asked, waits: asked.waits + 1 });

/** For a call that is told to open a stream, and asks when that is over. */
export const queryAfterStream = (left: RequestedStream): string => queryOf({ ...firstTime, left });

function queryOf({ waits, dialed, left }: Continuation): string {
  const parameters = new URLSearchParams();
  if (waits > 0) parameters.set('waits', String(waits));
  if (dialed !== null) {
    parameters.set('dialed', dialed.outcome);
    parameters.set('dial', dialed.dialId);
  }
  if (left !== null) parameters.set('attempt', String(left.attempt));
  if (left?.spared) parameters.set('spared', String(left.spared));
  return `?${parameters}`;
}
