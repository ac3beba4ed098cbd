/**
 * Owns: which of the caller's turns a session has heard to their end, and not told the words of.
 * Does not own: how long they are waited for (`model-sessions.ts`).
 *
 * Invariants:
 * I9. At most `mostTurns` are remembered, the newest: a session may never tell the words.
 */
import type { Draft } from '../machines/entries.ts';

const mostTurns = 16;

export class AwaitedWords {
  readonly #itemIds = new Set<string>();

  get areAwaited(): boolean {
    return this.#itemIds.size > 0;
  }

  note(entry: Draft): void {
    if (entry.type === 'caller.transcribed') this.#itemIds.delete(entry.itemId);
    if (entry.type !== 'caller.stoppedSpeaking') return;
    this.#itemIds.add(entry.itemId);
    const [oldest] = this.#itemIds;
    if (this.#itemIds.size > mostTurns && oldest !== undefined) this.#itemIds.delete(oldest);
  }
}
