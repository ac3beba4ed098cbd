/**
 * Owns: what whoever placed a call can see of it and do to it.
 * Does not own: the call (`call.ts`).
 */
import type { Notice } from '../notices.ts';
import type { WebhookRecord } from '../webhooks/webhook-client.ts';
import type { AudioStretch } from './audio-track.ts';
import type { CallEndReason, CallEvent, CallListener, CallStatus } from './call-events.ts';
import type { CallRecord } from './call-record.ts';

export interface CallEnding {
  reason: CallEndReason;
  status: CallStatus;
}

export interface CallHandle {
  readonly sid: string;
  readonly status: CallStatus;
  readonly record: Readonly<CallRecord>;
  readonly hasEnded: boolean;
  readonly ended: Promise<CallEnding>;
  /** What happened so far; the first 10,000 events. */
  readonly events: readonly CallEvent[];
  /** Requests about this call and how they were answered, in the order of the answers; the first 10,000. */
  readonly webhooks: readonly WebhookRecord[];
  /** Errors and warnings that Twilio's debugger would show; the first 10,000. */
  readonly notices: readonly Notice[];
  /** Hears every event from now on. Returns the function that stops it. */
  onEvent(listener: CallListener): () => void;
  /** What the caller heard, G.711 mu-law with the time of each stretch; silence lies between. */
  heard(): AudioStretch[];
  /** What the caller said. */
  said(): AudioStretch[];
  /** A WAV file from the answer on: the caller on the left, what it heard on the right. */
  recording(): Buffer;
  press(digit: string): void;
  hangUp(): void;
}
