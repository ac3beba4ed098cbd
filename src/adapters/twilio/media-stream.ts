/**
 * Owns: one media stream from its first message to its end: start, admission, validation, limits. It runs on any
 * `Socket` and any `Clock`.
 * Does not own: the upgrade (`media-upgrades.ts`), the messages' form (`media-message.ts`), what a call makes of them.
 *
 * Invariants:
 * R1. Nothing of a stream is handed on before the desk has admitted it.
 * R2. An admitted stream ends in exactly one `stream.closed`, and nothing is handed on after it.
 * I9. What is kept for a stream is bounded, whatever it sends or stops reading.
 * I10. No message ends more than its own stream.
 */

import { Heartbeat } from '../../platform/heartbeat.ts';
import type { CarrierDesk, LineListener, StreamStart } from '../../runtime/ports/carrier.ts';
import type { Clock, TimerHandle } from '../../runtime/ports/clock.ts';
import { referTo } from '../../runtime/ports/signal.ts';
import type { Socket, SocketClosure } from '../../runtime/ports/socket.ts';
import { Backlog } from './backlog.ts';
import { MediaLine } from './media-line.ts';
import {
  type CarrierMessage,
  type MessageFault,
  readMessage,
  type StreamMessage,
  type StreamStarted,
} from './media-message.ts';
import { MessageRate } from './message-rate.ts';
import type { Tally } from './tally.ts';
import { late, withinLimit } from './time-limit.ts';

/** From the open socket to the `start` message, which comes within milliseconds. */
export const startLimitMs = 10_000;

export const admissionLimitMs = 10_000;

/** A ping must be answered before the next one. */
const pingEveryMs = 10_000;

/** How long the far side may take to answer our close frame. */
export const closingLimitMs = 1_000;

/**
 * Frames up to this go on in pairs (`src/media`), and so they are read in pairs: half as many reads, and no pair is later.
 * So much of two frames is more than one with two marks, which then wait with it, and frames may get somewhat shorter.
 */
const pairedAudioBytes = 160;
const pairedFrames = 1.9;

/** WebSocket close codes (RFC 6455 section 7.4.1). */
const closeCodes = { normal: 1_000, policyViolation: 1_008, internalError: 1_011 } as const;

/** What was wrong: a message by itself, or where, when and how often it came. */
type Refusal = MessageFault | 'order' | 'streamId' | 'sequence' | 'backlog' | 'flood';

export interface StreamSurroundings {
  desk: CarrierDesk;
  clock: Clock;
  tally: Tally;
}

/** The owner of the socket calls `receive`, `onPong` and `onClosed`. */
export class MediaStream {
  readonly #socket: Socket;
  readonly #desk: CarrierDesk;
  readonly #clock: Clock;
  readonly #tally: Tally;
  readonly #heartbeat: Heartbeat;
  readonly #rate: MessageRate;
  readonly #backlog = new Backlog();
  /** Kinds of refusals that were counted for this stream before. */
  readonly #refusals = new Set<Refusal>();
  readonly #startTimer: TimerHandle;
  #closingTimer: TimerHandle;
  #line: MediaLine | null = null;
  #listener: LineListener | null = null;
  /** Null until it is known again, after a message without a number. */
  #nextSequence: number | null = null;
  /** Nothing more is taken in: `stop` came, or the end has begun. */
  #isDone = false;
  #closure: SocketClosure | null = null;
  /** Null until it is asked for. */
  #readsInPairs: boolean | null = null;

  constructor(socket: Socket, { desk, clock, tally }: StreamSurroundings) {
    this.#socket = socket;
    this.#desk = desk;
    this.#clock = clock;
    this.#tally = tally;
    this.#rate = new MessageRate(clock);
    this.#heartbeat = new Heartbeat(clock, pingEveryMs, {
      ping: () => socket.ping(),
      onMissed: () => this.#terminate('stream.deaf'),
    });
    this.#heartbeat.start();
    this.#startTimer = clock.setTimeout(() => {
      tally.count('stream.unstarted');
      this.#close(closeCodes.policyViolation, 'no start');
    }, startLimitMs);
  }

  receive(data: string | Uint8Array): void {
    if (this.#isDone) return;
    try {
      if (this.#rate.exceeded()) this.#endFlood();
      else this.#read(data);
    } catch (error) {
      this.#fail(error);
    }
  }

  onPong(): void {
    this.#heartbeat.noteLife();
  }

  onRead(): void {
    if (!this.#readsInPairs || this.#isDone) return;
    try {
      this.#listener?.onGathered?.();
    } catch (error) {
      this.#fail(error);
    }
  }

  onClosed(closure: SocketClosure): void {
    this.#isDone = true;
    this.#closure = closure;
    this.#heartbeat.stop();
    this.#clock.clearTimeout(this.#startTimer);
    this.#clock.clearTimeout(this.#closingTimer);
    this.#line?.silence();
    this.#signalClosed();
  }

  #read(data: string | Uint8Array): void {
    const message = readMessage(data);
    if (typeof message === 'string') this.#refuseUnread(message);
    else this.#take(message);
    if (this.#readsInPairs === null && !this.#isDone && this.#listener !== null)
      this.#readInPairs(message, data.length);
  }

  /** From the first frame on that is handed on at once. */
  #readInPairs(message: CarrierMessage | MessageFault, textBytes: number): void {
    if (typeof message === 'string' || message.event !== 'media') return;
    const mayWait = message.audio.length <= pairedAudioBytes;
    this.#readsInPairs = mayWait && (this.#socket.gatherReads?.(textBytes * pairedFrames) ?? false);
  }

  #take(message: CarrierMessage): void {
    if (this.#line === null) this.#takeFirst(message);
    else if (message.event === 'connected' || message.event === 'start') this.#refuse('order');
    else if (message.streamId === this.#line.streamId) this.#takeNext(message);
    else this.#refuse('streamId');
  }

  #takeFirst(message: CarrierMessage): void {
    if (message.event === 'start') this.#begin(message);
    else if (message.event !== 'connected') this.#refuse('order');
  }

  #begin(start: StreamStarted): void {
    this.#clock.clearTimeout(this.#startTimer);
    this.#nextSequence = start.sequence + 1;
    this.#line = new MediaLine(start.streamId, this.#socket, this.#clock, {
      onClose: () => this.#close(closeCodes.normal, ''),
      onStuck: () => this.#terminate('stream.stuck'),
    });
    if (start.token === null) this.#reject();
    else void this.#admit({ carrierCallId: start.carrierCallId, token: start.token, line: this.#line });
  }

  async #admit(start: StreamStart): Promise<void> {
    try {
      const admission = this.#desk.admitStream(start);
      if ((await withinLimit(this.#clock, admissionLimitMs, admission)) === late) {
        this.#tally.count('stream.unanswered');
        this.#close(closeCodes.internalError, 'not admitted in time');
      }
      this.#settle(await admission);
    } catch (error) {
      this.#fail(error);
      this.#signalClosed();
    }
  }

  #settle(listener: LineListener | null): void {
    if (listener === null) this.#reject();
    else this.#open(listener);
  }

  /** Hands on what came meanwhile, the end included. */
  #open(listener: LineListener): void {
    this.#listener = listener;
    for (const kind of this.#refusals) this.#signalRefusal(listener, kind);
    for (const message of this.#backlog.takeAll()) this.#deliver(listener, message);
    this.#signalClosed();
  }

  #reject(): void {
    this.#backlog.takeAll();
    this.#tally.count('stream.unadmitted');
    this.#close(closeCodes.policyViolation, 'not admitted');
  }

  #takeNext(message: StreamMessage): void {
    if (this.#nextSequence !== null && message.sequence !== this.#nextSequence) this.#refuse('sequence');
    this.#nextSequence = message.sequence + 1;
    if (message.event === 'stop') this.#isDone = true;
    if (this.#listener === null) this.#keep(message);
    else this.#deliver(this.#listener, message);
  }

  #keep(message: StreamMessage): void {
    // Whoever is about to admit the stream must not take it for an open one meanwhile.
    if (message.event === 'stop')
      this.#line?.endEarly({ entry: { type: 'stream.stopped', streamId: message.streamId } });
    const dropped = this.#backlog.push(message);
    for (let count = 0; count < dropped; count++) this.#refuse('backlog');
  }

  #deliver(listener: LineListener, message: StreamMessage): void {
    if (message.event === 'media') listener.onAudio(message.audio, message.timestampMs);
    else if (message.event === 'mark') listener.onMark(message.name);
    else if (message.event === 'dtmf') this.#deliverDigit(listener, message.digit);
    else this.#deliverStop(listener, message.streamId);
  }

  #deliverDigit(listener: LineListener, digit: string): void {
    listener.onSignal({ entry: { type: 'digit.pressed', digit: referTo(digit) }, payloads: { digit } });
  }

  /** The carrier may leave the socket open for minutes after it. */
  #deliverStop(listener: LineListener, streamId: string): void {
    listener.onSignal({ entry: { type: 'stream.stopped', streamId } });
    this.#close(closeCodes.normal, '');
  }

  #refuseUnread(fault: MessageFault): void {
    this.#nextSequence = null;
    this.#refuse(fault);
  }

  #refuse(kind: Refusal): void {
    this.#tally.count(`message.${kind}`);
    if (this.#refusals.has(kind)) return;
    this.#refusals.add(kind);
    if (this.#listener !== null) this.#signalRefusal(this.#listener, kind);
  }

  #signalRefusal(listener: LineListener, kind: Refusal): void {
    listener.onSignal({ entry: { type: 'input.refused', peer: 'carrier', kind: `message.${kind}` } });
  }

  #endFlood(): void {
    this.#tally.count('stream.flooded');
    this.#close(closeCodes.policyViolation, 'flood');
    this.#refuse('flood');
  }

  #signalClosed(): void {
    if (this.#line === null || this.#closure === null) return;
    const { code } = this.#closure;
    const entry = { type: 'stream.closed', streamId: this.#line.streamId, code } as const;
    try {
      if (this.#listener === null) this.#line.endEarly({ entry });
      else this.#listener.onSignal({ entry });
    } catch (error) {
      this.#tally.count('stream.failed', error);
    }
  }

  #fail(error: unknown): void {
    this.#tally.count('stream.failed', error);
    this.#close(closeCodes.internalError, 'failed');
  }

  #close(code: number, reason: string): void {
    if (this.#closingTimer !== undefined || this.#closure !== null) return;
    this.#isDone = true;
    this.#line?.silence();
    this.#closingTimer = this.#clock.setTimeout(() => this.#socket.terminate(), closingLimitMs);
    this.#socket.close(code, reason);
  }

  #terminate(cause: 'stream.deaf' | 'stream.stuck'): void {
    this.#tally.count(cause);
    this.#isDone = true;
    this.#line?.silence();
    this.#socket.terminate();
  }
}
