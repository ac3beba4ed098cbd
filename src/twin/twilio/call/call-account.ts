/**
 * Owns: what is known of a call afterwards: events, requests and how they were answered, errors and warnings.
 * Does not own: what the caller heard (`phone-line.ts`), deciding anything from it.
 *
 * Invariants:
 * CA1. At most 10,000 of each are kept, the first ones; listeners hear all events.
 */
import { makeNotice, type Notice, type NoticeCode } from '../notices.ts';
import type { WebhookRecord } from '../webhooks/webhook-client.ts';
import type { CallEvent, CallListener } from './call-events.ts';

const mostKept = 10_000;

export class CallAccount {
  readonly events: CallEvent[] = [];
  readonly webhooks: WebhookRecord[] = [];
  readonly notices: Notice[] = [];
  readonly #now: () => number;
  readonly #listeners = new Set<CallListener>();

  constructor(now: () => number) {
    this.#now = now;
  }

  note(event: CallEvent): void {
    keep(this.events, event);
    for (const listener of this.#listeners) listener(event);
  }

  notice(code: NoticeCode, detail: string): void {
    keep(this.notices, makeNotice(this.#now(), code, detail));
  }

  noteDelivery(record: WebhookRecord): void {
    keep(this.webhooks, record);
  }

  /** Returns the function that stops it. */
  listen(listener: CallListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

function keep<Item>(list: Item[], item: Item): void {
  if (list.length < mostKept) list.push(item);
}
