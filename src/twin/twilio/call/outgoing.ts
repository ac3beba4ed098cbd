/**
 * Owns: how calls that the REST API makes come about: queued, dialled, rung, answered or not.
 * Does not own: what happens once one is answered (`call.ts`).
 *
 * Invariants:
 * F1. Calls start in the order in which they were made, at most `callsPerSecond`.
 *
 * Source: Twilio, Call resource, status values; "How fast can I place or receive calls".
 */
import type { NextDocument } from '../twiml/document-loader.ts';
import type { TwinCall } from './call.ts';
import type { CallCore } from './call-core.ts';
import type { OutgoingPlan } from './call-order.ts';

const defaultRingMs = 2_000;

export class OutgoingQueue {
  readonly #core: CallCore;
  /** When the next call may start, by the monotonic clock. */
  #nextStartAt = 0;

  constructor(core: CallCore) {
    this.#core = core;
  }

  /** @param timeoutMs how long it may ring */
  enqueue(call: TwinCall, plan: OutgoingPlan, first: NextDocument, timeoutMs: number): void {
    const { ports, settings } = this.#core;
    const now = ports.clock.monotonic();
    const startAt = Math.max(now, this.#nextStartAt);
    this.#nextStartAt = startAt + 1_000 / settings.callsPerSecond;
    void this.#make(call, plan, { first, timeoutMs, queuedMs: startAt - now });
  }

  async #make(
    call: TwinCall,
    plan: OutgoingPlan,
    { first, timeoutMs, queuedMs }: { first: NextDocument; timeoutMs: number; queuedMs: number },
  ): Promise<void> {
    await call.wait(queuedMs);
    if (call.hasEnded) return;
    call.setStatus('initiated');
    await call.wait(this.#core.settings.delays.dialMs);
    if (call.hasEnded) return;
    call.setStatus('ringing');
    const ringMs = plan.ringMs ?? defaultRingMs;
    await call.wait(Math.min(ringMs, timeoutMs));
    if (call.hasEnded) return;
    if (ringMs > timeoutMs) return call.end('unanswered', 'no-answer');
    if (plan.outcome !== 'answered') return call.end('unanswered', plan.outcome);
    call.answer();
    call.start(first);
  }
}
