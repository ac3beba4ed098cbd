/**
 * Owns: the truth about playback. Per item of a reply: what came from the model, what went to the line, what the
 * caller heard by the line's own marks, and which replies may not be heard any more.
 * Does not own: the sending (`reply-player.ts`), the wording of what was heard.
 *
 * A mark's name says which item it belongs to, by a number that is never used twice, and how many of the item's bytes
 * lie before it. So nothing is kept per mark, and the echo of a mark from before a flush names an item that is gone.
 *
 * Invariants:
 * I6. `playedBytes` only follows echoed marks, never a clock, and never exceeds what was sent.
 * I7. A reply that was interrupted admits no more audio until it has ended.
 * I9. At most `mostOpen` items, replies and interrupted replies are kept; the oldest gives way. Items leave when they
 *     were played to the end.
 */
import { bytesPerMs } from './mulaw.ts';

/** More than the longest conversation can leave open at once: only a line that echoes no marks comes near. */
const mostOpen = 64;

const markName = /^(\d+):(\d+)$/;

/** What the caller heard of an item, in whole milliseconds, rounded down. */
export interface Heard {
  /** What the model has sent. */
  receivedMs: number;
  /** What the line says it has played; at most `receivedMs`. */
  playedMs: number;
}

export interface HeardItem extends Heard {
  replyId: string;
  itemId: string;
}

export interface PlaybackReply {
  readonly replyId: string;
  /** The model has sent all of it. */
  ended: boolean;
  /** Some of it went to the line. */
  voiced: boolean;
  /** Items that were not played to the end. */
  openItems: number;
  /** Nothing more is told of it: it was played to its end, interrupted or given up. */
  closed: boolean;
}

export interface PlaybackItem {
  readonly reply: PlaybackReply;
  readonly itemId: string;
  readonly serial: number;
  /** From the model, whatever became of it. */
  receivedBytes: number;
  /** Went to the line or waits for it. */
  acceptedBytes: number;
  sentBytes: number;
  /** Covered by a mark that was sent. */
  markedBytes: number;
  playedBytes: number;
  /** The model has sent all of it. */
  ended: boolean;
  /** No more of it may go to the line: a queue overflowed, the line was lost, or the caller interrupted. */
  cut: boolean;
  /** The line was lost: marks say nothing any more. */
  stranded: boolean;
  /** When the line should begin to play it, so that the end of byte n is due at `dueMs + n / bytesPerMs`. */
  dueMs: number;
}

export const heardOf = (item: PlaybackItem): Heard => ({
  receivedMs: Math.floor(item.receivedBytes / bytesPerMs),
  playedMs: Math.floor(item.playedBytes / bytesPerMs),
});

const heardItemOf = (item: PlaybackItem): HeardItem => ({
  replyId: item.reply.replyId,
  itemId: item.itemId,
  ...heardOf(item),
});

const isPlayed = (item: PlaybackItem): boolean =>
  item.ended && !item.stranded && item.playedBytes === item.acceptedBytes;

export class PlaybackLedger {
  /** Not played to the end; oldest first. */
  readonly #items = new Map<string, PlaybackItem>();
  readonly #replies = new Map<string, PlaybackReply>();
  readonly #interrupted = new Set<string>();
  #lastSerial = 0;

  /**
   * Notes audio from the model.
   *
   * @returns the item it belongs to, or null where it must not be heard: its reply was interrupted, or its item is
   *   another reply's
   */
  receive(replyId: string, itemId: string, bytes: number): PlaybackItem | null {
    if (this.#interrupted.has(replyId)) return null;
    const item = this.#items.get(itemId) ?? this.#openItem(replyId, itemId);
    if (item.reply.replyId !== replyId) return null;
    item.receivedBytes += bytes;
    return item;
  }

  /** The name of a mark behind everything that was sent of the item. */
  mark(item: PlaybackItem): string {
    item.markedBytes = item.sentBytes;
    return `${item.serial}:${item.markedBytes}`;
  }

  /** @returns the item that was played further, or null where the mark says nothing (any more) */
  acknowledge(name: string): PlaybackItem | null {
    const [, serial, bytesBefore] = markName.exec(name) ?? [];
    const item = this.#itemWithSerial(Number(serial));
    const bytes = Number(bytesBefore);
    if (item === undefined || item.stranded) return null;
    if (bytes <= item.playedBytes || bytes > item.markedBytes) return null;
    item.playedBytes = bytes;
    return item;
  }

  /** The line has not said yet that it played everything behind which there is a mark. */
  get awaitsMarks(): boolean {
    for (const { stranded, playedBytes, markedBytes } of this.#items.values()) {
      if (!stranded && playedBytes < markedBytes) return true;
    }
    return false;
  }

  /** @returns the item, or null where none of its audio is open */
  endItem(itemId: string): PlaybackItem | null {
    const item = this.#items.get(itemId);
    if (item === undefined) return null;
    item.ended = true;
    return item;
  }

  /**
   * Lets go of the item if it was played to the end.
   *
   * @returns whether it was
   */
  releaseItem(item: PlaybackItem): boolean {
    if (!isPlayed(item) || this.#items.get(item.itemId) !== item) return false;
    this.#items.delete(item.itemId);
    item.reply.openItems--;
    return true;
  }

  /** @returns the reply, or null where it was interrupted */
  endReply(replyId: string): PlaybackReply | null {
    const reply = this.#replies.get(replyId) ?? newReply(replyId);
    reply.ended = true;
    return this.#interrupted.delete(replyId) ? null : reply;
  }

  /** The reply's items that were not played to the end, oldest first. */
  openItemsOf(reply: PlaybackReply): PlaybackItem[] {
    return [...this.#items.values()].filter((item) => item.reply === reply);
  }

  /**
   * Lets go of the reply if it ended and all of it was played.
   *
   * @returns whether it was, and nobody knew yet
   */
  releaseReply(reply: PlaybackReply): boolean {
    if (reply.closed || !reply.ended || reply.openItems > 0) return false;
    reply.closed = true;
    this.#replies.delete(reply.replyId);
    return true;
  }

  /** The items that were not played to the end, oldest first. */
  heardItems(): HeardItem[] {
    return [...this.#items.values()].map(heardItemOf);
  }

  /** The line is lost: what was heard stays known, the rest of what was begun will not be heard. */
  strand(): void {
    for (const item of this.#items.values()) {
      item.stranded = true;
      item.cut = true;
      this.#giveUp(item.reply);
    }
  }

  /** The line was flushed: nothing of what was begun will be heard further. @returns what was heard of it */
  settle(): HeardItem[] {
    const heardItems = this.heardItems();
    for (const item of this.#items.values()) item.cut = true;
    for (const reply of this.#replies.values()) this.#giveUp(reply);
    this.#items.clear();
    this.#replies.clear();
    return heardItems;
  }

  /** Admits no audio of the reply until it has ended. */
  refuse(replyId: string): void {
    if (this.#interrupted.has(replyId)) return;
    if (this.#interrupted.size >= mostOpen) dropOldest(this.#interrupted);
    this.#interrupted.add(replyId);
  }

  clear(): void {
    this.settle();
    this.#interrupted.clear();
  }

  #giveUp(reply: PlaybackReply): void {
    reply.closed = true;
    if (!reply.ended) this.refuse(reply.replyId);
  }

  /** The mark that comes back is nearly always the oldest item's. */
  #itemWithSerial(serial: number): PlaybackItem | undefined {
    for (const item of this.#items.values()) if (item.serial === serial) return item;
    return undefined;
  }

  #openItem(replyId: string, itemId: string): PlaybackItem {
    if (this.#items.size >= mostOpen) dropOldest(this.#items);
    const reply = this.#replies.get(replyId) ?? this.#openReply(replyId);
    reply.openItems++;
    const item: PlaybackItem = {
      reply,
      itemId,
      serial: ++this.#lastSerial,
      receivedBytes: 0,
      acceptedBytes: 0,
      sentBytes: 0,
      markedBytes: 0,
      playedBytes: 0,
      ended: false,
      cut: false,
      stranded: false,
      dueMs: 0,
    };
    this.#items.set(itemId, item);
    return item;
  }

  #openReply(replyId: string): PlaybackReply {
    if (this.#replies.size >= mostOpen) this.#giveUpOldestReply();
    const reply = newReply(replyId);
    this.#replies.set(replyId, reply);
    return reply;
  }

  /** Without its record a later flush would miss it: so nothing more of it may be heard. */
  #giveUpOldestReply(): void {
    for (const reply of this.#replies.values()) {
      this.#replies.delete(reply.replyId);
      this.#giveUp(reply);
      return;
    }
  }
}

function newReply(replyId: string): PlaybackReply {
  return { replyId, ended: false, voiced: false, openItems: 0, closed: false };
}

function dropOldest(kept: Map<string, unknown> | Set<string>): void {
  for (const key of kept.keys()) {
    kept.delete(key);
    return;
  }
}
