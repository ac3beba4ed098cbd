/**
 * Owns: the caller's turns and the model's replies among the episodes of a call: who spoke when, and what it came to.
 * Does not own: everything else of a call (`call-timeline.ts`).
 *
 * A turn begins with the caller's first sound and ends when its answer was played or cut, or when the caller speaks
 * again without one. The greeting and other replies that answer nobody belong to no turn.
 */
import type { Entry, EntryOf, EntryType } from '../../machines/entries.ts';
import type { Episode } from './episode.ts';

/** A turn that is under way. */
export interface OpenTurn {
  seq: number;
  startedAt: number;
  /** The end of the caller's last word; null while the caller speaks. */
  lastWordAt: number | null;
  detectedAt: number;
  /** The first sound of its answer. */
  voicedAt: number | null;
  tool: boolean;
  /** Seq of the turn whose answer it cut. */
  interrupts: number | null;
}

interface Reply {
  seq: number;
  startedAt: number;
  turn: number | null;
  voicedAt: number | null;
}

type Handlers = { [Type in EntryType]?: (entry: EntryOf<Type>) => Episode[] };

export class Turns {
  #turn: OpenTurn | null = null;
  readonly #replies = new Map<string, Reply>();
  /** The caller spoke, and whether that cut a reply is not told yet. */
  #interruption: { seq: number; startedAt: number; turn: number } | null = null;

  /** Seq of the turn under way. */
  get current(): number | null {
    return this.#turn?.seq ?? null;
  }

  get open(): Readonly<OpenTurn> | null {
    return this.#turn;
  }

  apply(entry: Entry): Episode[] {
    const handle = this.#handlers[entry.type] as ((entry: Entry) => Episode[]) | undefined;
    return handle?.(entry) ?? [];
  }

  readonly #handlers: Handlers = {
    'caller.startedSpeaking': ({ seq, at }) => {
      const before = this.#turn?.lastWordAt === null ? [] : this.#endTurn(at, 'unanswered');
      this.#interruption = { seq, startedAt: at, turn: this.#turn?.seq ?? seq };
      const [cut] = before;
      const interrupts = cut?.kind === 'turn' && cut.outcome === 'interrupted' ? cut.seq : null;
      this.#turn ??= newTurn(seq, at, interrupts);
      return before;
    },
    'caller.stoppedSpeaking': ({ at, silenceMs }) => {
      this.#interruption = null;
      if (this.#turn) Object.assign(this.#turn, { lastWordAt: at - silenceMs, detectedAt: at });
      return [];
    },
    'reply.started': ({ seq, at, replyId }) => {
      this.#replies.set(replyId, { seq, startedAt: at, turn: this.current, voicedAt: null });
      return [];
    },
    'reply.voiced': ({ replyId, at }) => this.#voice(replyId, at),
    'reply.finished': ({ replyId, at, status, cause, usage }) => {
      const reply = this.#replies.get(replyId);
      this.#replies.delete(replyId);
      return reply ? [{ kind: 'reply', ...reply, endedAt: at, replyId, status, cause, usage }] : [];
    },
    'reply.played': ({ at }) => this.#endTurn(at, 'answered'),
    'reply.interrupted': ({ at }) => this.#interrupt(at),
    'tool.requested': () => {
      if (this.#turn) this.#turn.tool = true;
      return [];
    },
    'call.ended': ({ at }) => [...this.#endReplies(at), ...this.#endTurn(at, 'unanswered')],
  };

  #voice(replyId: string, at: number): Episode[] {
    const reply = this.#replies.get(replyId);
    if (reply) reply.voicedAt ??= at;
    const turn = this.#turn;
    if (turn === null || turn.lastWordAt === null || turn.voicedAt !== null) return [];
    turn.voicedAt = at;
    const { seq, lastWordAt, detectedAt, tool } = turn;
    return [{ kind: 'answer', seq, startedAt: lastWordAt, endedAt: at, turn: seq, detectedAt, tool }];
  }

  /** Whoever else cuts a reply, as a lost line does, is no caller who interrupts. */
  #interrupt(at: number): Episode[] {
    const by = this.#interruption;
    this.#interruption = null;
    return by ? [{ kind: 'bargeIn', ...by, endedAt: at }] : [];
  }

  /** An answer that was heard in part was an answer: the caller spoke over it. */
  #endTurn(at: number, outcome: 'answered' | 'unanswered'): Episode[] {
    const turn = this.#turn;
    if (turn === null || (outcome === 'answered' && turn.voicedAt === null)) return [];
    this.#turn = null;
    const { seq, startedAt, voicedAt, tool, interrupts } = turn;
    const isCut = outcome === 'unanswered' && voicedAt !== null;
    return [
      {
        kind: 'turn',
        seq,
        startedAt,
        endedAt: at,
        outcome: isCut ? 'interrupted' : outcome,
        tool,
        interrupts,
      },
    ];
  }

  #endReplies(at: number): Episode[] {
    const open = [...this.#replies];
    this.#replies.clear();
    return open.map(([replyId, reply]) => ({
      kind: 'reply',
      ...reply,
      endedAt: at,
      replyId,
      status: 'cancelled',
      cause: 'call.ended',
      usage: null,
    }));
  }
}

const newTurn = (seq: number, at: number, interrupts: number | null): OpenTurn => ({
  seq,
  startedAt: at,
  lastWordAt: null,
  detectedAt: at,
  voicedAt: null,
  tool: false,
  interrupts,
});
