/**
 * Owns: the functions of a resumed call whose definition failed: they are had as soon as it succeeds.
 * Does not own: the definition and its time (`resolve.ts`), running the functions (`tool-runner.ts`).
 *
 * Invariants:
 * R2. A definition that failed is asked again whenever its functions are needed, until it succeeds: one asking at a time,
 *     and none is left once the call is released.
 */
import type { ResolvedAgent, ResumedAgent } from './resolve.ts';

export interface RetriedAgentParts {
  /** Asks the definition once more. */
  ask(released: AbortSignal): Promise<ResumedAgent>;
  /** It failed again. Must not throw. */
  onFault(error: unknown): void;
}

export class RetriedAgent {
  #agent: ResumedAgent;
  readonly #parts: RetriedAgentParts;
  readonly #waiting = new Set<AbortSignal>();
  #asking: Promise<void> | null = null;
  #released = new AbortController();

  constructor(agent: ResumedAgent, parts: RetriedAgentParts) {
    this.#agent = agent;
    this.#parts = parts;
  }

  /** Why it has no functions; null where nothing is wrong. */
  get fault(): Error | null {
    return this.#agent.fault;
  }

  /** With its functions, where they can be had now. Never rejects. @param released whoever waits waits no more */
  async whole(released: AbortSignal): Promise<ResolvedAgent> {
    if (this.#agent.fault === null || released.aborted) return this.#agent;
    const leave = (): void => this.#leave(released);
    this.#waiting.add(released);
    released.addEventListener('abort', leave, { once: true });
    this.#asking ??= this.#ask();
    const asking = this.#asking;
    await asking;
    if (this.#asking === asking) this.#asking = null;
    released.removeEventListener('abort', leave);
    this.#waiting.delete(released);
    return this.#agent;
  }

  /** The asking is given up with the last one that waits for it: whoever comes then asks anew. */
  #leave(released: AbortSignal): void {
    this.#waiting.delete(released);
    if (this.#waiting.size > 0) return;
    this.#released.abort();
    this.#asking = null;
  }

  async #ask(): Promise<void> {
    const { ask, onFault } = this.#parts;
    this.#released = new AbortController();
    const { signal } = this.#released;
    try {
      const agent = await ask(signal);
      if (signal.aborted) return;
      this.#agent = agent;
      if (agent.fault) onFault(agent.fault);
    } catch (error) {
      onFault(error);
    }
  }
}
