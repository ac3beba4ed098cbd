/**
 * Owns: the vocabulary of what happens in a call.
 * Does not own: keeping it (`call-account.ts`), deciding anything from it.
 */
import type { CallerEvent } from '../../caller/party.ts';
import type { StreamEnd } from '../stream/media-stream.ts';

/** Twilio, Call resource, status values. */
export type CallStatus =
  | 'queued'
  | 'initiated'
  | 'ringing'
  | 'in-progress'
  | 'completed'
  | 'busy'
  | 'failed'
  | 'no-answer'
  | 'canceled';

export type CallEndReason =
  | 'callerHungUp'
  /** The document ran out of verbs. */
  | 'documentEnded'
  | 'hangUpVerb'
  | 'rejected'
  /** A REST request ended it. */
  | 'api'
  /** No TwiML could be got, not even from the fallback. */
  | 'applicationError'
  | 'streamPolicy'
  | 'trackInvalid'
  | 'timeLimit'
  /** An outgoing call that nobody answered, or could. */
  | 'unanswered'
  | 'twinClosed';

export type CallEvent =
  | CallerEvent
  | { event: 'statusChanged'; at: number; status: CallStatus }
  | { event: 'verbStarted'; at: number; verb: string }
  /** Twilio itself spoke. */
  | { event: 'announced'; at: number; text: string }
  | { event: 'streamOpening'; at: number; streamSid: string; url: string }
  | { event: 'streamStarted'; at: number; streamSid: string }
  | { event: 'streamEnded'; at: number; streamSid: string; end: StreamEnd }
  | { event: 'playoutCleared'; at: number; discardedBytes: number }
  | { event: 'faultStruck'; at: number; fault: string }
  | { event: 'dialEnded'; at: number; number: string; status: string }
  | { event: 'callEnded'; at: number; reason: CallEndReason; status: CallStatus };

export type CallListener = (event: CallEvent) => void;
