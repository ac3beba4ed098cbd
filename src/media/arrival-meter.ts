/**
 * Owns: how regularly the caller's frames arrive, against the timestamps that the carrier gives them.
 * Does not own: frames that never arrive at all (`starvation-watch.ts`).
 *
 * Over a WebSocket nothing is lost on the way to us and late frames come in bursts: what this sees is the delay of our
 * own leg and what the carrier discarded before it, not the telephone network.
 *
 * Two frames that come at once are the rule: the first waited for the second (`Socket.gatherReads`), so the second tells
 * when they came. More than two at once were late, and the first tells by how much.
 */
import { bytesPerMs } from './mulaw.ts';

/** Half a frame: timestamps are rounded to milliseconds, a lost frame leaves 20. */
const gapToleranceMs = 10;

/** Frames that are read at once are no further apart; others are some 20 ms. */
const atOnceMs = 5;

/** A larger step of the timestamps is a mistake or another clock, not the network: counting begins anew there. */
const longestBelievedMs = 60_000;

export class ArrivalMeter {
  frames = 0;
  gaps = 0;
  /** Audio missing in the gaps, by the timestamps. */
  gapMs = 0;
  /** Longest time between two frames. */
  longestSilenceMs = 0;
  #lastArrivedMs = Number.NaN;
  #lastTimestampMs = Number.NaN;
  #lastDurationMs = 0;
  /** Of the frames that came at once last: how many, and when the first begins. */
  #atOnce = 0;
  #firstTimestampMs = Number.NaN;
  /** Of those before them: when they came, when the one begins that tells for them, and the jitter up to them. */
  #earlierArrivedMs = Number.NaN;
  #earlierTimestampMs = Number.NaN;
  #earlierJitterMs = 0;

  /** Interarrival jitter: RFC 3550 section 6.4.1, in milliseconds instead of timestamp units. */
  get jitterMs(): number {
    const arrivalStepMs = this.#lastArrivedMs - this.#earlierArrivedMs;
    const timestampStepMs = this.#tellingTimestampMs - this.#earlierTimestampMs;
    if (!(Math.abs(timestampStepMs) <= longestBelievedMs)) return this.#earlierJitterMs;
    return this.#earlierJitterMs + (Math.abs(arrivalStepMs - timestampStepMs) - this.#earlierJitterMs) / 16;
  }

  /** When the one begins that tells for those that came at once last. */
  get #tellingTimestampMs(): number {
    return this.#atOnce === 2 ? this.#lastTimestampMs : this.#firstTimestampMs;
  }

  /** The next frame belongs to another stream: its times do not compare with the last one's. */
  restart(): void {
    this.#earlierJitterMs = this.jitterMs;
    this.#lastArrivedMs = Number.NaN;
    this.#lastTimestampMs = Number.NaN;
    this.#firstTimestampMs = Number.NaN;
    this.#earlierTimestampMs = Number.NaN;
  }

  /** @param timestampMs when the frame begins, by the carrier's clock */
  note(arrivedMs: number, timestampMs: number, bytes: number): void {
    this.frames++;
    const silentMs = arrivedMs - this.#lastArrivedMs;
    if (silentMs > this.longestSilenceMs) this.longestSilenceMs = silentMs;
    if (silentMs < atOnceMs) this.#atOnce++;
    else this.#begin(timestampMs);
    this.#noteGap(timestampMs - this.#lastTimestampMs);
    this.#lastArrivedMs = arrivedMs;
    this.#lastTimestampMs = timestampMs;
    this.#lastDurationMs = bytes / bytesPerMs;
  }

  #begin(timestampMs: number): void {
    this.#earlierJitterMs = this.jitterMs;
    this.#earlierArrivedMs = this.#lastArrivedMs;
    this.#earlierTimestampMs = this.#tellingTimestampMs;
    this.#atOnce = 1;
    this.#firstTimestampMs = timestampMs;
  }

  #noteGap(timestampStepMs: number): void {
    if (!(Math.abs(timestampStepMs) <= longestBelievedMs)) return;
    const missingMs = timestampStepMs - this.#lastDurationMs;
    if (missingMs <= gapToleranceMs) return;
    this.gaps++;
    this.gapMs += missingMs;
  }
}
