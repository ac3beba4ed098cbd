/**
 * Owns: the words of what Twilio sends on a media stream, and their one counter.
 * Does not own: when it is sent (`media-stream.ts`).
 *
 * Invariants:
 * G1. `sequenceNumber` counts all messages of the stream from "1"; `connected` has none.
 * G2. All numbers are strings, except those in `mediaFormat`.
 *
 * Source: Twilio, Media Streams, WebSocket messages (from Twilio).
 */

export interface StreamIdentity {
  accountSid: string;
  callSid: string;
  streamSid: string;
  parameters: Readonly<Record<string, string>>;
}

export class StreamMessages {
  readonly #identity: StreamIdentity;
  readonly #tail: string;
  #sequenceNumber = 0;
  #chunk = 0;

  constructor(identity: StreamIdentity) {
    this.#identity = identity;
    this.#tail = `"streamSid":"${identity.streamSid}"}`;
  }

  /** Leaves out sequence numbers, as only a broken sender would. */
  skipSequence(messages: number): void {
    this.#sequenceNumber += messages;
  }

  connected(): string {
    return '{"event":"connected","protocol":"Call","version":"1.0.0"}';
  }

  start(): string {
    const { accountSid, callSid, streamSid, parameters } = this.#identity;
    const start = {
      accountSid,
      streamSid,
      callSid,
      tracks: ['inbound'],
      mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8_000, channels: 1 },
      customParameters: parameters,
    };
    return `{"event":"start","sequenceNumber":"${this.#next()}","start":${JSON.stringify(start)},${this.#tail}`;
  }

  /** @param payload base64; written as text because this runs fifty times a second for every call */
  media(payload: string, timestampMs: number): string {
    this.#chunk += 1;
    return (
      `{"event":"media","sequenceNumber":"${this.#next()}","media":{"track":"inbound","chunk":"${this.#chunk}",` +
      `"timestamp":"${timestampMs}","payload":"${payload}"},${this.#tail}`
    );
  }

  digit(digit: string): string {
    const { streamSid } = this.#identity;
    return JSON.stringify({
      event: 'dtmf',
      streamSid,
      sequenceNumber: this.#next(),
      dtmf: { track: 'inbound_track', digit },
    });
  }

  mark(name: string): string {
    const { streamSid } = this.#identity;
    return JSON.stringify({ event: 'mark', sequenceNumber: this.#next(), streamSid, mark: { name } });
  }

  stop(): string {
    const { accountSid, callSid, streamSid } = this.#identity;
    return JSON.stringify({
      event: 'stop',
      sequenceNumber: this.#next(),
      streamSid,
      stop: { accountSid, callSid },
    });
  }

  #next(): string {
    this.#sequenceNumber += 1;
    return String(this.#sequenceNumber);
  }
}
