/** Owns: a bridge with a manual clock, simulated lines and ears, and a record of what its listener was told. */
import type { BridgeListener, BridgeSettings } from '../../../src/media/bridge.ts';
import { Bridge } from '../../../src/media/bridge.ts';
import type { AgentEar } from '../../../src/media/caller-feed.ts';
import type { Heard } from '../../../src/media/playback-ledger.ts';
import { ManualClock } from './manual-clock.ts';
import { SimulatedLine } from './simulated-line.ts';

export type Told =
  | { told: 'voiced'; replyId: string; itemId: string }
  | { told: 'progressed'; itemId: string; heard: Heard; atMs: number }
  | { told: 'cutShort'; itemId: string; playedMs: number }
  | { told: 'played'; replyId: string }
  | { told: 'starved'; silentMs: number }
  | { told: 'resumed' }
  | { told: 'overflow'; kind: 'caller' | 'reply' };

export class RecordingEar implements AgentEar {
  readonly pieces: Buffer[] = [];
  isStalled = false;

  appendAudio(audio: Buffer): void {
    this.pieces.push(Buffer.from(audio));
  }

  bufferedBytes(): number {
    return this.isStalled ? Number.MAX_SAFE_INTEGER : 0;
  }

  get audio(): Buffer {
    return Buffer.concat(this.pieces);
  }
}

export class Rig {
  readonly clock = new ManualClock();
  readonly roundTripsMs: number[] = [];
  readonly told: Told[] = [];
  readonly bridge: Bridge;
  /** Called after each record, for tests that act from within. */
  react: (told: Told) => void = () => {};
  #line: SimulatedLine | null = null;
  #timestampMs = 0;

  constructor(settings: Partial<BridgeSettings> = {}) {
    this.bridge = new Bridge(this.clock, this.#listener(), settings);
  }

  get line(): SimulatedLine {
    if (this.#line === null) throw new Error('No line was attached.');
    return this.#line;
  }

  attachLine(): SimulatedLine {
    const line = new SimulatedLine((name) => this.bridge.markEchoed(name));
    this.#line = line;
    this.bridge.attachLine(line);
    this.bridge.lineOpened();
    return line;
  }

  /** Time passes, millisecond by millisecond, and the line plays. */
  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed++) {
      this.clock.advance(1);
      this.#line?.play(1);
    }
  }

  speak(audio: Buffer): void {
    this.bridge.callerAudio(audio, this.#timestampMs);
    this.#timestampMs += audio.length / 8;
  }

  /** The model sends `bytes` of an item, all of the same value. */
  reply(replyId: string, itemId: string, bytes: number, value = 1): void {
    this.bridge.replyAudio(replyId, itemId, Buffer.alloc(bytes, value));
  }

  toldOf<Kind extends Told['told']>(kind: Kind): Extract<Told, { told: Kind }>[] {
    return this.told.filter((told): told is Extract<Told, { told: Kind }> => told.told === kind);
  }

  #listener(): BridgeListener {
    return {
      onRoundTrip: (ms) => this.roundTripsMs.push(ms),
      onVoiced: (replyId, itemId) => this.#record({ told: 'voiced', replyId, itemId }),
      onProgressed: (itemId, heard) =>
        this.#record({ told: 'progressed', itemId, heard, atMs: this.clock.monotonic() }),
      onCutShort: (itemId, playedMs) => this.#record({ told: 'cutShort', itemId, playedMs }),
      onPlayed: (replyId) => this.#record({ told: 'played', replyId }),
      onStarved: (silentMs) => this.#record({ told: 'starved', silentMs }),
      onResumed: () => this.#record({ told: 'resumed' }),
      onOverflow: (kind) => this.#record({ told: 'overflow', kind }),
    };
  }

  #record(told: Told): void {
    this.told.push(told);
    this.react(told);
  }
}

/** Audio in which each byte tells its place, so that a hole, a repetition or a swap shows. */
export function placedAudio(from: number, bytes: number): Buffer {
  return Buffer.from(
    Uint8Array.from({ length: bytes }, (_, index) => ((from + index) * 31 + ((from + index) >> 8)) & 0xff),
  );
}
