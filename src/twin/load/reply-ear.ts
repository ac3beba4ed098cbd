/**
 * Owns: what the carrier hears of the model's replies: how long each piece was on its way, by its stamps.
 * Does not own: playing it (`playout.ts`).
 *
 * A delta has arrived when its last bytes have: whatever was cut, paced or held back of it counts.
 */
import type { FlightTimes } from './flight-times.ts';
import { findStamp, readStamp, type Stamp, stampBytes } from './frame-stamp.ts';
import type { Measures } from './measures.ts';
import { isFirstDelta, isTail } from './model-reply.ts';

export class ReplyEar {
  readonly #measures: Measures;
  readonly #downFlights: Map<number, FlightTimes>;
  readonly #stamp: Stamp = { owner: 0, kind: 0, number: 0 };

  constructor(measures: Measures, downFlights: Map<number, FlightTimes>) {
    this.#measures = measures;
    this.#downFlights = downFlights;
  }

  hear(audio: Buffer, nowMs: number): void {
    for (let at = findStamp(audio, 0); at >= 0; at = findStamp(audio, at + stampBytes)) {
      if (readStamp(audio, at, this.#stamp)) this.#land(nowMs);
    }
  }

  #land(nowMs: number): void {
    const { owner, kind, number } = this.#stamp;
    const flights = this.#downFlights.get(owner);
    // Its session is over.
    if (flights === undefined) return;
    const flightMs = flights.arrive(number, nowMs);
    if (flightMs === null) this.#measures.count('error.downUnknown');
    else if (isTail(kind)) this.#measures.record('down', flightMs);
    else if (isFirstDelta(kind)) this.#measures.record('downFirst', flightMs);
  }
}
