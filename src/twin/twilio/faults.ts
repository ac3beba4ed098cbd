/**
 * Owns: the words in which a script says what goes wrong in a call.
 * Does not own: making it happen (`stream/saboteur.ts`, `webhooks/postman.ts`, `twiml/document-loader.ts`).
 */
import type { StreamErrorCode } from './notices.ts';

/** Messages that no Twilio sends, for the far side to refuse. */
export type GarbageKind =
  | 'binary'
  | 'malformedJson'
  | 'notAnObject'
  | 'unknownEvent'
  | 'mediaWithoutPayload'
  | 'hugeMessage'
  | 'jumpingSequence'
  | 'unknownMark'
  | 'foreignStream';

export type StreamFaultAction =
  /** The connection is destroyed: the far side sees a reset. Twilio reports 31903. */
  | { fault: 'reset' }
  /** A close frame comes, as from a proxy that restarts. Twilio reports 31921. */
  | { fault: 'closeFrame'; code?: number }
  /**
   * The network between is gone: nothing is sent, nothing is read, no FIN. `noticedAfterMs` later (default 20 s; null:
   * never) Twilio gives the stream up and reports 31903.
   */
  | { fault: 'halfOpen'; noticedAfterMs?: number | null }
  /** Twilio reports 31924 at once and goes on with the call; the socket stays half-open for `lingerMs` (default 60 s). */
  | { fault: 'protocolError'; lingerMs?: number }
  /** No media for a while; then what was said meanwhile comes in one burst, or is lost. Nothing else stops. */
  | { fault: 'mediaGap'; forMs: number; audio: 'late' | 'lost' }
  /** Media messages in one go; default 100,000. */
  | { fault: 'flood'; messages?: number }
  | { fault: 'garbage'; kinds: readonly GarbageKind[] };

export type StreamFault =
  /** Happens once, `afterMs` after the stream's first message. */
  | (StreamFaultAction & { afterMs: number; stream?: StreamChoice })
  /** The stream never opens: Twilio reports the code and goes on with the call. */
  | { fault: 'handshake'; code: StreamErrorCode; stream?: StreamChoice }
  /** The stream ends without its `stop` message. */
  | { fault: 'stopMissing'; stream?: StreamChoice }
  /** Every frame is up to `mostMs` late (default 10), and one in fifty begins a gap of `burstMs` (default 240). */
  | { fault: 'jitter'; mostMs?: number; burstMs?: number; stream?: StreamChoice };

/** Which of the call's streams, counted from 1, or all of them. Default: the first. */
export type StreamChoice = number | 'every';

export interface CallbackFaults {
  /** Every callback comes this much later. */
  delayMs?: number;
  /** Every callback comes twice, with the same idempotency token. */
  duplicate?: boolean;
  /** Every other callback is overtaken by the next one. */
  reorder?: boolean;
}

export interface CallFaults {
  streams?: readonly StreamFault[];
  callbacks?: CallbackFaults;
  /**
   * Requests for TwiML are sent twice at once. Twilio runs the first answer. `same`: both with one idempotency token,
   * as a retry has; `fresh`: each with its own.
   */
  duplicateWebhooks?: 'same' | 'fresh';
}

/** Those of the faults that concern the call's nth stream. */
export const faultsOfStream = (faults: CallFaults, ordinal: number): readonly StreamFault[] =>
  (faults.streams ?? []).filter(({ stream = 1 }) => stream === 'every' || stream === ordinal);
