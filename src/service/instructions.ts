/**
 * Owns: the answer to "what next?" for a call: its instruction with everything that the carrier needs to carry it out.
 * Does not own: the decision (`src/machines/instruction.ts`), the words of the answer (`src/adapters/twilio`).
 *
 * Invariants:
 * D1. An answer is a pure function of a read-only fold, the time and the configuration: every instance gives the same.
 *     Only one that parts from its calls has no stream for anybody, and tells them to wait.
 */
import { instructionFor } from '../machines/instruction.ts';
import type { Answer } from '../runtime/ports/carrier.ts';
import type { Clock } from '../runtime/ports/clock.ts';
import type { Log } from '../runtime/ports/journal.ts';
import type { CallState } from '../runtime/step.ts';
import { mintStreamToken } from '../runtime/stream-token.ts';

/** From the answer until the stream must have shown its token. */
const tokenLifeMs = 120_000;

/** A call whose process parts from it waits so long, unless another process brings it back before. */
export const partingPauseMs = 30_000;

export interface InstructionsOptions {
  clock: Clock;
  journal: Pick<Log, 'readPayloads'>;
  /** Shared by all instances: any of them may check a token that another one minted. */
  tokenKey: string;
  /** The number (E.164) of whoever helps callers that the model cannot serve; null without one. */
  fallbackNumber: string | null;
  /** This process lets go of its calls now, and no other one is there to take them. */
  partsAlone(): boolean;
}

export class Instructions {
  readonly #options: InstructionsOptions;

  constructor(options: InstructionsOptions) {
    this.#options = options;
  }

  /** @throws RetryError `journal.unavailable` */
  async answerFor({ callId, snapshot }: CallState): Promise<Answer> {
    const instruction = instructionFor(snapshot);
    if (instruction.do === 'connect' && this.#options.partsAlone())
      return { do: 'wait', pauseMs: partingPauseMs };
    if (instruction.do === 'connect')
      return { ...instruction, callId, token: this.#mint(callId, instruction) };
    if (instruction.do !== 'transfer') return instruction;
    const number = await this.#numberOf(callId, instruction.to);
    const { ringMs, apology } = instruction;
    return number === null
      ? { do: 'apologise', apology: apology ?? 'trouble' }
      : { do: 'transfer', number, ringMs, apology };
  }

  #mint(callId: string, { attempt }: { attempt: number }): string {
    const { clock, tokenKey } = this.#options;
    return mintStreamToken(tokenKey, { callId, attempt, expiresAt: clock.now() + tokenLifeMs });
  }

  /** Null where it was erased, or is configured no more. */
  async #numberOf(callId: string, to: 'requested' | 'fallback'): Promise<string | null> {
    if (to === 'fallback') return this.#options.fallbackNumber;
    const payloads = await this.#options.journal.readPayloads(callId);
    return payloads.findLast(({ name }) => name === 'destination')?.content ?? null;
  }
}
