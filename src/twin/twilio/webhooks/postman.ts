/**
 * Owns: how callbacks travel: at once, late, twice or out of order, as a script asks.
 * Does not own: their content (`status-callbacks.ts`, `stream-callbacks.ts`), requests whose answer is waited for.
 *
 * Invariants:
 * P1. Every callback is delivered at least once: one that is held for the next to overtake it goes after at most 1 s.
 *
 * Source: Twilio, Call resource, status callbacks ("may arrive out of order"); Error Dictionary 15003.
 */
import type { Clock, TimerHandle } from '../../../runtime/ports/clock.ts';
import type { CallbackFaults } from '../faults.ts';
import type { NoticeCode } from '../notices.ts';
import type { WebhookClient, WebhookOrder, WebhookRecord } from './webhook-client.ts';

const longestHoldMs = 1_000;

export interface PostmanDesk {
  noteDelivery(record: WebhookRecord): void;
  notice(code: NoticeCode, detail: string): void;
}

export class Postman {
  readonly #clock: Clock;
  readonly #client: WebhookClient;
  readonly #faults: CallbackFaults;
  readonly #desk: PostmanDesk;
  #held: WebhookOrder | null = null;
  #holdTimer: TimerHandle;

  constructor(clock: Clock, client: WebhookClient, faults: CallbackFaults, desk: PostmanDesk) {
    this.#clock = clock;
    this.#client = client;
    this.#faults = faults;
    this.#desk = desk;
  }

  post(order: WebhookOrder): void {
    if (this.#faults.reorder === true && this.#held === null) {
      this.#hold(order);
      return;
    }
    this.#send(order);
    this.#release();
  }

  #hold(order: WebhookOrder): void {
    this.#held = order;
    this.#holdTimer = this.#clock.setTimeout(() => this.#release(), longestHoldMs);
  }

  #release(): void {
    this.#clock.clearTimeout(this.#holdTimer);
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.#send(held);
  }

  #send(order: WebhookOrder): void {
    const delayMs = this.#faults.delayMs ?? 0;
    if (delayMs === 0) void this.#deliver(order);
    else this.#clock.setTimeout(() => void this.#deliver(order), delayMs);
  }

  async #deliver(order: WebhookOrder): Promise<void> {
    const record = await this.#client.deliver(order);
    this.#report(record);
    if (this.#faults.duplicate !== true) return;
    this.#report(await this.#client.deliver(order, record.idempotencyToken));
  }

  #report(record: WebhookRecord): void {
    this.#desk.noteDelivery(record);
    const { outcome } = record;
    if (outcome.kind === 'failed') this.#desk.notice(outcome.code, outcome.detail);
    else if (outcome.response.status >= 400) {
      this.#desk.notice(15003, `${outcome.response.status} from ${outcome.url}`);
    }
  }
}
