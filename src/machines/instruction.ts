/**
 * Owns: what the carrier is told to do next with a call, as a pure function of its folded state, so that every
 * instance gives the same answer and needs no ownership to give it.
 * Does not own: the words of the answer (TwiML, `src/adapters/twilio/twiml.ts`), the stream token.
 */
import type { SnapshotFrom } from 'xstate';
import type { callMachine } from './call/machine.ts';

export type Instruction =
  /** Open a media stream with this attempt's name and token. */
  | { do: 'connect'; attempt: number; pauseMs: number }
  /** Say sorry, then hang up. */
  | { do: 'apologise' }
  | { do: 'hangUp' };

/** Pauses before a new stream grow with the streams that the call has used up. */
const pauseMsBefore = (attempt: number): number => (attempt <= 2 ? 0 : 1_000);

export function instructionFor(snapshot: SnapshotFrom<typeof callMachine>): Instruction {
  const { stream, settings, apology } = snapshot.context;
  if (snapshot.hasTag('ending') || snapshot.status !== 'active') {
    return apology && snapshot.status === 'active' ? { do: 'apologise' } : { do: 'hangUp' };
  }
  const attempt = stream.attempt + 1;
  return attempt > settings.streamTries
    ? { do: 'apologise' }
    : { do: 'connect', attempt, pauseMs: pauseMsBefore(attempt) };
}
