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
  #asking: Promise<void> | null = null;

  constructor(agent: ResumedAgent, parts: RetriedAgentParts) {
    this.#agent = agent;
    this.#parts = parts;
  }

  /** Why it has no functions; null where nothing is wrong. */
  get fault(): Error | null {
    return this.#agent.fault;
  }

  /** With its functions, where they can be had now. Never rejects. @param released of whoever asks first */
  async whole(released: AbortSignal): Promise<ResolvedAgent> {
    if (this.#agent.fault === null) return this.#agent;
    this.#asking ??= this.#ask(released).finally(() => {
      this.#asking = null;
    });
    await this.#asking;
    return this.#agent;
  }

  async #ask(released: AbortSignal): Promise<void> {
    const { ask, onFault } = this.#parts;
    try {
      this.#agent = await ask(released);
      if (this.#agent.fault && !released.aborted) onFault(this.#agent.fault);
    } catch (error) {
      onFault(error);
    }
  }
}
