/**
 * Owns: what we ask of the carrier about a call outside its stream (Twilio, Call resource).
 * Does not own: how a request is made (`api.ts`).
 */
import { z } from 'zod';
import { type CarrierStatus, carrierStatus } from '../../machines/entries.ts';
import type { CarrierControl } from '../../runtime/ports/carrier.ts';
import { RefusedRequestError, type TwilioApi } from './api.ts';

const callResource = z.object({ status: carrierStatus });

/** Codes by which the carrier says that there is no call to end: not in progress, not found. */
const overCodes: ReadonlySet<number | null> = new Set([21220, 20404]);

const pathOf = (carrierCallId: string): string => `/Calls/${encodeURIComponent(carrierCallId)}.json`;

export class TwilioControl implements CarrierControl {
  readonly #api: TwilioApi;

  constructor(api: TwilioApi) {
    this.#api = api;
  }

  async endCall(carrierCallId: string): Promise<void> {
    try {
      await this.#api.post(pathOf(carrierCallId), z.unknown(), { Status: 'completed' });
    } catch (error) {
      if (!(error instanceof RefusedRequestError && overCodes.has(error.twilioCode))) throw error;
    }
  }

  async fetchStatus(carrierCallId: string): Promise<CarrierStatus> {
    const { status } = await this.#api.get(pathOf(carrierCallId), callResource);
    return status;
  }
}
