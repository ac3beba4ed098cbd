/**
 * Owns: what a session was seeded without and must be told before it serves, or once it is known.
 * Does not own: the session, the history that it is seeded with (`src/runtime/conversation.ts`).
 *
 * A session takes over some time after its history was taken, which may be in the middle of a turn. Until then the one
 * before it serves on: turns are taken, tools run, an announcement is said. All of it is told with the entry that makes the
 * session serve, whose observer has seen every entry before it. Of a reply that the line still plays it is known only later
 * how much was heard, and the words of a turn may be told by the session that was replaced.
 *
 * Invariants:
 * H1. A session is told of a line once, at its place, and of what the agent said only what the caller heard.
 */
import type { Entry } from '../machines/entries.ts';
import type { Conversation, ConversationLine } from '../runtime/conversation.ts';
import type { HistoryItem } from '../runtime/ports/model.ts';

/** To be told to the session of `generation`, behind the first `place` of the items that it was told of before. */
export interface Untold {
  generation: number;
  item: HistoryItem;
  place: number;
}

/** The call after an entry. */
export interface Present {
  /** Of the session that serves; null without one. */
  generation: number | null;
  /** The last reply that the line plays on, of which all has come; null without one. */
  playedReplyId: string | null;
}

const none: ReadonlySet<string> = new Set();

export class UnseededLines {
  readonly #conversation: Conversation;
  #generation = 0;
  #isServing = false;
  /** What the session was told of, in the order of its memory. */
  #known: ConversationLine[] = [];
  /** Items of which it is not known yet how much was heard, up to those of the reply that the line plays last. */
  #playing = none;
  #playedReplyId: string | null = null;
  /** Turns from before it served, without their words. */
  #wordless: ReadonlySet<ConversationLine> = new Set();

  constructor(conversation: Conversation) {
    this.#conversation = conversation;
  }

  /** What a session is to be seeded with. `unsettledReplyId`: the reply that is being said or played, or null. */
  seed(generation: number, unsettledReplyId: string | null): HistoryItem[] {
    this.#generation = generation;
    this.#isServing = false;
    this.#await(unsettledReplyId);
    const memory = this.#conversation.memory(this.#playing);
    this.#known = memory.map(({ line }) => line);
    return memory.map(({ item }) => item);
  }

  /** What the session is to be told with this entry, oldest first. */
  settledBy(entry: Entry, { generation, playedReplyId }: Present): Untold[] {
    if (!this.#isServing) {
      if (generation !== this.#generation) return [];
      this.#isServing = true;
      this.#await(playedReplyId);
      this.#wordless = new Set(this.#conversation.lines.filter(isWordless));
      return this.#tell(() => true);
    }
    // What else has come since it serves, it knows by itself.
    if (entry.type === 'caller.transcribed') return this.#tell((line) => this.#wordless.has(line));
    if (this.#playing.size === 0 || !this.#isSettledBy(entry, playedReplyId)) return [];
    const settled = this.#playing;
    this.#playing = none;
    return this.#tell((line) => line.kind === 'agent' && settled.has(line.itemId));
  }

  #await(replyId: string | null): void {
    this.#playedReplyId = replyId;
    this.#playing = replyId === null ? none : new Set(this.#conversation.playingItemsUpTo(replyId));
  }

  /** The line plays in order: with the last reply all are over. It may stop telling of it, too. */
  #isSettledBy(entry: Entry, playedReplyId: string | null): boolean {
    if (entry.type === 'reply.played') return entry.replyId === this.#playedReplyId;
    if (entry.type === 'timer.elapsed') return playedReplyId !== this.#playedReplyId;
    return entry.type === 'reply.interrupted';
  }

  #tell(isMeant: (line: ConversationLine) => boolean): Untold[] {
    const told: Untold[] = [];
    let place = 0;
    for (const { line, item } of this.#conversation.memory(this.#playing)) {
      const known = this.#known.indexOf(line);
      if (known < 0 && !isMeant(line)) continue;
      if (known < 0) {
        this.#known.splice(place, 0, line);
        told.push({ generation: this.#generation, item, place });
      }
      place = known < 0 ? place + 1 : known + 1;
    }
    return told;
  }
}

const isWordless = (line: ConversationLine): boolean => line.kind === 'caller' && line.text === null;
