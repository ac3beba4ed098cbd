/**
 * Owns: the line of an answered call, a frame at a time: it brings what the caller says to the stream and what the
 * stream, or Twilio itself, plays to the caller, and records both.
 * Does not own: the timer (`ticker.ts`), the caller (`../caller`), the stream (`stream/media-stream.ts`).
 *
 * Invariants:
 * N1. Frames are dense from the answer on: a late tick makes up for those it missed, each with its own exact time.
 * N2. After `close` the caller is asked and told nothing.
 */
import { bytesPerMs } from '../../../media/mulaw.ts';
import type { Clock } from '../../../runtime/ports/clock.ts';
import type { LineControls, Party } from '../../caller/party.ts';
import { frameMs as ordinaryFrameMs, silenceOf, type VoiceFrame } from '../../caller/voice.ts';
import { announcementFrame } from './announcement.ts';
import { AudioTrack } from './audio-track.ts';
import type { Ticker, Ticking } from './ticker.ts';

/** The stream at the other end, as far as the line knows it. */
export interface LineStream {
  carry(payload: string): void;
  play(frame: Uint8Array): number;
}

export class PhoneLine implements Ticking {
  readonly heard: AudioTrack;
  readonly said: AudioTrack;
  /** When the call was answered, milliseconds since the Unix epoch. */
  readonly startedAt: number;
  readonly #ticker: Ticker;
  readonly #party: Party;
  readonly #frameMs: number;
  readonly #silence: VoiceFrame;
  readonly #frame: Uint8Array;
  readonly #startedMonotonic: number;
  #doneFrames = 0;
  #stream: LineStream | null = null;
  #isAnnouncing = false;
  #isClosed = false;

  constructor(
    clock: Clock,
    ticker: Ticker,
    party: Party,
    controls: LineControls,
    recordingBytes: number,
    frameMs = ordinaryFrameMs,
  ) {
    this.#frameMs = frameMs;
    this.#silence = silenceOf(frameMs);
    this.#frame = new Uint8Array(frameMs * bytesPerMs);
    this.startedAt = clock.now();
    this.#startedMonotonic = clock.monotonic();
    this.#ticker = ticker;
    this.#party = party;
    this.heard = new AudioTrack(recordingBytes);
    this.said = new AudioTrack(recordingBytes);
    party.join(this.startedAt, controls, frameMs);
    ticker.add(this);
  }

  /** Milliseconds that were carried so far. */
  get durationMs(): number {
    return this.#doneFrames * this.#frameMs;
  }

  connect(stream: LineStream | null): void {
    this.#stream = stream;
  }

  /** Whether Twilio itself speaks to the caller: the twin plays a tone for its voice. */
  announce(isAnnouncing: boolean): void {
    this.#isAnnouncing = isAnnouncing;
  }

  close(): void {
    this.#isClosed = true;
    this.#stream = null;
    this.#ticker.remove(this);
  }

  tick(now: number): void {
    const dueFrames = Math.floor((now - this.#startedMonotonic) / this.#frameMs);
    while (this.#doneFrames < dueFrames && !this.#isClosed) {
      this.#doneFrames += 1;
      this.#carryFrame(this.startedAt + this.#doneFrames * this.#frameMs);
    }
  }

  /** @param at where the frame that the caller said ends, and the one that it hears begins */
  #carryFrame(at: number): void {
    const voice = this.#party.speak(at);
    if (this.#isClosed) return;
    if (voice !== this.#silence) this.said.append(at - this.#frameMs, voice.bytes);
    this.#stream?.carry(voice.payload);
    const length = this.#playInto(this.#frame);
    if (length > 0) this.heard.append(at, this.#frame, length);
    this.#party.hear(at, length > 0 ? this.#frame : null);
  }

  #playInto(frame: Uint8Array): number {
    if (!this.#isAnnouncing) return this.#stream?.play(frame) ?? 0;
    for (let start = 0; start < frame.length; start += announcementFrame.length)
      frame.set(announcementFrame, start);
    return frame.length;
  }
}
