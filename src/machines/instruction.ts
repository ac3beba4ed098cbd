/**
 * Owns: what the carrier is told to do next with a call, as a pure function of its folded state, so that every
 * instance gives the same answer and needs no ownership to give it.
 * Does not own: the words of the answer (TwiML, `src/adapters/twilio/twiml.ts`), the stream token, the number that is
 * dialled.
 */
import type { SnapshotFrom } from 'xstate';
import { pauseMsBefore } from './call/context.ts';
import type { callMachine } from './call/machine.ts';

/** What the caller is told went wrong: the agent cannot be reached, or anything else. */
export type Apology = 'agentUnavailable' | 'trouble';

export type Instruction =
  /** Open a media stream as this attempt, by a token and under a name of its own. */
  | { do: 'connect'; attempt: number; pauseMs: number }
  /** Dial the number of the newest `transfer.requested`, or the fallback's. */
  | { do: 'transfer'; to: 'requested' | 'fallback'; ringMs: number; apology: Apology | null }
  /** Say sorry, then hang up. */
  | { do: 'apologise'; apology: Apology }
  /** Nothing yet: ask again. `dialing`: the carrier was told to dial, and whoever asks is not dialled for any more. */
  | { do: 'wait'; pauseMs: number; dialing?: true }
  | { do: 'hangUp' };

type Snapshot = SnapshotFrom<typeof callMachine>;
type Context = Snapshot['context'];

const waitMs = 1_000;

const apologyFor = ({ endReason }: Context): Apology =>
  endReason?.startsWith('model.') ? 'agentUnavailable' : 'trouble';

function transferOf(context: Context): Instruction {
  const isFallback = context.transfer?.by === 'fallback';
  return {
    do: 'transfer',
    to: isFallback ? 'fallback' : 'requested',
    ringMs: context.settings.ringMs,
    apology: isFallback ? apologyFor(context) : null,
  };
}

export function instructionFor(snapshot: Snapshot): Instruction {
  const { context, status } = snapshot;
  if (status !== 'active') return { do: 'hangUp' };
  if (snapshot.hasTag('ending')) {
    return context.apology ? { do: 'apologise', apology: apologyFor(context) } : { do: 'hangUp' };
  }
  if (snapshot.matches({ transferring: 'dialing' })) return { do: 'wait', pauseMs: waitMs, dialing: true };
  if (snapshot.matches('transferring')) return transferOf(context);
  const { stream, settings } = context;
  return stream.tries >= settings.streamTries
    ? { do: 'apologise', apology: 'trouble' }
    : { do: 'connect', attempt: stream.attempt + 1, pauseMs: pauseMsBefore(stream.tries) };
}
