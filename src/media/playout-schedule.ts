/**
 * Owns: when the line should have played what it was given: an estimate from what was sent and when.
 * Does not own: what it truly played. Only marks say that (`playback-ledger.ts`); this serves figures and bounds.
 */
import { bytesPerMs } from './mulaw.ts';

export class PlayoutSchedule {
  /** Everything given should be played by then; null before anything was. */
  #dryAtMs: number | null = null;

  /** The line was flushed or changed. */
  reset(): void {
    this.#dryAtMs = null;
  }

  /** Audio that should not have been played yet. */
  queueMs(nowMs: number): number {
    return this.#dryAtMs === null ? 0 : Math.max(0, this.#dryAtMs - nowMs);
  }

  /** How long the line has had nothing to play; 0 if it never had anything. */
  dryMs(nowMs: number): number {
    return this.#dryAtMs === null ? 0 : Math.max(0, nowMs - this.#dryAtMs);
  }

  /** @returns when the first byte should be played */
  add(nowMs: number, bytes: number): number {
    const startMs = nowMs + this.queueMs(nowMs);
    this.#dryAtMs = startMs + bytes / bytesPerMs;
    return startMs;
  }
}
