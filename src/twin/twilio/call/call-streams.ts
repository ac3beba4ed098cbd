/**
 * Owns: the media streams of one call: opening them with their faults, reporting how they fare.
 * Does not own: a stream's messages (`stream/media-stream.ts`), what comes after one (`twiml/connect-verb.ts`).
 *
 * Invariants:
 * Q1. At most one stream of a call is alive; half-open ones that Twilio gave up wait beside it, at most two minutes.
 *
 * Source: Twilio, TwiML Stream, statusCallback; Error Dictionary 31921.
 */
import type { CallFaults } from '../faults.ts';
import { faultsOfStream } from '../faults.ts';
import type { NoticeCode } from '../notices.ts';
import type { TwinSettings } from '../settings.ts';
import {
  MediaStream,
  type StreamEnd,
  type StreamListener,
  type StreamPorts,
} from '../stream/media-stream.ts';
import { Saboteur } from '../stream/saboteur.ts';
import { prepareUpgrade, type Upgrade } from '../stream/upgrade.ts';
import type { StreamRequest } from '../twiml/stage.ts';
import type { Postman } from '../webhooks/postman.ts';
import { postStreamReport, type StreamReport } from '../webhooks/stream-callbacks.ts';
import type { CallEvent } from './call-events.ts';
import type { LineStream } from './phone-line.ts';

export interface StreamsDesk {
  connectLine(stream: LineStream | null): void;
  note(event: CallEvent): void;
  onNotice(code: NoticeCode, detail: string): void;
}

export class CallStreams {
  readonly #ports: StreamPorts;
  readonly #settings: TwinSettings;
  readonly #callSid: string;
  readonly #faults: CallFaults;
  readonly #postman: Postman;
  readonly #desk: StreamsDesk;
  /** All that still hold a socket. */
  readonly #streams = new Set<MediaStream>();
  #ordinal = 0;
  #current: MediaStream | null = null;

  constructor(
    ports: StreamPorts,
    settings: TwinSettings,
    call: { sid: string; faults: CallFaults; postman: Postman },
    desk: StreamsDesk,
  ) {
    this.#ports = ports;
    this.#settings = settings;
    this.#callSid = call.sid;
    this.#faults = call.faults;
    this.#postman = call.postman;
    this.#desk = desk;
  }

  /** Resolves when the stream has ended; ends it when the signal is aborted. */
  open(request: StreamRequest, signal: AbortSignal): Promise<StreamEnd> {
    this.#ordinal += 1;
    return new Promise((resolve) => {
      const stop = (): void => stream.stop();
      const stream = this.#make(request, (end) => {
        signal.removeEventListener('abort', stop);
        resolve(end);
      });
      signal.addEventListener('abort', stop);
      stream.open();
    });
  }

  sendDigit(digit: string): void {
    this.#current?.sendDigit(digit);
  }

  /** Lets go of every socket. */
  dispose(): void {
    for (const stream of this.#streams) stream.dispose();
  }

  #make(request: StreamRequest, onEnded: (end: StreamEnd) => void): MediaStream {
    const faults = faultsOfStream(this.#faults, this.#ordinal);
    const handshake = faults.find((fault) => fault.fault === 'handshake');
    const upgrade: Upgrade = handshake ?? prepareUpgrade(request.url, request.base, this.#settings);
    const order = {
      upgrade,
      accountSid: this.#settings.accountSid,
      callSid: this.#callSid,
      parameters: request.parameters,
      firstMessageMs: this.#settings.delays.firstMessageMs,
      sendsStop: !faults.some(({ fault }) => fault === 'stopMissing'),
    };
    const stream: MediaStream = new MediaStream(this.#ports, order, {
      ...this.#noteTaker(),
      onStarted: () => {
        hasStarted = true;
        saboteur.arm();
        this.#onStarted(stream, request);
      },
      onEnded: (end) => {
        saboteur.disarm();
        this.#onEnded(stream, request, end, hasStarted);
        onEnded(end);
      },
      onReleased: () => this.#streams.delete(stream),
    });
    let hasStarted = false;
    const saboteur = new Saboteur(this.#ports, stream, faults, (fault) =>
      this.#desk.note({ event: 'faultStruck', at: this.#now, fault }),
    );
    this.#enter(stream, upgrade);
    return stream;
  }

  get #now(): number {
    return this.#ports.clock.now();
  }

  #noteTaker(): Pick<StreamListener, 'onNotice' | 'onCleared'> {
    return {
      onNotice: (code, detail) => this.#desk.onNotice(code, detail),
      onCleared: (discardedBytes) =>
        this.#desk.note({ event: 'playoutCleared', at: this.#now, discardedBytes }),
    };
  }

  #enter(stream: MediaStream, upgrade: Upgrade): void {
    this.#streams.add(stream);
    this.#current = stream;
    this.#desk.connectLine(stream);
    const url = 'request' in upgrade ? upgrade.request.url : '';
    this.#desk.note({ event: 'streamOpening', at: this.#now, streamSid: stream.sid, url });
  }

  #onStarted(stream: MediaStream, request: StreamRequest): void {
    this.#desk.note({ event: 'streamStarted', at: this.#now, streamSid: stream.sid });
    this.#post(stream, request, { event: 'stream-started' });
  }

  #onEnded(stream: MediaStream, request: StreamRequest, end: StreamEnd, hasStarted: boolean): void {
    if (this.#current === stream) {
      this.#current = null;
      this.#desk.connectLine(null);
    }
    this.#desk.note({ event: 'streamEnded', at: this.#now, streamSid: stream.sid, end });
    const report = this.#reportOf(end, hasStarted);
    if (report?.event === 'stream-error') this.#desk.onNotice(report.code, '');
    if (report !== null) this.#post(stream, request, report);
  }

  /** Null where the application is told nothing: a stream that was taken back before it started. */
  #reportOf(end: StreamEnd, hasStarted: boolean): StreamReport | null {
    if (end.by === 'loss') return { event: 'stream-error', code: end.code };
    const isDeliberate = end.by === 'twilio' || end.code === 1000 || end.code === 1005;
    if (end.by === 'server' && (!isDeliberate || this.#settings.closeReport === 'stream-error')) {
      return { event: 'stream-error', code: 31921 };
    }
    return hasStarted ? { event: 'stream-stopped' } : null;
  }

  #post(stream: MediaStream, request: StreamRequest, report: StreamReport): void {
    const names = {
      accountSid: this.#settings.accountSid,
      callSid: this.#callSid,
      streamSid: stream.sid,
      streamName: request.name ?? stream.sid,
    };
    const stamp = { at: this.#now, random: this.#ports.random };
    postStreamReport(this.#postman, request.subscription, names, report, stamp);
  }
}
