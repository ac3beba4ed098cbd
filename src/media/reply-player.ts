/**
 * Owns: reply audio on its way to the caller: pieces, marks, waiting for room, flushing; and the holding sound, which
 * gives way to it.
 * Does not own: what was heard (`playback-ledger.ts`), which reply should be heard (the call chart).
 *
 * The line plays in order and in real time whatever it was given at once; it says by marks how far it has come. A mark
 * follows at least every 200 ms of an item's audio, at the item's end, and where the line has run dry before that.
 *
 * The holding sound is no reply: it has no mark, and nothing is told of it. What is left of it is flushed before the
 * next piece of a reply. A flush throws back all marks that are out, as if they had been played: so the sound is only
 * begun when the line has none left to play, and never flushed while there is one.
 *
 * Invariants:
 * I6. See `playback-ledger.ts`; the marks that it relies on are at most 200 ms of audio apart.
 * I7. After `interrupt` returns, no audio that came before it reaches the line.
 * I9. A line that takes no more is given no more; what waits is bounded, and an item for which there is no room is cut
 *     there: what the caller hears of it has no hole.
 */
import { holdingSound } from './holding-sound.ts';
import { bytesPerMs } from './mulaw.ts';
import type { Heard, HeardItem, PlaybackItem, PlaybackReply } from './playback-ledger.ts';
import { heardOf, PlaybackLedger } from './playback-ledger.ts';
import { PlayoutSchedule } from './playout-schedule.ts';
import type { QualityMeter } from './quality.ts';
import { ReplyQueue } from './reply-queue.ts';

/** The carrier's stream. */
export interface CallerLine {
  /** Mu-law audio, to be played after what was sent before. A view: must be encoded or copied before this returns. */
  sendAudio(audio: Buffer): void;
  /** The line echoes the name once everything sent before was played, or flushed by `clear`. */
  sendMark(name: string): void;
  /** Throws away what was sent and not played yet. */
  clear(): void;
  /** Bytes that were sent and have not left this process. */
  bufferedBytes(): number;
}

export interface PlaybackListener {
  /** The first audio of the reply went to the line. */
  onVoiced(replyId: string, itemId: string): void;
  /** Once a second while the item is played, and when it was played to its end. */
  onProgressed(itemId: string, heard: Heard): void;
  /** What was kept of the item was played to its end: for the rest of it there was no room. */
  onCutShort(itemId: string, playedMs: number): void;
  /** The reply has ended and everything of it that went to the line was played. Never for an interrupted reply. */
  onPlayed(replyId: string): void;
  /** A mark was echoed so long after the audio before it should have been played. */
  onRoundTrip(ms: number): void;
}

export interface PlayerBounds {
  /** Audio that may wait for room on the line. */
  replyQueueBytes: number;
  /** The line has room while it buffers less than this. */
  lineBufferBytes: number;
  /** And while it should have less than this left to play. */
  lineQueueMs: number;
}

const markEveryBytes = 200 * bytesPerMs;

/** A second, less what the echo that completes it may be early: else every late echo would add a mark's distance. */
const progressEveryMs = 900;

export class ReplyPlayer {
  readonly #clock: { monotonic(): number };
  readonly #bounds: PlayerBounds;
  readonly #quality: QualityMeter;
  readonly #listener: PlaybackListener;
  readonly #onCut: () => void;
  readonly #ledger = new PlaybackLedger();
  readonly #queue: ReplyQueue;
  readonly #schedule = new PlayoutSchedule();
  /** When the line should have played the holding sound; null where none may be left of it. */
  #holdingUntilMs: number | null = null;
  #line: CallerLine | null = null;
  #lastSent: PlaybackItem | null = null;
  /** When progress was last told, or a reply began. */
  #lastProgressMs = 0;

  /** @param onCut called when an item is cut for want of room, once per item */
  constructor(
    clock: { monotonic(): number },
    bounds: PlayerBounds,
    quality: QualityMeter,
    listener: PlaybackListener,
    onCut: () => void,
  ) {
    this.#clock = clock;
    this.#bounds = bounds;
    this.#quality = quality;
    this.#listener = listener;
    this.#onCut = onCut;
    this.#queue = new ReplyQueue(bounds.replyQueueBytes);
  }

  get heldBytes(): number {
    return this.#queue.heldBytes;
  }

  /** Audio on the line that should not have been played yet. */
  get playbackQueueMs(): number {
    return this.#schedule.queueMs(this.#clock.monotonic());
  }

  attachLine(line: CallerLine): void {
    this.#line = line;
    this.drain();
  }

  /** What was begun and not heard to the end is given up. */
  detachLine(): void {
    this.#line = null;
    this.#holdingUntilMs = null;
    this.#schedule.reset();
    this.#lastSent = null;
    this.#queue.clear();
    this.#ledger.strand();
  }

  play(replyId: string, itemId: string, audio: Buffer): void {
    if (audio.length === 0) return;
    this.drain();
    const item = this.#ledger.receive(replyId, itemId, audio.length);
    if (item === null) {
      this.#quality.lateAgentBytes += audio.length;
      return;
    }
    const sentBytes = this.#queue.nextItem === null ? this.#sendWhileRoom(item, audio) : 0;
    if (sentBytes < audio.length) this.#keep(item, audio.subarray(sentBytes));
  }

  endItem(itemId: string): void {
    const item = this.#ledger.endItem(itemId);
    if (item !== null) this.#concludeSending(item);
  }

  endReply(replyId: string): void {
    const reply = this.#ledger.endReply(replyId);
    if (reply === null) return;
    for (const item of this.#ledger.openItemsOf(reply)) this.endItem(item.itemId);
    this.#concludeReply(reply);
  }

  acknowledge(markName: string): void {
    const item = this.#ledger.acknowledge(markName);
    if (item === null) {
      this.#quality.marksIgnored++;
      return;
    }
    const nowMs = this.#clock.monotonic();
    const playedAtMs = item.dueMs + item.playedBytes / bytesPerMs;
    const roundTripMs = Math.max(0, nowMs - playedAtMs);
    this.#quality.roundTrips.record(roundTripMs);
    this.#listener.onRoundTrip(roundTripMs);
    if (!this.#concludeItem(item)) this.#reportProgress(item, nowMs);
    this.drain();
  }

  /** Sends what waits, as far as there is room. To be called again and again while the line is there. */
  drain(): void {
    for (let item = this.#queue.nextItem; item !== null && this.#hasRoom(); item = this.#queue.nextItem) {
      this.#send(item, this.#queue.take(markEveryBytes - (item.sentBytes - item.markedBytes)));
    }
    this.#markWhatRanDry();
  }

  /** The model may have gone silent for good in the middle of an item: what was heard of it is then known to the end. */
  #markWhatRanDry(): void {
    const item = this.#lastSent;
    if (item === null || this.#line === null || item.markedBytes === item.sentBytes) return;
    if (this.#schedule.dryMs(this.#clock.monotonic()) > 0) this.#mark(item, this.#line);
  }

  /** Flushes the line and everything that waits for it. @returns what was heard of the items not played to the end */
  interrupt(comingReplyId?: string): HeardItem[] {
    const heardItems = this.#ledger.settle();
    if (comingReplyId !== undefined) this.#ledger.refuse(comingReplyId);
    this.#queue.clear();
    this.#lastSent = null;
    this.#holdingUntilMs = null;
    this.#schedule.reset();
    this.#line?.clear();
    return heardItems;
  }

  /** Nothing happens where there is no line, or where the line may still have something to play. */
  playHoldingSound(): void {
    const line = this.#line;
    if (line === null || !this.#hasRoom() || !this.#isSilent()) return;
    // Behind the sound, the mark would tell too late that the reply before it was played.
    if (this.#lastSent !== null) this.#mark(this.#lastSent, line);
    if (line !== this.#line) return;
    this.#holdingUntilMs = this.#clock.monotonic() + holdingSound.length / bytesPerMs;
    this.#quality.holdingSounds++;
    line.sendAudio(holdingSound);
  }

  heardItems(): HeardItem[] {
    return this.#ledger.heardItems();
  }

  close(): void {
    this.#line = null;
    this.#holdingUntilMs = null;
    this.#schedule.reset();
    this.#lastSent = null;
    this.#queue.clear();
    this.#ledger.clear();
  }

  #hasRoom(): boolean {
    return (
      this.#line !== null &&
      this.#line.bufferedBytes() < this.#bounds.lineBufferBytes &&
      this.playbackQueueMs < this.#bounds.lineQueueMs
    );
  }

  /** By schedule and by marks: a late line may still play what the schedule has behind it. */
  #isSilent(): boolean {
    return (
      this.#queue.nextItem === null &&
      this.playbackQueueMs === 0 &&
      this.#holdingLeftMs() === 0 &&
      !this.#ledger.awaitsMarks
    );
  }

  #holdingLeftMs(): number {
    return this.#holdingUntilMs === null ? 0 : Math.max(0, this.#holdingUntilMs - this.#clock.monotonic());
  }

  #endHoldingSound(line: CallerLine): void {
    const leftMs = this.#holdingLeftMs();
    this.#holdingUntilMs = null;
    if (leftMs > 0 && !this.#ledger.awaitsMarks) line.clear();
  }

  /** @returns the bytes sent */
  #sendWhileRoom(item: PlaybackItem, audio: Buffer): number {
    let sentBytes = 0;
    while (sentBytes < audio.length && !item.cut && this.#hasRoom()) {
      const untilMark = markEveryBytes - (item.sentBytes - item.markedBytes);
      const piece = audio.subarray(sentBytes, sentBytes + untilMark);
      item.acceptedBytes += piece.length;
      sentBytes += piece.length;
      this.#send(item, piece);
    }
    return sentBytes;
  }

  #keep(item: PlaybackItem, audio: Buffer): void {
    const keptBytes = item.cut ? 0 : this.#queue.push(item, audio);
    item.acceptedBytes += keptBytes;
    if (keptBytes === audio.length) return;
    this.#quality.cutAgentBytes += audio.length - keptBytes;
    if (item.cut) return;
    item.cut = true;
    this.#quality.agentOverflows++;
    this.#onCut();
  }

  #send(item: PlaybackItem, piece: Buffer): void {
    const line = this.#line;
    if (line === null) return;
    if (this.#holdingUntilMs !== null) this.#endHoldingSound(line);
    if (this.#lastSent !== item) this.#turnTo(item, line);
    this.#noteSent(item, piece);
    line.sendAudio(piece);
    this.#noteVoice(item);
    const unmarkedBytes = item.sentBytes - item.markedBytes;
    if (unmarkedBytes >= markEveryBytes || isSent(item)) this.#mark(item, line);
  }

  #noteVoice({ reply, itemId }: PlaybackItem): void {
    if (reply.voiced || reply.closed) return;
    reply.voiced = true;
    this.#lastProgressMs = this.#clock.monotonic();
    this.#listener.onVoiced(reply.replyId, itemId);
  }

  /** Another item's audio follows: what was sent of the last one gets its mark first. */
  #turnTo(item: PlaybackItem, line: CallerLine): void {
    if (this.#lastSent !== null) this.#mark(this.#lastSent, line);
    this.#lastSent = item;
  }

  /** Nothing is marked twice, nor after the line was changed or flushed meanwhile. */
  #mark(item: PlaybackItem, line: CallerLine): void {
    if (line !== this.#line || this.#lastSent !== item || item.markedBytes === item.sentBytes) return;
    this.#quality.marksSent++;
    line.sendMark(this.#ledger.mark(item));
  }

  #noteSent(item: PlaybackItem, piece: Buffer): void {
    const quality = this.#quality;
    const nowMs = this.#clock.monotonic();
    const dryMs = item.reply.voiced ? this.#schedule.dryMs(nowMs) : 0;
    if (dryMs > 0) {
      quality.underruns++;
      quality.underrunMs += dryMs;
    }
    item.dueMs = this.#schedule.add(nowMs, piece.length) - item.sentBytes / bytesPerMs;
    item.sentBytes += piece.length;
    quality.agentFrames++;
    quality.agentBytes += piece.length;
    quality.agentLevel.addFrom(piece);
  }

  /** All audio of the item has come. */
  #concludeSending(item: PlaybackItem): void {
    if (this.#line !== null && isSent(item)) this.#mark(item, this.#line);
    this.#concludeItem(item);
  }

  /** @returns whether the item was played to its end */
  #concludeItem(item: PlaybackItem): boolean {
    if (!this.#ledger.releaseItem(item)) return false;
    this.#lastProgressMs = this.#clock.monotonic();
    const heard = heardOf(item);
    this.#listener.onProgressed(item.itemId, heard);
    if (item.cut && !item.reply.closed) this.#listener.onCutShort(item.itemId, heard.playedMs);
    this.#concludeReply(item.reply);
    return true;
  }

  #concludeReply(reply: PlaybackReply): void {
    if (this.#ledger.releaseReply(reply)) this.#listener.onPlayed(reply.replyId);
  }

  #reportProgress(item: PlaybackItem, nowMs: number): void {
    if (nowMs - this.#lastProgressMs < progressEveryMs) return;
    this.#lastProgressMs = nowMs;
    this.#listener.onProgressed(item.itemId, heardOf(item));
  }
}

const isSent = (item: PlaybackItem): boolean => item.ended && item.sentBytes === item.acceptedBytes;
