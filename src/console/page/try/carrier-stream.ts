/**
 * Owns: one media stream as the carrier's side speaks it (Twilio, Media Streams, WebSocket messages): `connected`, `start`,
 * `media`, `mark`, `dtmf`, `stop` to the server; `media`, `mark` and `clear` from it.
 * Does not own: the sound (`audio.ts`), when a stream is opened (`phone.ts`).
 *
 * Numbers in messages are strings; the sequence counts all messages from `start` on.
 */
import type { SpeakerOrder } from './play-out.ts';

const frameMs = 20;
const openState = 1;
const firstTimestampMs = 120;
/** The account that a call from the browser belongs to. */
const accountSid = `AC${'0'.repeat(32)}`;

/** What is used of a WebSocket. */
export interface StreamSocket {
  /** `WebSocket.readyState`. */
  readonly readyState: number;
  send(text: string): void;
  close(code?: number): void;
}

interface ServerMessage {
  event?: string;
  media?: { payload?: string };
  mark?: { name?: string };
}

export interface StreamOptions {
  callSid: string;
  streamSid: string;
  token: string;
  speaker(order: SpeakerOrder): void;
}

export const newStreamSid = (): string => `MZ${crypto.randomUUID().replaceAll('-', '')}`;

const bytesOf = (base64: string): Uint8Array =>
  Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
const base64Of = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

export class CarrierStream {
  readonly #socket: StreamSocket;
  readonly #options: StreamOptions;
  #sequence = 0;
  #chunk = 0;

  /** @param socket that is open */
  constructor(socket: StreamSocket, options: StreamOptions) {
    this.#socket = socket;
    this.#options = options;
    const { callSid, streamSid, token } = options;
    socket.send(JSON.stringify({ event: 'connected', protocol: 'Call', version: '1.0.0' }));
    const mediaFormat = { encoding: 'audio/x-mulaw', sampleRate: 8_000, channels: 1 };
    const customParameters = { token };
    const start = { accountSid, streamSid, callSid, tracks: ['inbound'], mediaFormat, customParameters };
    this.#send({ event: 'start', start });
  }

  /** 20 ms of the caller. */
  sendFrame(frame: Uint8Array): void {
    const timestamp = String(firstTimestampMs + this.#chunk * frameMs);
    this.#chunk++;
    const media = { track: 'inbound', chunk: String(this.#chunk), timestamp, payload: base64Of(frame) };
    this.#send({ event: 'media', media });
  }

  /** The line has played everything before the mark, or thrown it away. */
  sendMark(name: string): void {
    this.#send({ event: 'mark', mark: { name } });
  }

  sendDigit(digit: string): void {
    this.#send({ event: 'dtmf', dtmf: { track: 'inbound_track', digit } });
  }

  stop(): void {
    const { callSid } = this.#options;
    this.#send({ event: 'stop', stop: { accountSid, callSid } });
    this.#socket.close(1000);
  }

  /** A message that is none is passed over, as the carrier does. */
  take(text: string): void {
    const { event, media, mark } = parsed(text);
    const { speaker } = this.#options;
    if (event === 'media' && media?.payload) speaker({ do: 'play', bytes: bytesOf(media.payload) });
    else if (event === 'mark' && mark?.name) speaker({ do: 'mark', name: mark.name });
    else if (event === 'clear') speaker({ do: 'clear' });
  }

  /** Sound goes on for a moment after the far side has closed. */
  #send(message: object): void {
    if (this.#socket.readyState !== openState) return;
    this.#sequence++;
    const { streamSid } = this.#options;
    this.#socket.send(JSON.stringify({ ...message, sequenceNumber: String(this.#sequence), streamSid }));
  }
}

function parsed(text: string): ServerMessage {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
