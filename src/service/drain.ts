/**
 * Owns: how a process that is to stop lets go of its live calls: to another process that is ready, else to nobody until
 * one is there.
 * Does not own: how long it may take (`src/machines/service.ts`), how a call moves (the call chart).
 *
 * Invariants:
 * Q1. With another ready process this one stops listening first, so that a call that is let go does not come back.
 *     Of two that drain at once at most one counts on the other: each says that it is not ready before it looks.
 * Q2. A call is asked to move once per stream.
 * Q3. After `part` no call with a stream here keeps it, and no other one stays: but for an end that is being carried out.
 */

import type { Call } from '../runtime/call.ts';
import type { Registry } from '../runtime/registry.ts';
import type { Company, Siblings } from './siblings.ts';

export interface DrainOptions {
  siblings: Siblings;
  registry: Pick<Registry, 'calls'>;
  /** Tells the other processes that this one is not ready. Resolves with whether they know. */
  announce(): Promise<boolean>;
  /** Nothing of the call is to be left here: whoever claims it has it. */
  letGo(callId: string): void;
  stopListening(): void;
  onTrouble(error: unknown): void;
}

export class Drain {
  readonly #options: DrainOptions;
  #company: Company | null = null;

  constructor(options: DrainOptions) {
    this.#options = options;
  }

  /** Who else was there when this process looked last; null before. Whoever was ready was trusted with the calls: it stays. */
  get company(): Company | null {
    return this.#company;
  }

  /** Asks every call to move within the time, where there is a process to move to. To be repeated: one may come. */
  async moveCalls(withinMs: number): Promise<void> {
    const { siblings, announce, onTrouble } = this.#options;
    if (!(await announce())) return;
    const company = await siblings.company().catch(onTrouble);
    if (!company) return;
    if (this.#company !== 'ready') this.#company = company;
    if (this.#company !== 'ready') return;
    this.#options.stopListening();
    for (const call of this.#options.registry.calls()) {
      if (isStreaming(call) && call.state.snapshot.context.move === null) askToMove(call, withinMs);
    }
  }

  /** Lets go of every call now. Without another process each is told to wait until one is back. */
  part(): void {
    for (const call of [...this.#options.registry.calls()]) {
      if (isStreaming(call)) askToMove(call, 0);
      else if (!call.state.snapshot.hasTag('ending')) this.#options.letGo(call.callId);
    }
  }
}

const isStreaming = ({ state: { snapshot } }: Call): boolean => snapshot.hasTag('streaming');

const askToMove = (call: Call, withinMs: number): void =>
  void call.signal({ entry: { type: 'move.requested', by: 'drain', withinMs } });
