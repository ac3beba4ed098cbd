/**
 * Owns: one open WebSocket of a load peer, on the bare stream (RFC 6455): frames are read where they lie and written
 * into one buffer, since a generator that spends more than what it measures measures itself.
 * Does not own: the handshake, which Node's http does (`handshake.ts`), what the messages mean.
 *
 * Messages come whole: what is measured sends none in fragments, and one in fragments ends the socket.
 */
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';

const opcodes = { text: 1, close: 8, ping: 9, pong: 10 } as const;
const unmasked = new Uint8Array(4);
const longestMessageBytes = 16 * 1_024 * 1_024;

/** A text message where it lies in the chunk that brought it. Valid until the handler returns. */
export interface Message {
  bytes: Buffer;
  start: number;
  length: number;
  /** Zeros where the far side masks nothing. */
  mask: Uint8Array;
}

export interface FrameSocketHandlers {
  onMessage(message: Message): void;
  /** Once, however it ended. 1005 and 1006 as RFC 6455 section 7.4.1 has them. */
  onClosed(code: number): void;
}

/** The text of a message; the bytes are unmasked where they lie. */
export function textOf({ bytes, start, length, mask }: Message): string {
  if (mask !== unmasked)
    for (let at = 0; at < length; at++) bytes[start + at] = byteOf(bytes, start, at, mask);
  return bytes.toString('utf8', start, start + length);
}

const byteOf = (bytes: Uint8Array, start: number, at: number, mask: Uint8Array): number =>
  (bytes[start + at] ?? 0) ^ (mask[at & 3] ?? 0);

/** Whether the message begins with the text. */
export function beginsWith({ bytes, start, length, mask }: Message, text: Uint8Array): boolean {
  if (length < text.length) return false;
  for (let at = 0; at < text.length; at++) if (byteOf(bytes, start, at, mask) !== text[at]) return false;
  return true;
}

export function headerBytes(payloadBytes: number): number {
  return payloadBytes < 126 ? 2 : payloadBytes < 65_536 ? 4 : 10;
}

/** Writes the head of a text frame; a client's is followed by its mask. */
export function writeHeader(target: Buffer, opcode: number, payloadBytes: number, isMasked: boolean): number {
  const flag = isMasked ? 0x80 : 0;
  target[0] = 0x80 | opcode;
  if (payloadBytes < 126) {
    target[1] = flag | payloadBytes;
    return 2;
  }
  if (payloadBytes < 65_536) {
    target[1] = flag | 126;
    target.writeUInt16BE(payloadBytes, 2);
    return 4;
  }
  target[1] = flag | 127;
  target.writeBigUInt64BE(BigInt(payloadBytes), 2);
  return 10;
}

export class FrameSocket {
  readonly #stream: Duplex;
  readonly #isClient: boolean;
  readonly #handlers: FrameSocketHandlers;
  readonly #message: Message = { bytes: Buffer.alloc(0), start: 0, length: 0, mask: unmasked };
  #rest: Buffer | null = null;
  #closeCode = 1006;
  #isClosing = false;
  #hasEnded = false;

  /** @param head what came behind the handshake */
  constructor(stream: Duplex, head: Buffer, isClient: boolean, handlers: FrameSocketHandlers) {
    this.#stream = stream;
    this.#isClient = isClient;
    this.#handlers = handlers;
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('error', () => stream.destroy());
    stream.on('end', () => stream.destroy());
    stream.on('close', () => this.#ended());
    if (head.length > 0) stream.unshift(head);
  }

  get isOpen(): boolean {
    return !this.#isClosing && !this.#hasEnded;
  }

  sendText(text: string): void {
    this.#send(opcodes.text, Buffer.from(text));
  }

  /** A whole frame, head and mask included. */
  sendFrame(frame: Buffer): void {
    if (this.isOpen) this.#stream.write(frame);
  }

  /** Reads nothing more until `resume`: the far side's messages pile up. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  close(code: number): void {
    if (!this.isOpen) return;
    this.#closeCode = code;
    this.#sendClose(code);
    setTimeout(() => this.#stream.destroy(), 1_000).unref();
  }

  terminate(): void {
    this.#stream.destroy();
  }

  #send(opcode: number, payload: Buffer): void {
    if (!this.isOpen) return;
    const headBytes = headerBytes(payload.length) + (this.#isClient ? 4 : 0);
    const frame = Buffer.allocUnsafe(headBytes + payload.length);
    writeHeader(frame, opcode, payload.length, this.#isClient);
    payload.copy(frame, headBytes);
    if (this.#isClient) maskInPlace(frame, headBytes);
    this.#stream.write(frame);
  }

  #sendClose(code: number): void {
    const payload = Buffer.alloc(2);
    payload.writeUInt16BE(code === 1005 ? 1000 : code);
    this.#send(opcodes.close, payload);
    this.#isClosing = true;
  }

  #take(chunk: Buffer): void {
    const bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = null;
    let at = 0;
    while (at < bytes.length) {
      const next = this.#readFrame(bytes, at);
      if (next < 0) break;
      at = next;
    }
    if (at < bytes.length && !this.#hasEnded) this.#rest = bytes.subarray(at);
  }

  /** @returns where the next frame begins; -1 where this one is not whole */
  #readFrame(bytes: Buffer, at: number): number {
    if (bytes.length - at < 2) return -1;
    const second = bytes[at + 1] ?? 0;
    const short = second & 0x7f;
    let start = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
    const isMasked = second >= 0x80;
    if (isMasked) start += 4;
    if (bytes.length < start) return -1;
    const length =
      short < 126
        ? short
        : short === 126
          ? bytes.readUInt16BE(at + 2)
          : Number(bytes.readBigUInt64BE(at + 2));
    if (length > longestMessageBytes) this.terminate();
    if (bytes.length < start + length) return -1;
    const message = this.#message;
    message.bytes = bytes;
    message.start = start;
    message.length = length;
    message.mask = isMasked ? bytes.subarray(start - 4, start) : unmasked;
    this.#handle(bytes[at] ?? 0);
    return start + length;
  }

  #handle(first: number): void {
    if (first === (0x80 | opcodes.text)) this.#handlers.onMessage(this.#message);
    else if (first === (0x80 | opcodes.ping)) this.#send(opcodes.pong, Buffer.from(textOf(this.#message)));
    else if (first === (0x80 | opcodes.close)) this.#takeClose();
    else if (first !== (0x80 | opcodes.pong)) this.terminate();
  }

  #takeClose(): void {
    const { bytes, start, length, mask } = this.#message;
    if (!this.#isClosing) {
      this.#closeCode =
        length < 2 ? 1005 : (byteOf(bytes, start, 0, mask) << 8) | byteOf(bytes, start, 1, mask);
      this.#sendClose(this.#closeCode);
    }
    this.#stream.end();
  }

  #ended(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#rest = null;
    this.#handlers.onClosed(this.#closeCode);
  }
}

function maskInPlace(frame: Buffer, headBytes: number): void {
  const mask = randomBytes(4);
  mask.copy(frame, headBytes - 4);
  for (let at = headBytes; at < frame.length; at++) {
    frame[at] = (frame[at] ?? 0) ^ (mask[(at - headBytes) & 3] ?? 0);
  }
}
