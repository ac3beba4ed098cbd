/**
 * Owns: the offline Twilio as a whole, apart from sockets and HTTP: numbers, calls, the REST API's logic.
 * Does not own: the network (`server.ts` puts it on real HTTP), the calls' innards (`call/`).
 *
 * Everything that takes time or chance comes through the ports, so that it runs on a virtual clock and repeats itself.
 *
 * Invariants:
 * TT1. At most `mostKnownCalls` calls that have ended are known: the newest.
 */
import { FixCallError } from '../../runtime/ports/errors.ts';
import { TwinCall } from './call/call.ts';
import type { CallCore, TwinPorts } from './call/call-core.ts';
import type { CallStatus } from './call/call-events.ts';
import type { CallPlan, IncomingOrder, OutgoingPlan } from './call/call-order.ts';
import type { CallDirection, CallRecord } from './call/call-record.ts';
import { OutgoingQueue } from './call/outgoing.ts';
import { Ticker } from './call/ticker.ts';
import type { HttpRequest, HttpResponse } from './http/http-message.ts';
import { makeSid } from './identifiers.ts';
import { type CallDirectory, CallResources, type OutgoingOrder } from './rest/call-resources.ts';
import {
  fallbackAddress,
  type NumberConfiguration,
  type PhoneNumber,
  PhoneNumbers,
  statusSubscription,
  voiceAddress,
} from './rest/phone-numbers.ts';
import { RestFault } from './rest/rest-answer.ts';
import { RestApi } from './rest/rest-api.ts';
import { settle, type TwinOptions, type TwinSettings } from './settings.ts';
import { WebhookClient } from './webhooks/webhook-client.ts';

/** Decides who answers a call that the REST API makes. */
export type AnswerOutgoing = (call: { sid: string; to: string; from: string }) => OutgoingPlan;

const timeLimitMs = 4 * 60 * 60 * 1_000;
const answeredInSilence: AnswerOutgoing = () => ({ outcome: 'answered' });

export class TwilioTwin implements CallDirectory {
  readonly settings: TwinSettings;
  readonly #core: CallCore;
  readonly #numbers: PhoneNumbers;
  readonly #rest: RestApi;
  readonly #outgoing: OutgoingQueue;
  readonly #calls = new Map<string, TwinCall>();
  readonly #answerOutgoing: AnswerOutgoing;

  constructor(ports: TwinPorts, options: TwinOptions, answerOutgoing = answeredInSilence) {
    this.settings = settle(options);
    this.#core = {
      ports,
      settings: this.settings,
      webhooks: new WebhookClient(ports, this.settings.authToken),
      ticker: new Ticker(ports.clock, this.settings.frameMs),
    };
    const now = (): number => ports.clock.now();
    this.#numbers = new PhoneNumbers(this.settings.accountSid, ports.random, now);
    this.#rest = new RestApi(this.settings, new CallResources(this, ports.random, now), this.#numbers);
    this.#outgoing = new OutgoingQueue(this.#core);
    this.#answerOutgoing = answerOutgoing;
  }

  /** Adds a number (E.164), or configures the one that is there. */
  configureNumber(phoneNumber: string, configuration: Partial<NumberConfiguration>): PhoneNumber {
    return this.#numbers.configure(phoneNumber, configuration);
  }

  /**
   * A call comes in from the telephone network.
   *
   * @throws FixCallError where `to` is no number of the twin or has no voice URL
   */
  placeCall(order: IncomingOrder): TwinCall {
    const number = this.#numbers.find(order.to);
    const address = number === null ? null : voiceAddress(number);
    if (number === null || address === null) {
      throw new FixCallError('configuration.invalid', 'The twin has no such number, or it has no voice URL.');
    }
    const call = this.#makeCall(this.#makeRecord(order, 'inbound', 'ringing', number.sid), order, {
      fallback: fallbackAddress(number),
      subscription: statusSubscription(number),
      timeLimitMs,
    });
    call.start({ from: 'url', ...address });
    return call;
  }

  /** Answers a request to the REST API. */
  rest(request: HttpRequest): HttpResponse {
    return this.#rest.handle(request);
  }

  /** The next so many requests to the REST API are refused with 20429. */
  refuseRequests(requests: number): void {
    this.#rest.refuseNext(requests);
  }

  find(sid: string): TwinCall | null {
    return this.#calls.get(sid) ?? null;
  }

  list(): readonly TwinCall[] {
    return [...this.#calls.values()].reverse();
  }

  create(order: OutgoingOrder): TwinCall {
    const number = this.#numbers.find(order.from);
    if (number === null && !this.#numbers.isEmpty) throw new RestFault(21210);
    const record = this.#makeRecord(order, 'outbound-api', 'queued', number?.sid ?? null);
    const plan = this.#answerOutgoing(record);
    const call = this.#makeCall(record, plan.outcome === 'answered' ? plan : {}, order);
    this.#outgoing.enqueue(call, plan, order.first, order.timeoutMs);
    return call;
  }

  /** Ends all calls and lets go of their sockets; nobody is told. */
  close(): void {
    this.#core.webhooks.close();
    for (const call of this.#calls.values()) call.dispose();
  }

  #makeRecord(
    { to, from }: { to: string; from: string },
    direction: CallDirection,
    status: CallStatus,
    numberSid: string | null,
  ): CallRecord {
    const { clock, random } = this.#core.ports;
    const at = clock.now();
    return {
      sid: makeSid(random, 'CA'),
      accountSid: this.settings.accountSid,
      to,
      from,
      direction,
      numberSid,
      status,
      createdAt: at,
      updatedAt: at,
      answeredAt: null,
      endedAt: null,
    };
  }

  #makeCall(
    record: CallRecord,
    plan: CallPlan,
    setup: Pick<OutgoingOrder, 'fallback' | 'subscription' | 'timeLimitMs'>,
  ): TwinCall {
    const { fallback, subscription, timeLimitMs } = setup;
    const call = new TwinCall(this.#core, { record, plan, fallback, subscription, timeLimitMs });
    this.#calls.set(record.sid, call);
    if (this.#calls.size > this.settings.mostKnownCalls) this.#forgetOldest();
    return call;
  }

  #forgetOldest(): void {
    for (const [sid, call] of this.#calls) {
      if (!call.hasEnded) continue;
      this.#calls.delete(sid);
      return;
    }
  }
}
