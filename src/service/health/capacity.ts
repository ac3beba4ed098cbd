/**
 * Owns: how many calls this process may carry, how much of that is in use, and when it is full.
 * Does not own: what becomes of a new call then (`admission.ts`), which calls count (`conversations.ts`).
 *
 * Invariants:
 * CA1. The limit turns away new calls alone. A call that comes back, moves here or is adopted is taken beyond it:
 *      turned away it would end.
 */
export interface CapacityOptions {
  /** Null: nothing is turned away. */
  limit: number | null;
  liveCalls(): number;
}

export class Capacity {
  readonly #options: CapacityOptions;

  constructor(options: CapacityOptions) {
    this.#options = options;
  }

  get limit(): number | null {
    return this.#options.limit;
  }

  /** Those that the limit is one for, also where there is none. */
  get liveCalls(): number {
    return this.#options.liveCalls();
  }

  /** 1 where it is full, more where calls came that were known; null without a limit. */
  get usedRatio(): number | null {
    const { limit } = this.#options;
    return limit === null ? null : this.liveCalls / limit;
  }

  get isFull(): boolean {
    return (this.usedRatio ?? 0) >= 1;
  }
}

/** For a process whose calls nobody counts. */
export const unlimited = new Capacity({ limit: null, liveCalls: () => 0 });
