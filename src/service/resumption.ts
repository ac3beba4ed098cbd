/**
 * Owns: what a reply that was cut is taken up again with, where its rest cannot be asked for.
 * Does not own: what the agent owes (the call chart), its words (`call-agent.ts`).
 *
 * The chart knows that a reply was being said; what a session can be told of it, only the conversation knows. The words
 * of the caller's last turn may be in no log, and their sound gone with another process.
 *
 * Invariants:
 * I8. Of an answer of which nothing was heard, to a question that nobody knows, the rest is not asked for: the caller is
 *     asked to say it again.
 * F1. What a content filter has broken off is not asked for again, whether a sound of it came or none: every session would
 *     break it off, and the call would end for want of one that does not.
 */
import type { ReplyPurpose } from '../machines/commands.ts';
import type { Conversation, ConversationLine } from '../runtime/conversation.ts';
import { heardLine } from '../runtime/heard-text.ts';

/** Whose words follow from the conversation or an operator. The others are the same in every call. */
const filterable: ReadonlySet<ReplyPurpose> = new Set(['answer', 'announcement', 'continuation']);

const isUnheard = (line: ConversationLine): boolean => line.kind === 'agent' && heardLine(line) === '';

/** `excuse`: the rest is not to be said, and the caller is told so. */
export type ReplyTask = ReplyPurpose | 'excuse';

export class Resumption {
  readonly #conversation: Conversation;
  /** The caller's last turn in another process, if its words are not known. */
  readonly #lostTurn: string | null;

  /** @param conversation as the log tells it before this process has added to it; empty for a call that begins here */
  constructor(conversation: Conversation) {
    this.#conversation = conversation;
    const last = conversation.lines.findLast(({ kind }) => kind === 'caller');
    this.#lostTurn = last?.kind === 'caller' && last.text === null ? last.itemId : null;
  }

  purposeFor(purpose: ReplyPurpose): ReplyTask {
    if (this.#conversation.isFiltered && filterable.has(purpose)) return 'excuse';
    if (purpose !== 'continuation') return purpose;
    if (this.#conversation.lines.every(isUnheard)) return 'greeting';
    return this.#isQuestionLost ? 'repeat' : purpose;
  }

  get #isQuestionLost(): boolean {
    const { lines } = this.#conversation;
    const place = lines.findLastIndex(({ kind }) => kind === 'caller');
    const line = lines[place];
    if (line?.kind !== 'caller' || line.itemId !== this.#lostTurn || line.text !== null) return false;
    return lines.slice(place).every((later) => later.kind !== 'agent' || isUnheard(later));
  }
}
