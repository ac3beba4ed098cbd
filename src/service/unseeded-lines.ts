/**
 * Owns: lines of the agent that a new session was seeded without, because the line still plays them: how much of them is
 * heard is known only later, and then the session is told.
 * Does not own: the session, the history that it is seeded with (`src/runtime/conversation.ts`).
 *
 * Invariants:
 * H1. A session is told of such a line once, and only what the caller heard.
 */
import type { Entry } from '../machines/entries.ts';
import type { Conversation } from '../runtime/conversation.ts';

export class UnseededLines {
  readonly #conversation: Conversation;
  #itemIds: ReadonlySet<string> = new Set();

  constructor(conversation: Conversation) {
    this.#conversation = conversation;
  }

  /** A session is seeded while the line plays a reply on, or none: the items that its history must not hold. */
  seed(playedReplyId: string | null): ReadonlySet<string> {
    this.#itemIds = new Set(playedReplyId === null ? [] : this.#conversation.itemsOf(playedReplyId));
    return this.#itemIds;
  }

  /** What was heard of them, where this entry settles it; oldest first. */
  settledBy(entry: Entry): string[] {
    if (this.#itemIds.size === 0) return [];
    if (entry.type !== 'reply.played' && entry.type !== 'reply.interrupted') return [];
    const texts = [...this.#itemIds].map((itemId) => this.#conversation.heardOf(itemId));
    this.#itemIds = new Set();
    return texts.filter((text) => text !== '');
  }
}
