/**
 * Owns: telling an application how a call fares.
 * Does not own: how the callbacks travel (`postman.ts`).
 *
 * Invariants:
 * B1. `SequenceNumber` counts the callbacks of a call from 0 in the order in which the events happened.
 *
 * Source: Twilio, Call resource, StatusCallback and StatusCallbackEvent.
 */
import {
  type CallRecord,
  durationSeconds,
  formatDate,
  isTerminal,
  standardParameters,
} from '../call/call-record.ts';
import type { Postman } from './postman.ts';
import type { WebhookMethod } from './webhook-client.ts';

/** `answered` is sent as the status `in-progress`; `completed` stands for every way to end. */
export type StatusEvent = 'initiated' | 'ringing' | 'answered' | 'completed';

const statusEvents: ReadonlySet<string> = new Set<StatusEvent>([
  'initiated',
  'ringing',
  'answered',
  'completed',
]);

export const isStatusEvent = (word: string): word is StatusEvent => statusEvents.has(word);

export interface StatusSubscription {
  url: string;
  method: WebhookMethod;
  events: ReadonlySet<StatusEvent>;
}

/** What SIP said at the end (Twilio, Call resource, SipResponseCode). */
const sipCodes: Readonly<Record<string, string>> = {
  completed: '200',
  busy: '486',
  'no-answer': '487',
  canceled: '487',
  failed: '404',
};

export class StatusCallbacks {
  readonly #postman: Postman;
  readonly #subscription: StatusSubscription | null;
  #sequenceNumber = 0;

  constructor(postman: Postman, subscription: StatusSubscription | null) {
    this.#postman = postman;
    this.#subscription = subscription;
  }

  /** The call has come to the record's status at `at`. */
  report(record: CallRecord, at: number): void {
    const { status } = record;
    const event = isTerminal(status) ? 'completed' : status === 'in-progress' ? 'answered' : status;
    const subscription = this.#subscription;
    if (subscription === null || !isStatusEvent(event) || !subscription.events.has(event)) return;
    const parameters = {
      ...standardParameters(record),
      Timestamp: formatDate(at),
      CallbackSource: 'call-progress-events',
      SequenceNumber: String(this.#sequenceNumber),
      ...(isTerminal(status) && endParameters(record)),
    };
    this.#sequenceNumber += 1;
    this.#postman.post({ url: subscription.url, method: subscription.method, parameters });
  }
}

function endParameters(record: CallRecord): Record<string, string> {
  const seconds = durationSeconds(record);
  return {
    CallDuration: String(seconds),
    SipResponseCode: sipCodes[record.status] ?? '200',
    ...(record.status === 'completed' && { Duration: String(Math.ceil(seconds / 60)) }),
  };
}
