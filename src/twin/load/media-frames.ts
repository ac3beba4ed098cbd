/**
 * Owns: the media messages of one stream, as whole WebSocket frames of a client: everything but their numbers and
 * stamps is put together and masked once.
 * Does not own: when they are sent.
 *
 * All four bytes of the mask are the same, so that what is masked can be moved; it is not zero, which would spare the
 * far side the work of taking it off.
 *
 * Source: Twilio, Media Streams, WebSocket messages: `media`; RFC 6455 section 5.3.
 */
import { headerBytes, writeHeader } from './frame-socket.ts';
import { frameBytes, type Stamp, speech, writeStamp, writeStampBase64 } from './frame-stamp.ts';

const maskByte = 0x5a;
const masked = (text: string): Buffer => Buffer.from(text).map((byte) => byte ^ maskByte) as Buffer;

const head = masked('{"event":"media","sequenceNumber":"');
const beforeChunk = masked('","media":{"track":"inbound","chunk":"');
const beforeTimestamp = masked('","timestamp":"');
const beforePayload = masked('","payload":"');

/** Of a voice, or of a line on which nobody speaks: neither is digital silence on a real phone. */
function audioOf(kind: number, frames: number): Buffer {
  const loudness = kind === speech ? 0x30 : 0x06;
  const audio = Buffer.alloc(frames * frameBytes);
  for (let at = 0; at < audio.length; at++) {
    audio[at] = 0xff - Math.abs(Math.round(loudness * Math.sin(at / 3))) - ((at * 7) % 3);
  }
  writeStamp(audio, 0, 0, kind, 0);
  return audio;
}

export class MediaFrames {
  readonly #payloads: readonly Buffer[];
  readonly #tail: Buffer;
  readonly #stamp: Stamp;

  constructor(streamSid: string, owner: number, framesPerMessage: number) {
    this.#payloads = payloadsOf(framesPerMessage);
    this.#tail = masked(`"},"streamSid":"${streamSid}"}`);
    this.#stamp = { owner, kind: 0, number: 0 };
  }

  /** @param number the frame's, for its stamp */
  write(sequence: number, chunk: number, timestampMs: number, kind: number, number: number): Buffer {
    const payload = this.#payloads[kind] ?? Buffer.alloc(0);
    const bytes =
      head.length +
      digitsOf(sequence) +
      beforeChunk.length +
      digitsOf(chunk) +
      beforeTimestamp.length +
      digitsOf(timestampMs) +
      beforePayload.length +
      payload.length +
      this.#tail.length;
    const frame = Buffer.allocUnsafe(headerBytes(bytes) + 4 + bytes);
    let at = writeHeader(frame, 1, bytes, true);
    at = frame.fill(maskByte, at, at + 4) && at + 4;
    at += head.copy(frame, at);
    at = writeNumber(frame, at, sequence);
    at += beforeChunk.copy(frame, at);
    at = writeNumber(frame, at, chunk);
    at += beforeTimestamp.copy(frame, at);
    at = writeNumber(frame, at, timestampMs);
    at += beforePayload.copy(frame, at);
    payload.copy(frame, at);
    this.#stamp.kind = kind;
    this.#stamp.number = number;
    writeStampBase64(frame, at, this.#stamp, maskByte);
    this.#tail.copy(frame, at + payload.length);
    return frame;
  }
}

const payloadsBySize = new Map<number, readonly Buffer[]>();

function payloadsOf(framesPerMessage: number): readonly Buffer[] {
  const known = payloadsBySize.get(framesPerMessage);
  if (known !== undefined) return known;
  const made = [0, 1].map((kind) => masked(audioOf(kind, framesPerMessage).toString('base64')));
  payloadsBySize.set(framesPerMessage, made);
  return made;
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++;
  return digits;
}

function writeNumber(target: Buffer, at: number, value: number): number {
  const end = at + digitsOf(value);
  let rest = value;
  for (let place = end - 1; place >= at; place--) {
    target[place] = (0x30 + (rest % 10)) ^ maskByte;
    rest = Math.floor(rest / 10);
  }
  return end;
}
