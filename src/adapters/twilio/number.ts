/**
 * Owns: where the carrier sends the calls of a phone number (Twilio, IncomingPhoneNumber resource).
 * Does not own: how a request is made (`api.ts`).
 */
import { z } from 'zod';
import { GiveUpError } from '../../runtime/ports/errors.ts';
import { addressOf, connectionOverrides, newCallOverrides, routes } from './addresses.ts';
import type { TwilioApi } from './api.ts';

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');

const numberResource = z
  .object({
    sid: z.string(),
    phone_number: z.string(),
    voice_url: text,
    voice_method: text,
    voice_fallback_url: text,
    voice_fallback_method: text,
    status_callback: text,
    status_callback_method: text,
    voice_application_sid: text,
    trunk_sid: text,
  })
  .transform((number) => ({
    sid: number.sid,
    phoneNumber: number.phone_number,
    routing: {
      voice: { url: number.voice_url, method: number.voice_method },
      fallback: { url: number.voice_fallback_url, method: number.voice_fallback_method },
      status: { url: number.status_callback, method: number.status_callback_method },
      applicationSid: number.voice_application_sid,
      trunkSid: number.trunk_sid,
    },
  }));

const numberList = z.object({ incoming_phone_numbers: z.array(numberResource) });

type NumberResource = z.infer<typeof numberResource>;

/** Empty texts where nothing is set. With an application or a trunk the carrier ignores the addresses. */
export type NumberRouting = NumberResource['routing'];

export interface PublicPlace {
  publicUrl: string;
  /** Takes the place of `/twilio/fallback` where it is set: it answers while this host does not. */
  fallbackUrl: string | null;
}

/** What `pointHere` sets. */
export const routingTo = ({
  publicUrl,
  fallbackUrl,
}: PublicPlace): Pick<NumberRouting, 'voice' | 'fallback' | 'status'> => ({
  voice: { url: addressOf(publicUrl, routes.voice) + newCallOverrides, method: 'POST' },
  fallback: {
    url: fallbackUrl ?? addressOf(publicUrl, routes.fallback),
    method: fallbackUrl === null ? 'POST' : 'GET',
  },
  status: { url: addressOf(publicUrl, routes.status) + connectionOverrides, method: 'POST' },
});

/** All methods throw GiveUpError `carrier.refused` and RetryError `carrier.unavailable`. */
export class TwilioNumber {
  readonly #api: TwilioApi;
  readonly #phoneNumber: string;

  /** @param phoneNumber E.164 */
  constructor(api: TwilioApi, phoneNumber: string) {
    this.#api = api;
    this.#phoneNumber = phoneNumber;
  }

  async readRouting(): Promise<NumberRouting> {
    return (await this.#find()).routing;
  }

  /** Sends the number's calls here. Returns where they went before. */
  async pointHere(place: PublicPlace): Promise<NumberRouting> {
    const { sid, routing } = await this.#find();
    const { voice, fallback, status } = routingTo(place);
    await this.#api.post(`/IncomingPhoneNumbers/${encodeURIComponent(sid)}.json`, z.unknown(), {
      VoiceUrl: voice.url,
      VoiceMethod: voice.method,
      VoiceFallbackUrl: fallback.url,
      VoiceFallbackMethod: fallback.method,
      StatusCallback: status.url,
      StatusCallbackMethod: status.method,
      ...(routing.applicationSid === '' ? {} : { VoiceApplicationSid: '' }),
      ...(routing.trunkSid === '' ? {} : { TrunkSid: '' }),
    });
    return routing;
  }

  /** The carrier also finds numbers that only contain the one asked for. */
  async #find(): Promise<NumberResource> {
    const query = { PhoneNumber: this.#phoneNumber };
    const { incoming_phone_numbers: numbers } = await this.#api.get(
      '/IncomingPhoneNumbers.json',
      numberList,
      query,
    );
    const number = numbers.find(({ phoneNumber }) => phoneNumber === this.#phoneNumber);
    if (number !== undefined) return number;
    throw new GiveUpError('carrier.refused', 'The account has no phone number TWILIO_PHONE_NUMBER');
  }
}

const withoutFragment = (url: string): string => url.replace(/#.*$/, '');

const leadsTo = ({ url, method }: NumberRouting['voice'], address: string): boolean =>
  withoutFragment(url) === address && method !== 'GET';

/** Whether calls with this routing come to `publicUrl`, and their ends are reported there. */
export function pointsTo(routing: NumberRouting, publicUrl: string): boolean {
  const isOverridden = routing.applicationSid !== '' || routing.trunkSid !== '';
  return (
    !isOverridden &&
    leadsTo(routing.voice, addressOf(publicUrl, routes.voice)) &&
    leadsTo(routing.status, addressOf(publicUrl, routes.status))
  );
}
