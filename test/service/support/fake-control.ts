/** Owns: the carrier's REST API as a test wants it. */
import type { CarrierStatus } from '../../../src/machines/entry-values.ts';
import type { Answer, CarrierControl } from '../../../src/runtime/ports/carrier.ts';
import { GiveUpError, RetryError } from '../../../src/runtime/ports/errors.ts';

export type ControlMood = 'answers' | 'refuses' | 'isUnreachable';

export class FakeControl implements CarrierControl {
  mood: ControlMood = 'answers';
  status: CarrierStatus = 'in-progress';
  /** Calls that were ended, each time that it was asked. */
  readonly ended: string[] = [];
  readonly asked: string[] = [];
  /** What calls were told to do at once, each time that it was tried. */
  readonly redirected: Answer[] = [];
  /** What follows from an end that was asked for. */
  onEnded: (carrierCallId: string) => void = () => undefined;
  /** What follows from a redirect: Twilio ends the stream and carries out the answer. */
  onRedirected: (carrierCallId: string, answer: Answer) => void = () => undefined;

  async endCall(carrierCallId: string): Promise<void> {
    this.ended.push(carrierCallId);
    this.#judge();
    this.status = 'completed';
    this.onEnded(carrierCallId);
  }

  async redirectCall(carrierCallId: string, answer: Answer): Promise<void> {
    this.redirected.push(answer);
    this.#judge();
    this.onRedirected(carrierCallId, answer);
  }

  async fetchStatus(carrierCallId: string): Promise<CarrierStatus> {
    this.asked.push(carrierCallId);
    this.#judge();
    return this.status;
  }

  #judge(): void {
    if (this.mood === 'refuses') throw new GiveUpError('carrier.refused', 'no such call');
    if (this.mood === 'isUnreachable') throw new RetryError('carrier.unavailable', 'nobody answers');
  }
}
