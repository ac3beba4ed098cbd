/**
 * Owns: what we ask of the carrier about a call outside its stream (Twilio, Call resource).
 * Does not own: how a request is made (`api.ts`).
 */
import { z } from 'zod';
import { type CarrierStatus, carrierStatus } from '../../machines/entry-values.ts';
import type { Answer, CarrierControl } from '../../runtime/ports/carrier.ts';
import { RetryError } from '../../runtime/ports/errors.ts';
import { RefusedRequestError, type TwilioApi } from './api.ts';
import { type TwimlPlace, writeTwiml } from './twiml.ts';

const callResource = z.object({ status: carrierStatus });

/** Codes by which the carrier says that there is no call to end: not in progress, not found. */
const overCodes: ReadonlySet<number | null> = new Set([21220, 20404]);

const pathOf = (carrierCallId: string): string => `/Calls/${encodeURIComponent(carrierCallId)}.json`;

export class TwilioControl implements CarrierControl {
  readonly #api: TwilioApi;
  readonly #place: () => TwimlPlace | null;

  /** @param place null while the public address is not known yet */
  constructor(api: TwilioApi, place: () => TwimlPlace | null) {
    this.#api = api;
    this.#place = place;
  }

  async endCall(carrierCallId: string): Promise<void> {
    try {
      await this.#api.post(pathOf(carrierCallId), z.unknown(), { Status: 'completed' });
    } catch (error) {
      if (!(error instanceof RefusedRequestError && overCodes.has(error.twilioCode))) throw error;
    }
  }

  async redirectCall(carrierCallId: string, answer: Answer): Promise<void> {
    const place = this.#place();
    if (place === null) throw new RetryError('carrier.unavailable', 'The public address is not known yet');
    await this.#api.post(pathOf(carrierCallId), z.unknown(), { Twiml: writeTwiml(answer, place) });
  }

  async fetchStatus(carrierCallId: string): Promise<CarrierStatus> {
    const { status } = await this.#api.get(pathOf(carrierCallId), callResource);
    return status;
  }
}
