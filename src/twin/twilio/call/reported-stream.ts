/**
 * Owns: one stream of a call, with its scripted faults and with what the application is told about it.
 * Does not own: the stream's messages (`stream/media-stream.ts`), the other streams of the call (`call-streams.ts`).
 *
 * Source: Twilio, TwiML Stream, statusCallback; Error Dictionary 31921.
 */
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
import { postStreamReport, type StreamReport } from '../webhooks/stream-callbacks.ts';
import type { StreamedCall } from './call-streams.ts';

export interface ReportedStreamDesk {
  onEnded(end: StreamEnd): void;
  /** No socket of the stream is left. */
  onReleased(): void;
}

export class ReportedStream implements StreamListener {
  readonly media: MediaStream;
  readonly #ports: StreamPorts;
  readonly #settings: TwinSettings;
  readonly #call: StreamedCall;
  readonly #request: StreamRequest;
  readonly #desk: ReportedStreamDesk;
  readonly #saboteur: Saboteur;
  readonly #upgrade: Upgrade;
  #hasStarted = false;

  /** @param ordinal which of the call's streams it is, counted from 1 */
  constructor(
    shared: { ports: StreamPorts; settings: TwinSettings; call: StreamedCall },
    request: StreamRequest,
    ordinal: number,
    desk: ReportedStreamDesk,
  ) {
    const { ports, settings, call } = shared;
    this.#ports = ports;
    this.#settings = settings;
    this.#call = call;
    this.#request = request;
    this.#desk = desk;
    const faults = faultsOfStream(call.faults, ordinal);
    const handshake = faults.find((fault) => fault.fault === 'handshake');
    this.#upgrade = handshake ?? prepareUpgrade(request.url, request.base, settings);
    const order = {
      upgrade: this.#upgrade,
      accountSid: settings.accountSid,
      callSid: call.sid,
      parameters: request.parameters,
      firstMessageMs: settings.delays.firstMessageMs,
      sendsStop: !faults.some(({ fault }) => fault === 'stopMissing'),
      frameMs: settings.frameMs,
    };
    this.media = new MediaStream(ports, order, this);
    this.#saboteur = new Saboteur({ ...ports, frameMs: settings.frameMs }, this.media, faults, (fault) =>
      call.note({ event: 'faultStruck', at: this.#now, fault }),
    );
  }

  open(): void {
    const url = 'request' in this.#upgrade ? this.#upgrade.request.url : '';
    this.#call.note({ event: 'streamOpening', at: this.#now, streamSid: this.media.sid, url });
    this.media.open();
  }

  onStarted(): void {
    this.#hasStarted = true;
    this.#saboteur.arm();
    this.#call.note({ event: 'streamStarted', at: this.#now, streamSid: this.media.sid });
    this.#post({ event: 'stream-started' });
  }

  onEnded(end: StreamEnd): void {
    this.#saboteur.disarm();
    this.#call.note({ event: 'streamEnded', at: this.#now, streamSid: this.media.sid, end });
    const report = this.#reportOf(end);
    if (report?.event === 'stream-error') this.#call.notice(report.code, '');
    if (report !== null) this.#post(report);
    this.#desk.onEnded(end);
  }

  onReleased(): void {
    this.#desk.onReleased();
  }

  onNotice(code: NoticeCode, detail: string): void {
    this.#call.notice(code, detail);
  }

  onCleared(discardedBytes: number): void {
    this.#call.note({ event: 'playoutCleared', at: this.#now, discardedBytes });
  }

  get #now(): number {
    return this.#ports.clock.now();
  }

  /** Null where the application is told nothing: a stream that was taken back before it started. */
  #reportOf(end: StreamEnd): StreamReport | null {
    if (end.by === 'loss') return { event: 'stream-error', code: end.code };
    if (end.by === 'server' && !this.#isDeliberate(end.code)) return { event: 'stream-error', code: 31921 };
    return this.#hasStarted ? { event: 'stream-stopped' } : null;
  }

  /** 1005 is a close frame without a code (RFC 6455 section 7.1.5). */
  #isDeliberate(code: number): boolean {
    return this.#settings.closeReport === 'stream-stopped' && (code === 1000 || code === 1005);
  }

  #post(report: StreamReport): void {
    const names = {
      accountSid: this.#settings.accountSid,
      callSid: this.#call.sid,
      streamSid: this.media.sid,
      streamName: this.#request.name ?? this.media.sid,
    };
    const stamp = { at: this.#now, random: this.#ports.random };
    postStreamReport(this.#call.postman, this.#request.subscription, names, report, stamp);
  }
}
