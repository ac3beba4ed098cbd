/**
 * Owns: the caller's audio on its way to the model, and what of it a new session must be given again.
 * Does not own: which of the caller's turns were answered (`answeredUpTo` is told), the line.
 *
 * The ring keeps everything since the last answered position, delivered or not: a half-open socket swallows audio
 * long before anybody notices.
 *
 * A frame waits for the next one: every second message to the model is saved for 20 ms of delay. It waits once: where the
 * line has gathered frames already, whatever came of them goes on.
 *
 * Invariants:
 * I8. An ear gets every byte from the last answered position on, within the ring's bound, once and in order. What waits
 *     for its second frame when the line is gone is given at once.
 * I9. An ear that does not take what it was given is given no more until it does; the ring keeps the rest.
 */
import { bytesPerMs } from './mulaw.ts';
import type { QualityMeter } from './quality.ts';
import { AudioRing, blockBytes } from './ring.ts';

/** The model's session. */
export interface AgentEar {
  /** Mu-law audio, in memory that is used again afterwards. */
  appendAudio(audio: Buffer): void;
  /** Bytes that were appended and have not left this process. */
  bufferedBytes(): number;
}

export interface FeedBounds {
  ringBytes: number;
  /** The ear has room while it buffers less than this. */
  earBufferBytes: number;
  /** Less than this waits for the next frame. */
  appendBytes: number;
}

export class CallerFeed {
  readonly #ring: AudioRing;
  readonly #earBufferBytes: number;
  readonly #appendBytes: number;
  readonly #quality: QualityMeter;
  readonly #onLost: () => void;
  #ear: AgentEar | null = null;
  /** What comes next for the ear. */
  #delivered = 0;
  /** Where the ear's own count of audio began; moved on by what the ring lost in between. */
  #earOrigin = 0;
  #isLosing = false;

  /** @param onLost called when audio that no ear got begins to fall out of the ring, once until an ear has caught up */
  constructor(bounds: FeedBounds, quality: QualityMeter, onLost: () => void) {
    this.#ring = new AudioRing(bounds.ringBytes);
    this.#earBufferBytes = bounds.earBufferBytes;
    this.#appendBytes = bounds.appendBytes;
    this.#quality = quality;
    this.#onLost = onLost;
  }

  /** Bytes of caller audio so far. */
  get position(): number {
    return this.#ring.end;
  }

  get heldBytes(): number {
    return this.#ring.heldBytes;
  }

  /**
   * The position at which the ear's session has counted `audioMs` of audio (OpenAI Realtime, `audio_end_ms`), whatever
   * has come since. No count reaches beyond what the ear was given.
   */
  positionAt(audioMs: number): number {
    return Math.min(this.#earOrigin + Math.floor(audioMs * bytesPerMs), this.#delivered);
  }

  /** Gives the ear what is not answered yet, then everything that comes. Not again to the one that is attached. */
  attachEar(ear: AgentEar): void {
    if (ear === this.#ear) return;
    this.#ear = ear;
    this.#delivered = this.#ring.start;
    this.#earOrigin = this.#ring.start;
    this.#catchUp();
  }

  detachEar(): void {
    this.#ear = null;
  }

  append(audio: Uint8Array): void {
    this.#ring.append(audio);
    this.#quality.callerLevel.addFrom(audio);
    if (this.#ring.end - this.#delivered >= this.#appendBytes) this.#catchUp();
  }

  /** No frame follows for now: nothing waits any longer. */
  flush(): void {
    this.#catchUp();
  }

  /** Nobody will ask again for the audio before `position`. */
  answeredUpTo(position: number): void {
    this.#ring.forgetBefore(position);
    this.#skipTo(this.#ring.start);
  }

  close(): void {
    this.#ear = null;
    this.#ring.clear();
  }

  #earHasRoom(): boolean {
    return this.#ear !== null && this.#ear.bufferedBytes() < this.#earBufferBytes;
  }

  #catchUp(): void {
    this.#noteLoss();
    while (this.#delivered < this.#ring.end && this.#earHasRoom()) {
      const piece = this.#ring.readFrom(this.#delivered, blockBytes);
      this.#delivered += piece.length;
      this.#ear?.appendAudio(piece);
    }
    if (this.#delivered === this.#ring.end) this.#isLosing = false;
  }

  #noteLoss(): void {
    const lostBytes = this.#ring.start - this.#delivered;
    if (lostBytes <= 0) return;
    this.#skipTo(this.#ring.start);
    this.#quality.lostCallerBytes += lostBytes;
    if (this.#isLosing) return;
    this.#isLosing = true;
    this.#quality.callerOverflows++;
    this.#onLost();
  }

  #skipTo(position: number): void {
    if (position <= this.#delivered) return;
    this.#earOrigin += position - this.#delivered;
    this.#delivered = position;
  }
}
