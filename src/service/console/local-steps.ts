/**
 * Owns: the newest steps of calls that are watched and live here, as they were made: nobody has to read and fold again
 * what this process has just written.
 * Does not own: when they are shown (`call-watcher.ts`).
 *
 * Invariants:
 * F3. Only what is durable is handed out: a step that met a conflict never was.
 * F4. Steps are of one unbroken life of the call here: where it comes back from its log, the steps before are forgotten.
 * I9. At most `mostSteps` of each call are kept; of a call that nobody watches none.
 */
import type { ObservedStep } from '../../runtime/call.ts';
import type { Stop } from '../../runtime/ports/operator.ts';

export const mostSteps = 100;

export interface LocalStepsOptions {
  /** Tells of each step of the call while it lives here. */
  watchSteps(callId: string, listener: (step: ObservedStep) => void): Stop;
  /** The last durable entry of a call that lives here; null of any other. */
  durableSeqOf(callId: string): number | null;
}

export class LocalSteps {
  readonly #options: LocalStepsOptions;
  readonly #kept = new Map<string, ObservedStep[]>();

  constructor(options: LocalStepsOptions) {
    this.#options = options;
  }

  follow(callId: string): Stop {
    const kept: ObservedStep[] = [];
    this.#kept.set(callId, kept);
    const unwatch = this.#options.watchSteps(callId, (step) => keep(kept, step));
    return () => {
      unwatch();
      this.#kept.delete(callId);
    };
  }

  /** The durable steps after `seq`, without a gap; empty where they are not all here. */
  after(callId: string, seq: number): readonly ObservedStep[] {
    const kept = this.#kept.get(callId) ?? [];
    const durableSeq = this.#options.durableSeqOf(callId);
    if (durableSeq === null) return [];
    const steps = kept.filter(({ entry }) => entry.seq > seq && entry.seq <= durableSeq);
    return steps[0]?.entry.seq === seq + 1 ? steps : [];
  }
}

function keep(kept: ObservedStep[], step: ObservedStep): void {
  // F4. A call that goes on here is stepped from the very state that its last step led to.
  if (kept.at(-1)?.after !== step.before) kept.length = 0;
  kept.push(step);
  if (kept.length > mostSteps) kept.shift();
}
