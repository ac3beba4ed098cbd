/**
 * Owns: up to where in the caller's audio another session need not hear it again: a turn that has a transcript goes as
 * text, one that was answered needs no more.
 * Does not own: the audio (`src/media/caller-feed.ts`), what is said of a turn (the log).
 *
 * Invariants:
 * I8. A turn counts as answered once its words are known, a tool was asked for because of it, or its answer has come to its
 *     end, which the line then plays whatever becomes of the session, or was broken off by the caller. A voice alone is no
 *     answer: it may be lost with its session. One that was lost within it goes on where more was heard than may be said
 *     twice: a session that heard the question again would begin the answer again.
 * I9. At most `mostEnds` turns without an answer are remembered; of the oldest nothing more is told.
 */
import type { DraftOf, Entry } from '../machines/entries.ts';
import { mostSaidTwiceMs } from '../runtime/remembered.ts';

const mostEnds = 64;

/** The model had no more to say, or was not let say more: the call chart owes nothing after either. */
const ends: ReadonlySet<DraftOf<'reply.finished'>['status']> = new Set(['completed', 'incomplete']);

export class TurnEnds {
  readonly #ends = new Map<string, number>();
  readonly #heardMsOf: (replyId: string) => number;
  /** The present reply, what it answers, and whether it is being heard. */
  #replyId = '';
  #covered = 0;
  #isVoiced = false;

  /** @param heardMsOf how much of a reply was heard that another session is told of */
  constructor(heardMsOf: (replyId: string) => number) {
    this.#heardMsOf = heardMsOf;
  }

  /** A turn of the caller ended at `position`. */
  note(itemId: string, position: number): void {
    const [oldest] = this.#ends.keys();
    if (this.#ends.size >= mostEnds && oldest !== undefined) this.#ends.delete(oldest);
    this.#ends.set(itemId, position);
  }

  /** The position before which all is answered since this entry; null where it answers nothing. */
  answeredBy(entry: Entry): number | null {
    const position = this.#positionOf(entry);
    if (position === null) return null;
    for (const [itemId, end] of this.#ends) if (end <= position) this.#ends.delete(itemId);
    return position;
  }

  #positionOf(entry: Entry): number | null {
    switch (entry.type) {
      case 'caller.transcribed':
        return entry.transcript ? (this.#ends.get(entry.itemId) ?? null) : null;
      case 'tool.requested':
        return this.#newest();
      case 'reply.started':
        this.#replyId = entry.replyId;
        this.#covered = this.#newest();
        this.#isVoiced = false;
        return null;
      case 'reply.voiced':
        this.#isVoiced = true;
        return null;
      case 'reply.finished':
        return this.#isVoiced && ends.has(entry.status) ? this.#covered : null;
      case 'caller.startedSpeaking':
        return this.#isVoiced ? this.#covered : null;
      // What came of it was played: a session may have stalled after its first word.
      case 'reply.played':
      case 'reply.interrupted':
      case 'model.closed':
        return this.#isVoiced && this.#heardMsOf(this.#replyId) > mostSaidTwiceMs ? this.#covered : null;
      default:
        return null;
    }
  }

  #newest(): number {
    let newest = 0;
    for (const end of this.#ends.values()) newest = Math.max(newest, end);
    return newest;
  }
}
