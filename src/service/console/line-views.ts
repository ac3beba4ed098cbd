/**
 * Owns: who said what in a call, what of it was heard and where it was cut; tools and the operator's announcements.
 * Does not own: how much of a text was heard (`src/runtime/conversation.ts`).
 *
 * Invariants:
 * W1. Which rows there are and what they refer to follows from the entries alone: an erasure takes the words and nothing
 *     else.
 */
import type { Entry, EntryOf, EntryType } from '../../machines/entries.ts';
import { Conversation } from '../../runtime/conversation.ts';
import type { Payload } from '../../runtime/ports/journal.ts';
import type { LineView } from '../../runtime/ports/operator.ts';
import { Tracked } from './tracked.ts';

type Content = (name: string) => string | null;
type Handlers = { [Type in EntryType]?: (entry: EntryOf<Type>, content: Content) => void };
type Progress = { itemId: string; receivedMs: number; playedMs: number };

const agentId = (itemId: string): string => `agent:${itemId}`;
const callerId = (itemId: string): string => `caller:${itemId}`;
const toolId = (toolCallId: string): string => `tool:${toolCallId}`;

export class LineViews {
  readonly #lines = new Tracked<string, LineView>();
  #conversation = new Conversation();
  /** Items that were heard to their end. */
  readonly #whole = new Set<string>();

  apply(entry: Entry, payloads: readonly Payload[]): void {
    this.#conversation.apply(entry, payloads);
    const handle = this.#handlers[entry.type] as ((entry: Entry, content: Content) => void) | undefined;
    handle?.(entry, (name) => payloads.find((payload) => payload.name === name)?.content ?? null);
  }

  linesAfter(seq: number): LineView[] {
    return this.#lines.changedAfter(seq);
  }

  erase(seq: number): void {
    this.#conversation = new Conversation();
    this.#lines.changeAll(seq, erased);
  }

  readonly #handlers: Handlers = {
    'caller.startedSpeaking': (entry) => this.#begin(callerId(entry.itemId), 'caller', entry),
    'caller.transcribed': (entry, content) => {
      const id = callerId(entry.itemId);
      this.#begin(id, 'caller', entry);
      if (entry.transcript !== null) this.#write(id, entry, content('transcript'));
    },
    'reply.voiced': (entry) => this.#begin(agentId(entry.itemId), 'agent', entry),
    'reply.transcribed': (entry, content) => {
      const id = agentId(entry.itemId);
      this.#begin(id, 'agent', entry);
      this.#write(id, entry, content('transcript'));
      const known = this.#lines.get(id)?.heard.at(-1);
      if (known) this.#hear({ itemId: entry.itemId, ...known }, entry.seq);
    },
    'reply.progressed': (entry) => this.#hear(entry, entry.seq),
    'reply.interrupted': ({ items, seq }) => {
      for (const item of items) {
        this.#hear(item, seq);
        this.#change(agentId(item.itemId), seq, (line) => ({ ...line, cutSeq: seq }));
      }
    },
    'reply.finished': ({ replyId, seq }) => this.#settle(replyId, seq),
    'reply.played': ({ replyId, seq }) => this.#settle(replyId, seq),
    'announcement.requested': (entry, content) => {
      const id = `operator:${entry.seq}`;
      this.#begin(id, 'operator', entry);
      this.#write(id, entry, content('words'));
    },
    'tool.requested': (entry, content) => {
      const id = toolId(entry.toolCallId);
      this.#begin(id, 'tool', entry);
      const given = content('arguments');
      this.#write(id, entry, given === null ? null : `${entry.name} ${given}`);
    },
    'tool.finished': ({ toolCallId, outcome, seq }, content) =>
      this.#change(toolId(toolCallId), seq, (line) => ({
        ...line,
        outcome: { seq, outcome, text: content('result') },
      })),
  };

  #begin(id: string, who: LineView['who'], { seq, at }: Entry): void {
    if (this.#lines.get(id)) return;
    const nothing = { text: null, textSeq: null, erased: false, heard: [], cutSeq: null, outcome: null };
    this.#lines.set(id, { id, who, seq, at, ...nothing }, seq);
  }

  #change(id: string, seq: number, change: (line: LineView) => LineView): void {
    const line = this.#lines.get(id);
    if (line) this.#lines.set(id, change(line), seq);
  }

  /** What was written down once and is not there was erased. */
  #write(id: string, { seq }: Entry, text: string | null): void {
    this.#change(id, seq, (line) => ({ ...line, text, textSeq: seq, erased: text === null }));
  }

  #hear({ itemId, receivedMs, playedMs }: Progress, seq: number): void {
    const text = this.#conversation.heardOf(itemId);
    this.#change(agentId(itemId), seq, (line) => ({
      ...line,
      heard: [...line.heard, { seq, receivedMs, playedMs, text }],
    }));
  }

  /** The last word on what was heard comes with the end of the reply and of its playing, whichever is later. */
  #settle(replyId: string, seq: number): void {
    for (const line of this.#conversation.lines) {
      if (line.kind !== 'agent' || line.replyId !== replyId || line.heard !== 'whole') continue;
      const { itemId, receivedMs, playedMs } = line;
      if (this.#whole.has(itemId)) continue;
      this.#whole.add(itemId);
      this.#hear({ itemId, receivedMs, playedMs }, seq);
    }
  }
}

function erased(line: LineView): LineView {
  if (line.textSeq === null && line.outcome === null) return line;
  return {
    ...line,
    text: null,
    erased: line.textSeq !== null,
    heard: line.heard.map((heard) => ({ ...heard, text: '' })),
    outcome: line.outcome && { ...line.outcome, text: null },
  };
}
