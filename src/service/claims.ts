/**
 * Owns: making this process the owner of a call, with parts that know all that the call's log holds.
 * Does not own: who may claim (`desk.ts`, `adoption.ts`), the claim's entry (`src/runtime/registry.ts`).
 *
 * Between the reading of a log for the parts and the claim another process may append. The parts would then miss a
 * tool call or a turn, so the claim is stepped only where parts and actor have read the same log; else both read again.
 *
 * Invariants:
 * I4. A claim that comes to nothing leaves no parts here.
 */
import type { Line } from '../runtime/ports/carrier.ts';
import { RetryError } from '../runtime/ports/errors.ts';
import type { CallRow } from '../runtime/ports/journal.ts';
import type { Signal } from '../runtime/ports/signal.ts';
import type { Claim, Registry } from '../runtime/registry.ts';
import type { CallState } from '../runtime/step.ts';
import type { LiveCall } from './live-call.ts';
import type { LiveCalls } from './live-calls.ts';

/** How often the log may grow while it is read, before this process gives up. */
const readTries = 20;

export interface ClaimOrder {
  claim: Claim;
  /** Taken in with the claim. */
  signals: readonly Signal[];
  /** The stream that the claim is for. */
  line: Line | null;
  /** Asked in the turn in which the claim is stepped. */
  mayClaim(state: CallState): boolean;
}

export class Claims {
  readonly #registry: Registry;
  readonly #live: LiveCalls;

  constructor(registry: Registry, live: LiveCalls) {
    this.#registry = registry;
    this.#live = live;
  }

  /**
   * The parts of the call once the claim is durable; null where `mayClaim` refused, or where another process was
   * quicker in the end.
   *
   * @throws FixCallError `call.unknown`; GiveUpError `log.invalid`, `journal.future`, `journal.past`,
   *   `call.released`; RetryError `journal.unavailable`
   */
  async claim(callId: string, order: ClaimOrder): Promise<LiveCall | null> {
    try {
      for (let tries = 0; tries < readTries; tries++) {
        const outcome = await this.#try(callId, order);
        if (outcome !== 'outdated') return outcome;
        this.#releaseUnowned(callId);
      }
      throw new RetryError(
        'journal.unavailable',
        `the log of ${callId} grew ${readTries} times while it was read`,
      );
    } finally {
      this.#releaseUnowned(callId);
    }
  }

  /**
   * Of the call of a dead process, unless somebody else was quicker. Whoever has written to it since it was looked up
   * lives: the journal's seq holds that until the claim is durable.
   *
   * @param isDue asked in the turn in which the claim is stepped
   * @throws as `claim`
   */
  async adopt({ callId, owner, lastSeq }: CallRow, instance: string, isDue: () => boolean): Promise<void> {
    await this.claim(callId, {
      claim: { why: owner === instance ? 'restarted' : 'orphan' },
      signals: [],
      line: null,
      mayClaim: ({ snapshot, seq }) =>
        snapshot.status === 'active' &&
        snapshot.context.instance === owner &&
        seq === lastSeq &&
        this.#registry.get(callId) === undefined &&
        isDue(),
    });
  }

  async #try(callId: string, order: ClaimOrder): Promise<LiveCall | 'outdated' | null> {
    const { claim, signals, line, mayClaim } = order;
    const parts = await this.#live.prepare(callId);
    let isOutdated = false;
    const call = await this.#registry.claim(callId, claim, signals, (state) => {
      if (!mayClaim(state)) return false;
      // After a conflict the parts are gone: the registry asks again for the state that it has read since.
      isOutdated = this.#live.get(callId) !== parts || parts.seq !== state.seq;
      if (!isOutdated && line) parts.enter(line);
      return !isOutdated;
    });
    if (isOutdated) return 'outdated';
    return call && this.#live.get(callId) === parts ? parts : null;
  }

  #releaseUnowned(callId: string): void {
    if (!this.#registry.get(callId)) this.#live.release(callId);
  }
}
