/**
 * Owns: a model session as far as it listens (OpenAI Realtime, server VAD): it counts the audio that it was given, finds
 * the caller's turns in it, and tells of them late. A frame that is not silence is speech, and its byte tells which.
 */
import type { AgentEar } from '../../../src/media/caller-feed.ts';
import { frameBytes, silenceByte } from '../../../src/media/mulaw.ts';
import type { ManualClock } from './manual-clock.ts';

export const frameMs = 20;

export interface ListenerTiming {
  /** Silence after which a turn is over. */
  silenceMs: number;
  /** Until an event is heard of. */
  latencyMs: number;
  /** Further, until the words are known. */
  transcriptMs: number;
}

export interface TurnListener {
  /** `audioEndMs` of the audio that the session was given. */
  onStopped(turn: number, audioEndMs: number): void;
  /** The speech frames of the turn, in order. */
  onTranscribed(turn: number, speech: readonly number[]): void;
}

export class ListeningSession implements AgentEar {
  readonly #clock: ManualClock;
  readonly #timing: ListenerTiming;
  readonly #listener: TurnListener;
  #heard: Buffer = Buffer.alloc(0);
  #countedMs = 0;
  #silentMs = 0;
  #turns = 0;
  #speech: number[] = [];
  #isDead = false;

  constructor(clock: ManualClock, timing: ListenerTiming, listener: TurnListener) {
    this.#clock = clock;
    this.#timing = timing;
    this.#listener = listener;
  }

  /** Takes what it is given as before, and says nothing more: what is on its way is lost as well. */
  die(): void {
    this.#isDead = true;
  }

  appendAudio(audio: Buffer): void {
    this.#heard = Buffer.concat([this.#heard, audio]);
    for (; this.#heard.length >= frameBytes; this.#heard = this.#heard.subarray(frameBytes)) {
      this.#hear(this.#heard[0] ?? silenceByte);
    }
  }

  bufferedBytes(): number {
    return 0;
  }

  #hear(byte: number): void {
    this.#countedMs += frameMs;
    this.#silentMs = byte === silenceByte ? this.#silentMs + frameMs : 0;
    if (byte !== silenceByte) this.#speech.push(byte);
    else if (this.#speech.length > 0 && this.#silentMs >= this.#timing.silenceMs) this.#endTurn();
  }

  #endTurn(): void {
    const turn = ++this.#turns;
    const audioEndMs = this.#countedMs;
    const speech = this.#speech;
    const { latencyMs, transcriptMs } = this.#timing;
    this.#speech = [];
    this.#tell(latencyMs, () => this.#listener.onStopped(turn, audioEndMs));
    this.#tell(latencyMs + transcriptMs, () => this.#listener.onTranscribed(turn, speech));
  }

  #tell(afterMs: number, word: () => void): void {
    this.#clock.setTimeout(() => {
      if (!this.#isDead) word();
    }, afterMs);
  }
}
