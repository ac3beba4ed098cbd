/**
 * Owns: sending on the stream of a call that an operator moves away from this process, where it comes back here.
 * Does not own: the moving (the call chart), a drain, in which this process takes no connection any more.
 *
 * Who gets a stream is decided by whoever shares the connections out, be it a balancer or the system: this process can
 * only refuse it, so that the carrier asks again.
 *
 * Invariants:
 * W1. A call that nobody else takes goes on here: `mostRefusals` of its streams are refused, and none where no other
 *     process is ready.
 */
import type { CallState } from '../runtime/step.ts';
import type { Siblings } from './siblings.ts';

export const mostRefusals = 2;

/** Calls on the move that are remembered; of more of them the oldest are sent away once more. */
const mostMoving = 1_000;

export class Steering {
  readonly #instance: string;
  readonly #siblings: Siblings;
  /** Refusals of calls that are on the move. */
  readonly #refusals = new Map<string, number>();

  constructor(instance: string, siblings: Siblings) {
    this.#instance = instance;
    this.#siblings = siblings;
  }

  /** Whether this stream of the call should go elsewhere. Counts it where it should. */
  async sendsAway(state: CallState): Promise<boolean> {
    const { callId } = state;
    const refusals = this.#refusals.get(callId) ?? 0;
    const mayRefuse = this.#leavesHere(state) && refusals < mostRefusals;
    const isSentAway = mayRefuse && (await this.#siblings.areReady().catch(() => false));
    this.#refusals.delete(callId);
    if (isSentAway) this.#note(callId, refusals + 1);
    return isSentAway;
  }

  #note(callId: string, refusals: number): void {
    this.#refusals.set(callId, refusals);
    const [oldest] = this.#refusals.keys();
    if (this.#refusals.size > mostMoving && oldest !== undefined) this.#refusals.delete(oldest);
  }

  #leavesHere({ snapshot: { context } }: CallState): boolean {
    return context.move?.by === 'operator' && context.instance === this.#instance;
  }
}
