/**
 * Owns: one connection to the service: opening it, the events on it, and its one end with the reason.
 * Does not own: what the events mean, apart from errors that end the session.
 *
 * Most refusals come in-band: the socket opens, an `error` event says why, and the close follows. Such an error decides
 * the reason, and the far side is given a moment to close. Where a reply failed for such a reason, no close follows: the
 * end comes from here.
 *
 * Source: OpenAI Realtime, WebSocket connection, `error`; RFC 6455 section 7.
 *
 * Invariants:
 * N1. `onEnded` is called once, whoever ended the connection, and nothing is called after it.
 * N2. Nothing waits in the socket beyond `bufferedBytes` and one message: a far side that stops reading ends the connection.
 * N3. Once an error has decided the reason, nothing is sent, and the end has that reason, whoever comes to it first.
 * N4. A message that cannot be read, or is delivered twice in a row, changes nothing.
 */
import type { RealtimeClientEvent } from 'openai/resources/realtime/realtime';
import { Heartbeat } from '../../platform/heartbeat.ts';
import type { Clock, TimerHandle } from '../../runtime/ports/clock.ts';
import type { OpenSocket, Socket } from '../../runtime/ports/socket.ts';
import type { OpenAiLimits } from './limits.ts';
import { MuteWatch } from './mute-watch.ts';
import type { CountOddity } from './oddity.ts';
import {
  type Closing,
  causeOfError,
  closingOfRefusal,
  closingOfSocket,
  type ErrorName,
  reactionToError,
} from './refusals.ts';
import { type Reading, readServerEvent, type ServerEvent } from './server-events.ts';

/** Where the service is, and everything that a connection to it needs. */
export interface Access {
  url: string;
  headers: Record<string, string>;
  clock: Clock;
  /** 0 (included) to 1 (excluded). */
  random: () => number;
  /** Pause between pings; null sends none. */
  pingEveryMs: number | null;
  openSocket: OpenSocket;
  limits: OpenAiLimits;
  count: CountOddity;
  /** Whether a session here has ever confirmed an update that changes nothing: only then silence after one means anything. */
  updates: { areConfirmed: boolean };
}

export interface ConnectionListener {
  /** Not called for errors that end the session. */
  onEvent(event: ServerEvent): void;
  onUnreadable(kind: 'malformed' | 'binary' | 'oversized'): void;
  onEnded(closing: Closing): void;
}

const ownClosing: Closing = { code: 1000, cause: 'closed here', reaction: 'retry', retryAfterMs: null };

/** A session that ended for a reason of ours that another session may not have. */
const loss = (cause: string): Closing => ({ code: null, cause, reaction: 'retry', retryAfterMs: null });

/** How a session ends that does not survive the error; null where it does. */
function verdictOf(error: ErrorName): Closing | null {
  const reaction = reactionToError(error);
  return reaction === 'giveUp' || reaction === 'retry' ? { ...loss(causeOfError(error)), reaction } : null;
}

export class Connection {
  readonly #access: Access;
  readonly #listener: ConnectionListener;
  readonly #heartbeat: Heartbeat | null;
  readonly #muteWatch: MuteWatch | null;
  #giveUpOpening: (() => void) | null = null;
  #socket: Socket | null = null;
  #timer: TimerHandle;
  #hasEnded = false;
  #lastEventId: unknown;
  #isAttended = false;
  /** What an error said of the end that is to come. */
  #verdict: Closing | null = null;

  constructor(access: Access, listener: ConnectionListener) {
    this.#access = access;
    this.#listener = listener;
    const { pingEveryMs } = access;
    this.#heartbeat = pingEveryMs === null ? null : this.#createHeartbeat(pingEveryMs);
    this.#muteWatch = pingEveryMs === null ? null : this.#createMuteWatch(pingEveryMs);
  }

  /** Call once. */
  open(): void {
    const { limits, url, headers } = this.#access;
    this.expect(limits.handshakeMs, () => 'handshake.timeout');
    try {
      const giveUp = this.#access.openSocket(
        { url, headers, handshakeTimeoutMs: limits.handshakeMs, maxMessageBytes: limits.socketMessageBytes },
        {
          onOpen: (socket) => this.#opened(socket),
          onRefused: (refusal) => this.#end(closingOfRefusal(refusal)),
          onMessage: (data) => this.#take(data),
          onPong: () => this.#heartbeat?.noteLife(),
          onClose: (closure) => this.#closed(closingOfSocket(closure)),
        },
      );
      if (!this.#socket) this.#giveUpOpening = giveUp;
    } catch {
      // Headers or an address that no request can carry: the error's text may hold the key.
      this.#end({ ...loss('request.invalid'), reaction: 'giveUp' });
    }
  }

  /** The next step must come within the time, or the connection ends with the cause. Replaces the last expectation. */
  expect(withinMs: number, cause: () => string): void {
    if (!this.#verdict) this.#arm(withinMs, () => this.end(loss(cause())));
  }

  /** What was expected has come. */
  settle(): void {
    if (!this.#verdict) this.#disarm();
  }

  /** From here on a far side that is alive and tells nothing any more is found. Call once. */
  attend(): void {
    if (this.#hasEnded || !this.#muteWatch) return;
    this.#isAttended = true;
    if (!this.#access.updates.areConfirmed) this.#askForLife();
    this.#muteWatch.start();
  }

  send(event: RealtimeClientEvent): void {
    this.sendText(JSON.stringify(event));
  }

  sendText(text: string): void {
    if (this.#hasEnded || this.#verdict || !this.#socket) return;
    if (this.#socket.bufferedBytes() > this.#access.limits.bufferedBytes) this.#drop('stalled');
    else this.#socket.send(text);
  }

  bufferedBytes(): number {
    return this.#socket?.bufferedBytes() ?? 0;
  }

  close(): void {
    this.end(ownClosing);
  }

  /** Ends the connection from here, with a closing handshake where there is a socket. */
  end(closing: Closing): void {
    this.#end(this.#verdict ?? closing, () => {
      this.#giveUpOpening?.();
      this.#shake();
    });
  }

  /** Something failed: ends the connection where no session survives the error. */
  condemn(error: ErrorName): void {
    const verdict = verdictOf(error);
    if (verdict) this.end(verdict);
  }

  /** Ended by the far side, which tells a code, or soon from here. Returns whether no session survives the error. */
  #awaitEnd(error: ErrorName): boolean {
    const verdict = verdictOf(error);
    if (!verdict || this.#verdict) return verdict !== null;
    this.#verdict = verdict;
    this.#arm(this.#access.limits.closeGraceMs, () => this.end(verdict));
    return true;
  }

  #createHeartbeat(everyMs: number): Heartbeat {
    return new Heartbeat(this.#access.clock, everyMs, {
      ping: () => this.#socket?.ping(),
      onMissed: () => this.#drop('pong.missed'),
    });
  }

  #createMuteWatch(pingEveryMs: number): MuteWatch {
    return new MuteWatch(this.#access.clock, pingEveryMs, {
      ask: () => this.#askForLife(),
      onMute: () => {
        if (this.#access.updates.areConfirmed) this.end(loss('session.mute'));
      },
    });
  }

  /** Nothing is changed by it, and it has to be confirmed (OpenAI Realtime, `session.update`). */
  #askForLife(): void {
    this.send({ type: 'session.update', session: { type: 'realtime' } });
  }

  #opened(socket: Socket): void {
    this.#socket = socket;
    this.#giveUpOpening = null;
    this.expect(this.#access.limits.sessionCreatedMs, () => 'session.created.timeout');
    this.#heartbeat?.start();
  }

  #take(data: string | Uint8Array): void {
    if (this.#hasEnded) return;
    this.#heartbeat?.noteLife();
    this.#muteWatch?.noteEvent();
    const reading = this.#read(data);
    if (typeof reading === 'object') {
      if (this.#isAttended && reading.type === 'session.updated') this.#access.updates.areConfirmed = true;
      if (reading.type !== 'error' || !this.#awaitEnd(reading.error)) this.#listener.onEvent(reading);
    } else if (reading === 'unknown') {
      this.#access.count('unknownEvent');
    } else if (reading !== 'unused') {
      this.#listener.onUnreadable(reading);
    }
  }

  #read(data: string | Uint8Array): Reading | 'binary' | 'oversized' {
    if (typeof data !== 'string') return 'binary';
    if (data.length > this.#access.limits.messageCharacters) return 'oversized';
    const reading = readServerEvent(data);
    return typeof reading === 'object' && this.#isRepeated(reading) ? 'unused' : reading;
  }

  /** The event before it once more: audio would be heard twice. */
  #isRepeated({ event_id: eventId }: ServerEvent): boolean {
    const isRepeated = typeof eventId === 'string' && eventId !== '' && eventId === this.#lastEventId;
    this.#lastEventId = eventId;
    return isRepeated;
  }

  /** The socket is gone, at the end of our own closing handshake or by itself. */
  #closed(closing: Closing): void {
    if (this.#hasEnded) this.#disarm();
    this.#end(this.#verdict ? { ...this.#verdict, code: closing.code } : closing);
  }

  /** The far side answers no longer: a closing handshake would not be answered either. */
  #drop(cause: string): void {
    this.#end(this.#verdict ?? loss(cause), () => this.#socket?.terminate());
  }

  #end(closing: Closing, shut: () => void = () => undefined): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#disarm();
    this.#heartbeat?.stop();
    this.#muteWatch?.stop();
    shut();
    this.#listener.onEnded(closing);
  }

  #shake(): void {
    const socket = this.#socket;
    if (!socket) return;
    this.#arm(this.#access.limits.closeGraceMs, () => socket.terminate());
    socket.close(1000);
  }

  #arm(delayMs: number, onDue: () => void): void {
    this.#disarm();
    this.#timer = this.#access.clock.setTimeout(onDue, delayMs);
  }

  #disarm(): void {
    this.#access.clock.clearTimeout(this.#timer);
  }
}
