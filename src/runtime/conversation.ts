/**
 * Owns: what was said and heard in a call, as a fold of its entries and payloads: the transcript, and the history
 * that a new model session is seeded with.
 * Does not own: the wire form of that history (`src/adapters/openai`).
 *
 * Invariants:
 * H1. An agent's line holds only what the caller heard: a line that was cut ends at a word boundary, rounded down. It is
 *     whole once some of it was played and its reply was finished and played, in either order; unless there was no room for
 *     all of it.
 * H3. Every item of a reply has a line of its own from the first that is told of it: its words, its sound or its progress.
 *     The words may come first (no line to the caller was open), and of a reply only the first item is told to be voiced.
 * H2. At most `lineLimit` lines are kept, the newest.
 * H4. A turn that was being spoken when its process was lost has a note in its place: what the next process hears of it is
 *     only the rest.
 */
import { isByAnother } from '../machines/call/context.ts';
import type { Entry, EntryOf } from '../machines/entries.ts';
import type { HeardItem } from '../machines/entry-values.ts';
import { heardLine } from './heard-text.ts';
import type { Payload } from './ports/journal.ts';
import type { HistoryItem } from './ports/model.ts';
import { memoryOf, type Remembered } from './remembered.ts';

export const lineLimit = 400;

/** One line of the transcript. `text` null: not known (yet), or erased. */
export type ConversationLine =
  | {
      kind: 'caller';
      itemId: string;
      at: number;
      text: string | null;
      /** The process that heard it was lost in the middle of it. */
      isCut: boolean;
      /** Its words were told, or that there were none. */
      isTold: boolean;
      /** Whoever heard it is gone, and has not told. */
      isWordless: boolean;
    }
  | {
      kind: 'agent';
      itemId: string;
      replyId: string;
      at: number;
      text: string | null;
      receivedMs: number;
      playedMs: number;
      /** Everything was heard; or it was cut, and `playedMs` says where. */
      heard: 'playing' | 'whole' | 'cut';
      /** Some of it went to the caller: words alone are not heard. */
      isSounded: boolean;
      /** The model had sent all of the reply, and all of it that came was played. */
      isFinished: boolean;
      isPlayed: boolean;
      /** `receivedMs` is all there is of the item, so that text and audio end together. */
      isMeasured: boolean;
      /** How fast this voice speaks, as measured before; for text that runs ahead of its audio. */
      charactersPerMs: number;
    }
  | { kind: 'toolCall'; toolCallId: string; at: number; name: string; arguments: string | null }
  | { kind: 'toolResult'; toolCallId: string; at: number; outcome: string; output: string | null };

/** An ordinary pace, until one was measured. */
const usualCharactersPerMs = 0.015;

/** Shorter items say nothing about the pace. */
const shortestMeasuredMs = 1_000;

export type AgentLine = Extract<ConversationLine, { kind: 'agent' }>;
export type CallerLine = Extract<ConversationLine, { kind: 'caller' }>;

export class Conversation {
  #lines: ConversationLine[] = [];
  #charactersPerMs = usualCharactersPerMs;
  #announcement: string | null = null;
  /** The reply that began last: of the next one nothing is told before it begins. */
  #newestReplyId: string | null = null;
  #owner: string | null = null;
  /** What the caller is saying, until it ends or the agent is heard. */
  #spoken: CallerLine | null = null;
  #isFiltered = false;
  readonly #openSessions = new Set<number>();

  /** The words that an operator last wanted said; null where there were none, or they are erased. */
  get announcement(): string | null {
    return this.#announcement;
  }

  /** A content filter broke off what was to be said last (OpenAI Realtime, `response.done`), and nothing else is by now. */
  get isFiltered(): boolean {
    return this.#isFiltered;
  }

  get lines(): readonly ConversationLine[] {
    return this.#lines;
  }

  apply(entry: Entry, payloads: readonly Payload[]): void {
    const content = (name: string): string | null =>
      payloads.find((payload) => payload.seq === entry.seq && payload.name === name)?.content ?? null;
    const { at } = entry;
    if (entry.type === 'owner.claimed') {
      this.#noteOwner(entry);
    } else if (entry.type === 'model.opened') {
      this.#openSessions.add(entry.generation);
    } else if (entry.type === 'model.closed') {
      this.#openSessions.delete(entry.generation);
      this.#noteSilence();
    } else if (entry.type === 'caller.startedSpeaking') {
      this.#spoken = this.#addCaller(entry.itemId, at);
      this.#isFiltered = false;
    } else if (entry.type === 'caller.stoppedSpeaking') {
      this.#spoken = null;
    } else if (entry.type === 'caller.transcribed') {
      Object.assign(this.#callerLine(entry.itemId, at), { text: content('transcript'), isTold: true });
    } else if (entry.type === 'tool.requested') {
      const { toolCallId, name } = entry;
      this.#add({ kind: 'toolCall', toolCallId, at, name, arguments: content('arguments') });
    } else if (entry.type === 'tool.finished') {
      const { toolCallId, outcome } = entry;
      this.#add({ kind: 'toolResult', toolCallId, at, outcome, output: content('result') });
      this.#isFiltered = false;
    } else if (entry.type === 'announcement.requested') {
      this.#announcement = content('words');
      this.#isFiltered = false;
    } else {
      this.#applyReply(entry, content);
    }
  }

  /**
   * What a new session must know, oldest first. A tool call without a result is still open: the model must not ask for it
   * again. A result goes after its call or not at all.
   *
   * @param untold items of the agent that are left out
   */
  history(untold: ReadonlySet<string> = new Set()): HistoryItem[] {
    return this.memory(untold).map(({ item }) => item);
  }

  /** The history, with the line that each item is of. */
  memory(untold: ReadonlySet<string> = new Set()): Remembered[] {
    return memoryOf(this.#lines, untold);
  }

  /**
   * The items of a reply, and of those that the line may still play before it, of which it is not known yet how much was
   * heard; oldest first.
   */
  playingItemsUpTo(replyId: string): string[] {
    return this.#lines.flatMap((line) =>
      line.kind === 'agent' && line.heard === 'playing' && (line.replyId === replyId || isQueued(line))
        ? [line.itemId]
        : [],
    );
  }

  /** What the caller heard of an item, by what is known now. */
  heardOf(itemId: string): string {
    const line = this.#findAgent(itemId);
    return line ? heardLine(line) : '';
  }

  /** How long the caller listened to those items of a reply whose words are known, milliseconds. */
  heardMsOf(replyId: string): number {
    const heard = this.#linesOf(replyId).filter((line) => heardLine(line) !== '');
    return heard.reduce((sum, { playedMs }) => sum + playedMs, 0);
  }

  #applyReply(entry: Entry, content: (name: string) => string | null): void {
    if (entry.type === 'reply.started') {
      this.#newestReplyId = entry.replyId;
    } else if (entry.type === 'reply.voiced') {
      const { replyId } = entry;
      this.#spoken = null;
      this.#isFiltered = false;
      Object.assign(this.#agentLine(entry.itemId, replyId, entry.at), { replyId, isSounded: true });
    } else if (entry.type === 'reply.transcribed') {
      const line = this.#newestLine(entry.itemId, entry.at);
      if (line) line.text = content('transcript');
    } else if (entry.type === 'reply.progressed') {
      this.#note(entry, 'playing', entry.at);
    } else if (entry.type === 'reply.interrupted') {
      for (const item of entry.items) this.#note(item, 'cut', entry.at);
    } else if (entry.type === 'reply.finished') {
      this.#noteFinished(entry);
    } else if (entry.type === 'reply.played') {
      this.#settle(entry.replyId, { isPlayed: true });
    }
  }

  #noteFinished({ replyId, status, cause, toolCalls }: EntryOf<'reply.finished'>): void {
    // What follows on tools are other words.
    if (cause === 'content_filter' && toolCalls === 0) this.#isFiltered = true;
    // What failed or was cut short may have been written further than it was spoken.
    if (status === 'completed' || status === 'cancelled') this.#settle(replyId, { isFinished: true });
  }

  #linesOf(replyId: string): AgentLine[] {
    return this.#lines.filter((line): line is AgentLine => line.kind === 'agent' && line.replyId === replyId);
  }

  /** A session may stall or end in the middle of a reply: what came of it is played, and is not all that was written. */
  #settle(replyId: string, settled: { isFinished: true } | { isPlayed: true }): void {
    for (const line of this.#linesOf(replyId)) {
      Object.assign(line, settled);
      if (line.isFinished && line.isPlayed && line.isSounded) this.#noteWhole(line);
    }
  }

  #noteWhole(line: AgentLine): void {
    // Played to its end, and more had come than there was room for.
    const isCutShort = line.isMeasured && line.playedMs < line.receivedMs;
    line.heard = isCutShort ? 'cut' : 'whole';
    if (line.text !== null && line.isMeasured && line.receivedMs >= shortestMeasuredMs) {
      this.#charactersPerMs = line.text.length / line.receivedMs;
    }
  }

  #note({ itemId, receivedMs, playedMs }: HeardItem, heard: AgentLine['heard'], at: number): void {
    const line = this.#newestLine(itemId, at);
    if (!line) return;
    const { isFinished: isMeasured } = line;
    const isSounded = line.isSounded || playedMs > 0;
    const charactersPerMs = this.#charactersPerMs;
    Object.assign(line, { receivedMs, playedMs, heard, isSounded, isMeasured, charactersPerMs });
  }

  /** H4. */
  #noteOwner(claim: EntryOf<'owner.claimed'>): void {
    const isCut = isByAnother(this.#owner, claim);
    this.#owner = claim.instance;
    if (!isCut) return;
    if (this.#spoken) this.#spoken.isCut = true;
    this.#spoken = null;
    this.#openSessions.clear();
    this.#noteSilence();
  }

  /** Where another session is open, it may be the one that heard them (H5). */
  #noteSilence(): void {
    if (this.#openSessions.size > 0) return;
    for (const line of this.#lines) if (line.kind === 'caller') line.isWordless = !line.isTold;
  }

  #callerLine(itemId: string, at: number): CallerLine {
    const found = this.#lines.findLast((line) => line.kind === 'caller' && line.itemId === itemId);
    return found?.kind === 'caller' ? found : this.#addCaller(itemId, at);
  }

  #addCaller(itemId: string, at: number): CallerLine {
    const unknown = { text: null, isCut: false, isTold: false, isWordless: false };
    const line: CallerLine = { kind: 'caller', itemId, at, ...unknown };
    this.#add(line);
    return line;
  }

  /** The line of an item; null where it is not known and no reply has begun that it could be of. */
  #newestLine(itemId: string, at: number): AgentLine | null {
    if (this.#newestReplyId === null) return this.#findAgent(itemId) ?? null;
    return this.#agentLine(itemId, this.#newestReplyId, at);
  }

  #agentLine(itemId: string, replyId: string, at: number): AgentLine {
    const found = this.#findAgent(itemId);
    if (found) return found;
    const line: AgentLine = {
      kind: 'agent',
      itemId,
      replyId,
      at,
      text: null,
      receivedMs: 0,
      playedMs: 0,
      heard: 'playing',
      isSounded: false,
      isFinished: false,
      isPlayed: false,
      isMeasured: false,
      charactersPerMs: this.#charactersPerMs,
    };
    this.#add(line);
    return line;
  }

  #findAgent(itemId: string): AgentLine | undefined {
    const found = this.#lines.findLast((line) => line.kind === 'agent' && line.itemId === itemId);
    return found?.kind === 'agent' ? found : undefined;
  }

  #add(line: ConversationLine): void {
    this.#lines.push(line);
    if (this.#lines.length > lineLimit) this.#lines.shift();
  }
}

/** All of it has come, and the line has not told that it was played. */
const isQueued = ({ isFinished, isPlayed }: AgentLine): boolean => isFinished && !isPlayed;

/** The conversation of a whole log. */
export function conversationOf(entries: Iterable<Entry>, payloads: readonly Payload[]): Conversation {
  const bySeq = Map.groupBy(payloads, ({ seq }) => seq);
  const conversation = new Conversation();
  for (const entry of entries) conversation.apply(entry, bySeq.get(entry.seq) ?? []);
  return conversation;
}
