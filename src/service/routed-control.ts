/**
 * Owns: who is asked about a call outside its stream: the page that it came from, or the phone company.
 * Does not own: the asking.
 */
import type { CarrierStatus } from '../machines/entry-values.ts';
import type { Answer, CarrierControl } from '../runtime/ports/carrier.ts';
import { isBrowserCall } from './console/browser-call-id.ts';

export class RoutedControl implements CarrierControl {
  readonly #browser: () => CarrierControl;
  readonly #phone: CarrierControl;

  constructor(phone: CarrierControl, browser: () => CarrierControl) {
    this.#phone = phone;
    this.#browser = browser;
  }

  endCall(carrierCallId: string): Promise<void> {
    return this.#of(carrierCallId).endCall(carrierCallId);
  }

  redirectCall(carrierCallId: string, answer: Answer): Promise<void> {
    return this.#of(carrierCallId).redirectCall(carrierCallId, answer);
  }

  fetchStatus(carrierCallId: string): Promise<CarrierStatus> {
    return this.#of(carrierCallId).fetchStatus(carrierCallId);
  }

  #of(carrierCallId: string): CarrierControl {
    return isBrowserCall(carrierCallId) ? this.#browser() : this.#phone;
  }
}
