/**
 * Owns: what the summary of a call says, read from its entries alone.
 * Does not own: how it is shown (`screen.ts`).
 */
import type { Entry } from '../machines/entries.ts';

export interface Measures {
  turns: number;
  interruptions: number;
  toolCalls: number;
  /** From the caller's last word to the agent's first sound, milliseconds, one per answered turn. */
  responseMs: number[];
  /** From the stream's start to the greeting's first sound. */
  greetingMs: number | null;
  durationMs: number;
  endReason: string | null;
}

/** Collects measures entry by entry. */
export class MeasureBook {
  readonly #measures: Measures = {
    turns: 0,
    interruptions: 0,
    toolCalls: 0,
    responseMs: [],
    greetingMs: null,
    durationMs: 0,
    endReason: null,
  };
  #startedAt: number | null = null;
  #streamAt: number | null = null;
  /** When the caller's last word ended; null once it was answered. */
  #lastWordAt: number | null = null;

  get measures(): Measures {
    return this.#measures;
  }

  note(entry: Entry): void {
    const measures = this.#measures;
    this.#startedAt ??= entry.at;
    measures.durationMs = entry.at - this.#startedAt;
    if (entry.type === 'stream.started') this.#streamAt ??= entry.at;
    else if (entry.type === 'caller.stoppedSpeaking') this.#lastWordAt = entry.at - entry.silenceMs;
    else if (entry.type === 'reply.voiced') this.#noteVoice(entry.at);
    else if (entry.type === 'reply.interrupted') measures.interruptions += 1;
    else if (entry.type === 'tool.finished') measures.toolCalls += 1;
    else if (entry.type === 'call.ended') measures.endReason = entry.reason;
  }

  #noteVoice(at: number): void {
    const measures = this.#measures;
    if (this.#lastWordAt !== null) {
      measures.turns += 1;
      measures.responseMs.push(at - this.#lastWordAt);
      this.#lastWordAt = null;
    } else if (measures.greetingMs === null && this.#streamAt !== null) {
      measures.greetingMs = at - this.#streamAt;
    }
  }
}
