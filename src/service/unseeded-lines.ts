/**
 * Owns: what a session was seeded without and must be told before it serves, or once it is known.
 * Does not own: the session, the history that it is seeded with (`src/runtime/conversation.ts`).
 *
 * A session takes over some time after its history was taken. Until then the one before it serves on: an announcement is
 * said, or the words of a turn come that was answered long ago. All of it is told at `model.opened`, whose observer has
 * seen every entry before it. Of a reply that the line still plays it is known only later how much was heard.
 *
 * Not told: words of the caller that come later still, for they come from the session that was replaced; and a tool call
 * without a result, whose result the chart sends by itself. None is open where a session takes over between turns.
 *
 * Invariants:
 * H1. A session is told of a line once, at its place, and of what the agent said only what the caller heard.
 */
import type { Entry } from '../machines/entries.ts';
import type { Conversation, ConversationLine, Remembered } from '../runtime/conversation.ts';
import type { HistoryItem } from '../runtime/ports/model.ts';

/** To be told to the session of `generation`, behind the first `place` items of its history. */
export interface Untold {
  generation: number;
  item: HistoryItem;
  place: number;
}

const none: ReadonlySet<string> = new Set();

export class UnseededLines {
  readonly #conversation: Conversation;
  #generation = 0;
  #isOpen = false;
  /** How many items of the history come up to each line that the session was told of. */
  #places = new Map<ConversationLine, number>();
  /** Items that the line plays on, of which the session is not told yet. */
  #playing = none;

  constructor(conversation: Conversation) {
    this.#conversation = conversation;
  }

  /** What a session is to be seeded with, while the line plays a reply on, or none. */
  seed(generation: number, playedReplyId: string | null): HistoryItem[] {
    this.#generation = generation;
    this.#isOpen = false;
    this.#playing = new Set(playedReplyId === null ? [] : this.#conversation.itemsOf(playedReplyId));
    const memory = this.#conversation.memory(this.#playing);
    this.#places = new Map(memory.map(({ line }, index) => [line, index + 1]));
    return memory.map(({ item }) => item);
  }

  /** What the session is to be told with this entry, oldest first. */
  settledBy(entry: Entry): Untold[] {
    const settles = entry.type === 'reply.played' || entry.type === 'reply.interrupted';
    const settled = settles ? this.#playing : none;
    if (settles) this.#playing = none;
    if (entry.type === 'model.opened' && entry.generation === this.#generation) {
      this.#isOpen = true;
      return this.#tell(() => true);
    }
    // What has come since it serves, it knows by itself.
    if (!this.#isOpen || settled.size === 0) return [];
    return this.#tell((line) => line.kind === 'agent' && settled.has(line.itemId));
  }

  #tell(isMeant: (line: ConversationLine) => boolean): Untold[] {
    const generation = this.#generation;
    let place = 0;
    return withWholeCalls(this.#conversation.memory(this.#playing), this.#places).flatMap(
      ({ line, item }) => {
        const known = this.#places.get(line);
        place = known ?? place;
        if (known !== undefined || !isMeant(line)) return [];
        this.#places.set(line, place);
        return [{ generation, item, place }];
      },
    );
  }
}

/** Without the tool calls that are not known and have no result, and without results of those that are known. */
function withWholeCalls(
  memory: readonly Remembered[],
  known: ReadonlyMap<ConversationLine, number>,
): Remembered[] {
  const untold = memory.filter(({ line }) => !known.has(line));
  const idsOf = (kind: 'toolCall' | 'toolResult'): Set<string> =>
    new Set(untold.flatMap(({ item }) => (item.kind === kind ? [item.toolCallId] : [])));
  const [calls, results] = [idsOf('toolCall'), idsOf('toolResult')];
  return memory.filter(({ line, item }) => {
    if (item.kind === 'speech' || known.has(line)) return true;
    return calls.has(item.toolCallId) && results.has(item.toolCallId);
  });
}
