/**
 * Owns: what one call asks of the carrier outside its stream, and what it is told of the answer.
 * Does not own: when it asks (the call chart), the requests themselves (`src/adapters/twilio`).
 */
import type { EntryOf } from '../machines/entries.ts';
import type { Call } from '../runtime/call.ts';
import type { Answer, CarrierControl } from '../runtime/ports/carrier.ts';
import { GiveUpError } from '../runtime/ports/errors.ts';
import type { Signal } from '../runtime/ports/signal.ts';
import type { Instructions } from './instructions.ts';

export interface CarrierRequestsParts {
  control: CarrierControl;
  instructions: Instructions;
  signal(signal: Signal): void;
  /** The carrier was told by a request, and asks again after that. */
  onToldToWait(callId: string): unknown;
}

type Failure = 'refused' | 'unreachable';

const failureOf = (error: unknown): Failure => (error instanceof GiveUpError ? 'refused' : 'unreachable');

const causeOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, 200);

const carrierCallIdOf = ({ row, callId }: Call): string => row.carrierCallId ?? callId;

export class CarrierRequests {
  readonly #parts: CarrierRequestsParts;

  constructor(parts: CarrierRequestsParts) {
    this.#parts = parts;
  }

  async askStatus(call: Call): Promise<void> {
    const { control, signal } = this.#parts;
    try {
      const status = await control.fetchStatus(carrierCallIdOf(call));
      signal({ entry: { type: 'carrier.reported', status, source: 'fetch' } });
    } catch (error) {
      signal({ entry: { type: 'carrier.unreachable', cause: causeOf(error) } });
    }
  }

  async hangUp(call: Call): Promise<void> {
    const outcome = await this.#parts.control
      .endCall(carrierCallIdOf(call))
      .then((): EntryOf<'hangUp.finished'>['outcome'] => 'completed', failureOf);
    this.#parts.signal({ entry: { type: 'hangUp.finished', outcome } });
  }

  async redirect(call: Call): Promise<void> {
    const { instructions, signal, onToldToWait } = this.#parts;
    const answer = await instructions.answerFor(call.state).catch(() => null);
    if (answer === null) {
      signal({ entry: { type: 'redirect.finished', outcome: 'unreachable' } });
      return;
    }
    const outcome = await this.#redirect(call, answer).then(
      (): EntryOf<'redirect.finished'>['outcome'] => 'redirected',
      failureOf,
    );
    signal({ entry: { type: 'redirect.finished', outcome, told: answer.do } });
    if (outcome === 'redirected' && answer.do === 'wait') onToldToWait(call.callId);
  }

  /** A stream that has come meanwhile is left alone. */
  async #redirect(call: Call, answer: Answer): Promise<void> {
    if (answer.do === 'connect' && call.state.snapshot.hasTag('streaming')) return;
    await this.#parts.control.redirectCall(carrierCallIdOf(call), answer);
  }
}
