/**
 * Owns: the beat of all calls: one timer for all of them, each call every 20 ms at its own millisecond of the 20.
 * Does not own: what a call does then.
 *
 * Invariants:
 * B1. A call is called once for each 20 ms of its life: a beat that came late is made up for.
 */
import { frameMs } from './frame-stamp.ts';

export interface Beating {
  beat(): void;
}

export class FrameClock {
  readonly #slots: Set<Beating>[] = Array.from({ length: frameMs }, () => new Set());
  readonly #onLate: (lateMs: number) => void;
  #next = Math.ceil(performance.now());
  #timer: NodeJS.Timeout | null = null;

  /** @param onLate called for each millisecond in which somebody was due */
  constructor(onLate: (lateMs: number) => void) {
    this.#onLate = onLate;
  }

  start(): void {
    this.#next = Math.ceil(performance.now());
    this.#timer = setInterval(() => this.#catchUp(), 1);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** @param phase the millisecond of the 20 */
  add(call: Beating, phase: number): void {
    this.#slots[phase % frameMs]?.add(call);
  }

  remove(call: Beating): void {
    for (const slot of this.#slots) slot.delete(call);
  }

  #catchUp(): void {
    const nowMs = performance.now();
    for (; this.#next <= nowMs; this.#next++) {
      const slot = this.#slots[this.#next % frameMs];
      if (slot === undefined || slot.size === 0) continue;
      this.#onLate(performance.now() - this.#next);
      for (const call of slot) call.beat();
    }
  }
}
