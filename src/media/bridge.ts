/**
 * Owns: the audio path of one call: the caller's frames to the model, the model's replies to the caller.
 * Does not own: sockets and messages (the adapters), when which side is attached (the call chart). Knows nothing of
 * either: a line and an ear are what they can do.
 *
 * Everything happens in the turn of the event loop that brought the audio. No promise, and one timer.
 *
 * Invariants:
 * I4. After `close` no timer, no audio and no listener call is left.
 * I6, I7. `reply-player.ts`
 * I8. `caller-feed.ts`
 * I9. Memory is bounded by `BridgeSettings`, whatever either side sends or does not take.
 */
import type { AgentEar } from './caller-feed.ts';
import { CallerFeed } from './caller-feed.ts';
import { bytesPerMs } from './mulaw.ts';
import type { HeardItem } from './playback-ledger.ts';
import type { QualityFigures } from './quality.ts';
import { QualityMeter } from './quality.ts';
import type { CallerLine, PlaybackListener } from './reply-player.ts';
import { ReplyPlayer } from './reply-player.ts';
import type { BridgeClock, StarvationListener } from './starvation-watch.ts';
import { StarvationWatch } from './starvation-watch.ts';

export interface BridgeSettings {
  /** Caller audio that is kept for the next session. */
  ringMs: number;
  /** Caller audio that goes to the model in one message, at least: a frame waits for the next. Lines read as much at once. */
  appendMs: number;
  /** Reply audio that waits for room on the line, or for a line. */
  replyQueueMs: number;
  /** A line that looks alive and brings nothing for so long is starved. */
  starvedAfterMs: number;
  /** Bytes in the socket towards the carrier or the model above which it is given no more. */
  socketBufferBytes: number;
  /** Reply audio that the line may have left to play. Twilio drops what lies more than ten minutes ahead (31931). */
  lineQueueMs: number;
}

export const defaultBridgeSettings: Readonly<BridgeSettings> = {
  ringMs: 10_000,
  appendMs: 40,
  replyQueueMs: 30_000,
  starvedAfterMs: 1_500,
  socketBufferBytes: 65_536,
  lineQueueMs: 540_000,
};

/** Called from within the method that brought it about; may call the bridge back, `close` included. */
export interface BridgeListener extends PlaybackListener, StarvationListener {
  /**
   * Audio is being lost. `caller`: what no session got falls out of the ring; told once until a session has caught up.
   * `reply`: the line takes too little, an item was cut; told once per item.
   */
  onOverflow(kind: 'caller' | 'reply'): void;
}

export class Bridge {
  readonly #clock: BridgeClock;
  readonly #quality = new QualityMeter();
  readonly #feed: CallerFeed;
  readonly #player: ReplyPlayer;
  readonly #starvation: StarvationWatch;
  #line: CallerLine | null = null;
  #isClosed = false;

  constructor(clock: BridgeClock, listener: BridgeListener, settings: Partial<BridgeSettings> = {}) {
    const { ringMs, appendMs, replyQueueMs, starvedAfterMs, socketBufferBytes, lineQueueMs } = {
      ...defaultBridgeSettings,
      ...settings,
    };
    this.#clock = clock;
    const feedBounds = {
      ringBytes: ringMs * bytesPerMs,
      earBufferBytes: socketBufferBytes,
      appendBytes: appendMs * bytesPerMs,
    };
    this.#feed = new CallerFeed(feedBounds, this.#quality, () => listener.onOverflow('caller'));
    const bounds = {
      replyQueueBytes: replyQueueMs * bytesPerMs,
      lineBufferBytes: socketBufferBytes,
      lineQueueMs,
    };
    this.#player = new ReplyPlayer(clock, bounds, this.#quality, listener, () =>
      listener.onOverflow('reply'),
    );
    this.#starvation = new StarvationWatch(clock, starvedAfterMs, listener);
  }

  /** Replaces the line, as `detachLine` first would. Replies that waited for one begin to be heard. */
  attachLine(line: CallerLine): void {
    if (this.#isClosed) return;
    this.detachLine();
    this.#line = line;
    this.#quality.arrivals.restart();
    this.#player.attachLine(line);
  }

  /** What the caller says is handed on from now on: before that, the silence of a line means nothing. */
  lineOpened(): void {
    if (this.#line === null) return;
    this.#starvation.stop();
    this.#starvation.start();
  }

  /**
   * The line is gone. What was heard stays known to `heardItems` until `interrupt`; the rest of what was begun is
   * given up, its reply's late audio included, and never counts as played.
   */
  detachLine(): void {
    if (this.#line === null) return;
    this.#line = null;
    this.#starvation.stop();
    this.#feed.flush();
    this.#player.detachLine();
  }

  /**
   * Replaces the ear, which gets nothing more. The new one gets the caller's audio from the last answered position on,
   * then live.
   */
  attachEar(ear: AgentEar): void {
    if (!this.#isClosed) this.#feed.attachEar(ear);
  }

  detachEar(): void {
    this.#feed.detachEar();
  }

  /** A frame from the line, which is copied. `timestampMs`: when it begins, by the carrier's clock. Ignored without a line. */
  callerAudio(audio: Uint8Array, timestampMs: number): void {
    if (this.#line === null) return;
    const nowMs = this.#clock.monotonic();
    this.#feed.append(audio);
    this.#quality.arrivals.note(nowMs, timestampMs, audio.length);
    this.#player.drain();
    this.#starvation.frameArrived(nowMs);
  }

  /** The line has gathered frames by itself: what came of them waits for no more. */
  callerAudioGathered(): void {
    if (this.#line !== null) this.#feed.flush();
  }

  /** What the caller said on a line that had ended before any of it could be handed on. */
  lateCallerAudio(audio: Uint8Array): void {
    if (this.#isClosed) return;
    this.#feed.append(audio);
    this.#feed.flush();
  }

  /** Bytes of caller audio since the bridge was made. */
  get callerPosition(): number {
    return this.#feed.position;
  }

  /**
   * The caller position at which the attached ear has counted `audioMs` of audio since it was attached. Where a turn
   * ended is asked here: `callerPosition` has gone on until the word of it comes, and may lie within the next turn.
   */
  callerPositionAt(audioMs: number): number {
    return this.#feed.positionAt(audioMs);
  }

  /** The caller's words before `position` have a transcript or an answer: no other ear needs to hear them. */
  answeredUpTo(position: number): void {
    this.#feed.answeredUpTo(position);
  }

  /** Audio from the model. Empty audio and what must not be heard any more is dropped. */
  replyAudio(replyId: string, itemId: string, audio: Buffer): void {
    if (!this.#isClosed) this.#player.play(replyId, itemId, audio);
  }

  /** All audio of the item has come. */
  replyItemEnded(itemId: string): void {
    this.#player.endItem(itemId);
  }

  /** All audio of the reply has come. To be called once per reply, also when its session is lost. */
  replyEnded(replyId: string): void {
    if (!this.#isClosed) this.#player.endReply(replyId);
  }

  /** The line echoed a mark. */
  markEchoed(name: string): void {
    this.#player.acknowledge(name);
  }

  /**
   * Silences the agent: flushes the line and what waits for it, and drops the late audio of every reply that has not
   * ended.
   *
   * @param comingReplyId a reply that the model has begun and that may have no audio here yet
   * @returns what was heard of each item not played to its end. The listener is not told the same again
   */
  interrupt(comingReplyId?: string): HeardItem[] {
    return this.#player.interrupt(comingReplyId);
  }

  /** Fills a silence until the next piece of a reply. Nothing happens where the caller may still hear one, or no line. */
  playHoldingSound(): void {
    this.#player.playHoldingSound();
  }

  /** What was heard so far of each item not played to its end, oldest first. */
  heardItems(): HeardItem[] {
    return this.#player.heardItems();
  }

  quality(): QualityFigures {
    return this.#quality.figures(this.#player.playbackQueueMs, this.#feed.heldBytes + this.#player.heldBytes);
  }

  close(): void {
    this.#isClosed = true;
    this.#line = null;
    this.#starvation.stop();
    this.#feed.close();
    this.#player.close();
  }
}
