/**
 * Owns: the media streams of one call: which one is alive, and which still hold a socket.
 * Does not own: a stream (`reported-stream.ts`), what comes after one (`twiml/connect-verb.ts`).
 *
 * Invariants:
 * Q1. At most one stream of a call is alive; half-open ones that Twilio gave up wait beside it, at most two minutes.
 */
import type { CallFaults } from '../faults.ts';
import type { NoticeCode } from '../notices.ts';
import type { TwinSettings } from '../settings.ts';
import type { StreamEnd, StreamPorts } from '../stream/media-stream.ts';
import type { StreamRequest } from '../twiml/stage.ts';
import type { Postman } from '../webhooks/postman.ts';
import type { CallEvent } from './call-events.ts';
import type { LineStream } from './phone-line.ts';
import { ReportedStream } from './reported-stream.ts';

/** What streams need of their call. */
export interface StreamedCall {
  readonly sid: string;
  readonly faults: CallFaults;
  readonly postman: Postman;
  connectLine(stream: LineStream | null): void;
  note(event: CallEvent): void;
  notice(code: NoticeCode, detail: string): void;
}

export class CallStreams {
  readonly #shared: { ports: StreamPorts; settings: TwinSettings; call: StreamedCall };
  /** All that still hold a socket. */
  readonly #streams = new Set<ReportedStream>();
  #openedStreams = 0;
  #current: ReportedStream | null = null;

  constructor(ports: StreamPorts, settings: TwinSettings, call: StreamedCall) {
    this.#shared = { ports, settings, call };
  }

  /** Resolves when the stream has ended; ends it when the signal is aborted. */
  open(request: StreamRequest, signal: AbortSignal): Promise<StreamEnd> {
    this.#openedStreams += 1;
    return new Promise((resolve) => {
      const stop = (): void => stream.media.stop();
      const stream: ReportedStream = new ReportedStream(this.#shared, request, this.#openedStreams, {
        onEnded: (end) => {
          signal.removeEventListener('abort', stop);
          this.#leave();
          resolve(end);
        },
        onReleased: () => this.#streams.delete(stream),
      });
      signal.addEventListener('abort', stop);
      this.#enter(stream);
      stream.open();
    });
  }

  sendDigit(digit: string): void {
    this.#current?.media.sendDigit(digit);
  }

  /** Lets go of every socket. */
  dispose(): void {
    for (const stream of this.#streams) stream.media.dispose();
  }

  #enter(stream: ReportedStream): void {
    this.#streams.add(stream);
    this.#current = stream;
    this.#shared.call.connectLine(stream.media);
  }

  #leave(): void {
    this.#current = null;
    this.#shared.call.connectLine(null);
  }
}
