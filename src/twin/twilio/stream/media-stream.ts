/**
 * Owns: one media stream, from the upgrade to its end: messages in both directions, playout, what goes wrong with it.
 * Does not own: the clock of the line (`call/phone-line.ts`), callbacks (`webhooks/stream-callbacks.ts`), what the
 * call does next (`twiml/connect-verb.ts`), when faults happen (`saboteur.ts`).
 *
 * Invariants:
 * M1. A stream ends in exactly one `StreamEnd` and sends nothing after it.
 * M2. `connected`, `start` and the first media leave in the same moment, in this order.
 * M3. Nothing that the server sends ends the stream, except a close frame or broken framing.
 * M4. With more than 64 kB unsent the caller's audio is dropped, not queued; its timestamps go on.
 *
 * Source: Twilio, Media Streams, WebSocket messages; Error Dictionary 31921, 31924, 31930, 31931, 31950, 31951.
 */
import type { Clock, TimerHandle } from '../../../runtime/ports/clock.ts';
import type { OpenSocket, SocketClosure } from '../../../runtime/ports/socket.ts';
import type { Random } from '../../random.ts';
import type { GarbageKind } from '../faults.ts';
import { makeSid } from '../identifiers.ts';
import type { NoticeCode, StreamErrorCode } from '../notices.ts';
import { type FaultSocket, protocolErrorCode } from './fault-socket.ts';
import { FrameHold } from './frame-hold.ts';
import { isWrittenGarbage, makeGarbage } from './garbage.ts';
import { Playout } from './playout.ts';
import { readServerMessage } from './server-messages.ts';
import { StreamMessages } from './stream-messages.ts';
import { refusalCode, type Upgrade } from './upgrade.ts';

export type StreamEnd =
  /** A close frame from the server. */
  | { by: 'server'; code: number }
  /** The connection broke, or never came about. */
  | { by: 'loss'; code: StreamErrorCode }
  /** The call ended or was updated. */
  | { by: 'twilio' };

export interface StreamListener {
  onStarted(): void;
  onEnded(end: StreamEnd): void;
  /** No socket of the stream is left; after `onEnded`, which may be long before. */
  onReleased(): void;
  onNotice(code: NoticeCode, detail: string): void;
  /** The server emptied the playout buffer. */
  onCleared(discardedBytes: number): void;
}

export interface StreamPorts {
  clock: Clock;
  random: Random;
  openSocket: OpenSocket;
}

export interface StreamOrder {
  upgrade: Upgrade;
  accountSid: string;
  callSid: string;
  parameters: Readonly<Record<string, string>>;
  /** From the accepted upgrade to `connected`. */
  firstMessageMs: number;
  sendsStop: boolean;
  /** Audio in one media message. */
  frameMs: number;
}

/** How late the nth frame is; null loses it. */
export type FrameFate = () => number | null;

/** Where the stream is: `opened` before its messages have begun. */
type Phase = 'new' | 'opening' | 'opened' | 'ready' | 'started' | 'ended';

const mostUnsentBytes = 64 * 1_024;
const longestLingerMs = 120_000;

export class MediaStream {
  readonly sid: string;
  readonly #ports: StreamPorts;
  readonly #order: StreamOrder;
  readonly #listener: StreamListener;
  readonly #messages: StreamMessages;
  readonly #playout: Playout;
  readonly #hold: FrameHold;
  readonly #noticed = new Set<NoticeCode>();
  #phase: Phase = 'new';
  #socket: FaultSocket | null = null;
  #abandonOpening: () => void = () => undefined;
  #isFrozen = false;
  #timestampMs: number;
  #fate: FrameFate = () => 0;
  #timer: TimerHandle;

  constructor(ports: StreamPorts, order: StreamOrder, listener: StreamListener) {
    this.#ports = ports;
    this.#order = order;
    this.#listener = listener;
    this.sid = makeSid(ports.random, 'MZ');
    this.#messages = new StreamMessages({ ...order, streamSid: this.sid });
    this.#playout = new Playout((name) => this.#send(this.#messages.mark(name)));
    this.#hold = new FrameHold(ports.clock, (payload, timestampMs) => this.#sendFrame(payload, timestampMs));
    this.#timestampMs = 100 + Math.floor(ports.random() * 81);
  }

  open(): void {
    this.#phase = 'opening';
    const { upgrade } = this.#order;
    if ('code' in upgrade) this.#fail(upgrade.code);
    else {
      this.#abandonOpening = this.#ports.openSocket(upgrade.request, {
        onOpen: (socket) => this.#onOpen(socket),
        onRefused: (refusal) => this.#fail(refusalCode(refusal)),
        onMessage: (data) => this.#onMessage(data),
        onClose: (closure) => this.#onClose(closure),
      });
    }
  }

  /** Takes the frame that the caller just said. The first ones begin the stream's messages. */
  carry(payload: string): void {
    if (this.#phase === 'ready') this.#start();
    if (this.#phase !== 'started') return;
    const timestampMs = this.#timestampMs;
    this.#timestampMs += this.#order.frameMs;
    const delayMs = this.#fate();
    if (delayMs === null) return;
    if (delayMs <= 0 && !this.#hold.isHolding) this.#sendFrame(payload, timestampMs);
    else this.#hold.push(payload, timestampMs, delayMs);
  }

  /** Fills the frame with what comes next for the caller and returns how many bytes of it are the server's. */
  play(frame: Uint8Array): number {
    return this.#playout.play(frame);
  }

  sendDigit(digit: string): void {
    if (this.#phase === 'started') this.#send(this.#messages.digit(digit));
  }

  /** Twilio ends the stream: `stop`, then the closing handshake. */
  stop(): void {
    if (this.#phase === 'started' && this.#order.sendsStop) this.#send(this.#messages.stop());
    if (this.#phase === 'ended') return;
    this.#end({ by: 'twilio' });
    if (this.#socket === null) this.#listener.onReleased();
    else if (this.#isFrozen) this.#linger(longestLingerMs);
    else this.#socket.close(1000);
  }

  /** Decides from now on how late each frame is. */
  disturb(fate: FrameFate): void {
    this.#fate = fate;
  }

  /** The connection is destroyed under both sides. */
  reset(): void {
    this.#end({ by: 'loss', code: 31903 });
    if (this.#socket?.reset === undefined) this.#socket?.terminate();
    else this.#socket.reset();
  }

  /** A close frame reaches the server that it did not ask for. */
  cut(code: number): void {
    this.#end({ by: 'loss', code: 31921 });
    this.#socket?.close(code);
  }

  /** Nothing goes either way any more, and neither side is told. */
  freeze(): void {
    this.#isFrozen = true;
    this.#hold.stop();
    this.#socket?.freeze?.();
  }

  /** Twilio gives the stream up; a frozen socket stays as it is for `lingerMs`, at most two minutes. */
  giveUp(code: StreamErrorCode, lingerMs: number): void {
    if (this.#phase === 'ended') return;
    this.#end({ by: 'loss', code });
    this.#linger(Math.min(lingerMs, longestLingerMs));
  }

  /** Media messages in one go, all of the present moment. */
  flood(messages: number, payload: string): void {
    for (let sent = 0; sent < messages; sent += 1)
      this.#send(this.#messages.media(payload, this.#timestampMs));
  }

  sendGarbage(kind: GarbageKind): void {
    if (this.#isMute) return;
    if (kind === 'jumpingSequence') this.#messages.skipSequence(1_000);
    else if (isWrittenGarbage(kind)) this.#send(makeGarbage(kind, this.sid));
    else this.#socket?.sendBinary?.(new Uint8Array([0, 255, 1, 254]));
  }

  /** Ends the stream without a word, and lets go of a socket that was left half-open. */
  dispose(): void {
    this.#end({ by: 'twilio' });
    this.#ports.clock.clearTimeout(this.#timer);
    this.#socket?.terminate();
  }

  #linger(lingerMs: number): void {
    this.#timer = this.#ports.clock.setTimeout(() => this.dispose(), lingerMs);
  }

  get #isMute(): boolean {
    return this.#phase !== 'started' || this.#isFrozen;
  }

  #onOpen(socket: FaultSocket): void {
    this.#socket = socket;
    this.#phase = 'opened';
    this.#timer = this.#ports.clock.setTimeout(() => {
      this.#phase = 'ready';
    }, this.#order.firstMessageMs);
  }

  #start(): void {
    this.#phase = 'started';
    this.#send(this.#messages.connected());
    this.#send(this.#messages.start());
    this.#listener.onStarted();
  }

  #sendFrame(payload: string, timestampMs: number): void {
    if (this.#isMute) return;
    if ((this.#socket?.bufferedBytes() ?? 0) > mostUnsentBytes) this.#noticeOnce(31930, '');
    else this.#send(this.#messages.media(payload, timestampMs));
  }

  #send(text: string): void {
    if (!this.#isMute) this.#socket?.send(text);
  }

  #onMessage(data: string | Uint8Array): void {
    if (this.#phase === 'ended' || this.#isFrozen) return;
    const message = readServerMessage(data, this.sid);
    switch (message.event) {
      case 'media':
        if (!this.#playout.enqueue(message.audio)) this.#noticeOnce(31931, '');
        return;
      case 'mark':
        if (!this.#playout.mark(message.name)) this.#noticeOnce(31951, 'too many marks are waiting');
        return;
      case 'clear':
        this.#listener.onCleared(this.#playout.clear());
        return;
      case 'refused':
        this.#noticeOnce(message.code, message.detail);
    }
  }

  #onClose({ code }: SocketClosure): void {
    this.#socket = null;
    if (code === protocolErrorCode) this.#end({ by: 'loss', code: 31924 });
    else if (code === 1006) this.#end({ by: 'loss', code: 31903 });
    else this.#end({ by: 'server', code });
    this.#ports.clock.clearTimeout(this.#timer);
    this.#listener.onReleased();
  }

  /** The socket never opened. */
  #fail(code: StreamErrorCode): void {
    this.#end({ by: 'loss', code });
    this.#listener.onReleased();
  }

  #noticeOnce(code: NoticeCode, detail: string): void {
    if (this.#noticed.has(code)) return;
    this.#noticed.add(code);
    this.#listener.onNotice(code, detail);
  }

  #end(end: StreamEnd): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#abandonOpening();
    this.#hold.stop();
    this.#ports.clock.clearTimeout(this.#timer);
    this.#listener.onEnded(end);
  }
}
