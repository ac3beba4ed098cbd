/**
 * Owns: what one call asks of the carrier outside its stream, and what it is told of the answer.
 * Does not own: when it asks (the call chart), the requests themselves (`src/adapters/twilio`).
 *
 * Invariants:
 * R1. A call that was given up because its journal is lost, and whose carrier was told so, is told nothing more: whoever
 *     has the journal may have taken it back since.
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
  /** The carrier says sorry and hangs up by itself. */
  #isApologyTold = false;

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
    const isTold = this.#isApologyTold && call.state.snapshot.context.endReason === 'journal.lost';
    const outcome = isTold ? 'completed' : await this.#endCall(call);
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
    this.#isApologyTold = outcome === 'redirected' && answer.do === 'apologise';
    signal({ entry: { type: 'redirect.finished', outcome, told: answer.do } });
    if (outcome === 'redirected' && answer.do === 'wait') onToldToWait(call.callId);
  }

  #endCall(call: Call): Promise<EntryOf<'hangUp.finished'>['outcome']> {
    return this.#parts.control.endCall(carrierCallIdOf(call)).then(() => 'completed', failureOf);
  }

  /** A stream that has come meanwhile is left alone. */
  async #redirect(call: Call, answer: Answer): Promise<void> {
    if (answer.do === 'connect' && call.state.snapshot.hasTag('streaming')) return;
    await this.#parts.control.redirectCall(carrierCallIdOf(call), answer);
  }
}
