/**
 * Owns: how regularly the caller's frames arrive, against the timestamps that the carrier gives them.
 * Does not own: frames that never arrive at all (`starvation-watch.ts`).
 *
 * Over a WebSocket nothing is lost on the way to us and late frames come in bursts: what this sees is the delay of our
 * own leg and what the carrier discarded before it, not the telephone network.
 */
import { bytesPerMs } from './mulaw.ts';

/** Half a frame: timestamps are rounded to milliseconds, a lost frame leaves 20. */
const gapToleranceMs = 10;

/** A larger step of the timestamps is a mistake or another clock, not the network: counting begins anew there. */
const longestBelievedMs = 60_000;

export class ArrivalMeter {
  frames = 0;
  gaps = 0;
  /** Audio missing in the gaps, by the timestamps. */
  gapMs = 0;
  /** Longest time between two frames. */
  longestSilenceMs = 0;
  /** Interarrival jitter: RFC 3550 section 6.4.1, in milliseconds instead of timestamp units. */
  jitterMs = 0;
  #lastArrivedMs = Number.NaN;
  #lastTimestampMs = Number.NaN;
  #lastDurationMs = 0;

  /** The next frame belongs to another stream: its times do not compare with the last one's. */
  restart(): void {
    this.#lastArrivedMs = Number.NaN;
    this.#lastTimestampMs = Number.NaN;
  }

  /** @param timestampMs when the frame begins, by the carrier's clock */
  note(arrivedMs: number, timestampMs: number, bytes: number): void {
    this.frames++;
    this.#compare(arrivedMs - this.#lastArrivedMs, timestampMs - this.#lastTimestampMs);
    this.#lastArrivedMs = arrivedMs;
    this.#lastTimestampMs = timestampMs;
    this.#lastDurationMs = bytes / bytesPerMs;
  }

  #compare(arrivalStepMs: number, timestampStepMs: number): void {
    if (arrivalStepMs > this.longestSilenceMs) this.longestSilenceMs = arrivalStepMs;
    if (!(Math.abs(timestampStepMs) <= longestBelievedMs)) return;
    this.jitterMs += (Math.abs(arrivalStepMs - timestampStepMs) - this.jitterMs) / 16;
    const missingMs = timestampStepMs - this.#lastDurationMs;
    if (missingMs <= gapToleranceMs) return;
    this.gaps++;
    this.gapMs += missingMs;
  }
}
