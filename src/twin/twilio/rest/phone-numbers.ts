/**
 * Owns: the account's phone numbers, what each of them does with a call, and their REST resource.
 * Does not own: the calls.
 *
 * Source: Twilio, IncomingPhoneNumber resource.
 */
import type { Random } from '../../random.ts';
import { formatDate } from '../call/call-record.ts';
import type { HttpResponse } from '../http/http-message.ts';
import { makeSid } from '../identifiers.ts';
import type { WebhookAddress } from '../twiml/document-loader.ts';
import type { StatusSubscription } from '../webhooks/status-callbacks.ts';
import { answerJson, answerPage, RestFault, type RestRequest } from './rest-answer.ts';

/** Names as in the REST API, first letter small; an empty URL is none. Methods are GET or POST. */
export interface NumberConfiguration {
  voiceUrl: string;
  voiceMethod: string;
  voiceFallbackUrl: string;
  voiceFallbackMethod: string;
  statusCallback: string;
  statusCallbackMethod: string;
  friendlyName: string;
}

export interface PhoneNumber extends NumberConfiguration {
  readonly sid: string;
  readonly phoneNumber: string;
}

const unconfigured: NumberConfiguration = {
  voiceUrl: '',
  voiceMethod: 'POST',
  voiceFallbackUrl: '',
  voiceFallbackMethod: 'POST',
  statusCallback: '',
  statusCallbackMethod: 'POST',
  friendlyName: '',
};

const configurable = Object.keys(unconfigured) as (keyof NumberConfiguration)[];

const restName = (name: string): string => `${name[0]?.toUpperCase()}${name.slice(1)}`;

const addressFrom = (url: string, method: string): WebhookAddress | null =>
  url === '' ? null : { url, method: method.toUpperCase() === 'GET' ? 'GET' : 'POST' };

export const voiceAddress = (number: PhoneNumber): WebhookAddress | null =>
  addressFrom(number.voiceUrl, number.voiceMethod);

export const fallbackAddress = (number: PhoneNumber): WebhookAddress | null =>
  addressFrom(number.voiceFallbackUrl, number.voiceFallbackMethod);

/** A number's own subscription hears of the end only. */
export function statusSubscription(number: PhoneNumber): StatusSubscription | null {
  const address = addressFrom(number.statusCallback, number.statusCallbackMethod);
  return address === null ? null : { ...address, events: new Set(['completed'] as const) };
}

export class PhoneNumbers {
  readonly #accountSid: string;
  readonly #random: Random;
  readonly #now: () => number;
  readonly #bySid = new Map<string, PhoneNumber & { createdAt: number; updatedAt: number }>();

  constructor(accountSid: string, random: Random, now: () => number) {
    this.#accountSid = accountSid;
    this.#random = random;
    this.#now = now;
  }

  get isEmpty(): boolean {
    return this.#bySid.size === 0;
  }

  /** Adds a number (E.164), or configures the one that is there. */
  configure(phoneNumber: string, configuration: Partial<NumberConfiguration>): PhoneNumber {
    const known = this.find(phoneNumber);
    if (known !== null) return this.#change(known.sid, configuration);
    const at = this.#now();
    const sid = makeSid(this.#random, 'PN');
    const number = { ...unconfigured, ...configuration, sid, phoneNumber, createdAt: at, updatedAt: at };
    this.#bySid.set(sid, number);
    return number;
  }

  find(phoneNumber: string): PhoneNumber | null {
    for (const number of this.#bySid.values()) if (number.phoneNumber === phoneNumber) return number;
    return null;
  }

  answerList(request: RestRequest): HttpResponse {
    const { parameters } = request;
    const phoneNumber = parameters.get('PhoneNumber') ?? '';
    const friendlyName = parameters.get('FriendlyName');
    const found = [...this.#bySid.values()].filter(
      (number) =>
        number.phoneNumber.includes(phoneNumber) &&
        (friendlyName === null || number.friendlyName === friendlyName),
    );
    return answerPage(
      request,
      'incoming_phone_numbers',
      found.map(({ sid }) => this.#resource(sid)),
    );
  }

  answerFetch({ names: [sid = ''] }: RestRequest): HttpResponse {
    return answerJson(200, this.#resource(sid));
  }

  answerUpdate({ names: [sid = ''], parameters }: RestRequest): HttpResponse {
    const named = configurable.filter((name) => parameters.has(restName(name)));
    const changes = named.map((name) => [name, parameters.get(restName(name)) ?? '']);
    this.#change(sid, Object.fromEntries(changes) as Partial<NumberConfiguration>);
    return answerJson(200, this.#resource(sid));
  }

  #change(sid: string, changes: Partial<NumberConfiguration>): PhoneNumber {
    const number = this.#bySid.get(sid);
    if (number === undefined) throw new RestFault(20404);
    return Object.assign(number, changes, { updatedAt: this.#now() });
  }

  #resource(sid: string): Record<string, unknown> {
    const number = this.#bySid.get(sid);
    if (number === undefined) throw new RestFault(20404);
    return {
      sid,
      account_sid: this.#accountSid,
      api_version: '2010-04-01',
      beta: false,
      capabilities: { voice: true, sms: false, mms: false, fax: false },
      date_created: formatDate(number.createdAt),
      date_updated: formatDate(number.updatedAt),
      friendly_name: number.friendlyName || number.phoneNumber,
      origin: 'twilio',
      phone_number: number.phoneNumber,
      status: 'in-use',
      status_callback: number.statusCallback,
      status_callback_method: number.statusCallbackMethod,
      uri: `/2010-04-01/Accounts/${this.#accountSid}/IncomingPhoneNumbers/${sid}.json`,
      voice_caller_id_lookup: false,
      voice_fallback_method: number.voiceFallbackMethod,
      voice_fallback_url: number.voiceFallbackUrl,
      voice_method: number.voiceMethod,
      voice_receive_mode: 'voice',
      voice_url: number.voiceUrl,
    };
  }
}
