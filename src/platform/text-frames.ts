/**
 * Owns: WebSocket frames as far as ordinary text needs them: writing a text frame, and taking those that come whole out
 * of what a connection brings.
 * Does not own: the protocol. Whatever is not such a frame is given on as it came, to an implementation of all of it.
 *
 * A media stream is 50 small text messages a second and call, and reading each of them as a message of any kind costs
 * more than all that is done with it.
 *
 * Source: RFC 6455 sections 5.2 (frames), 5.3 (masking), 5.4 (fragmentation).
 *
 * Invariants:
 * W1. Frames are given on in the order in which they came, each once and whole: as a text, or as its bytes.
 * W2. What follows in one piece upon a frame that is not ordinary is given on as bytes, too: whether the connection
 *     outlives that frame is not decided here.
 * W3. What comes after a close frame, in a later piece, is nobody's: who reads frames listens no longer.
 */
import { isAscii } from 'node:buffer';
import { randomFillSync } from 'node:crypto';

const text = 0x1;
const finalText = 0x80 | text;
const closeFrame = 0x8;
const maskBit = 0x80;
/** Lengths from here on have a place of their own, of 2 or 8 bytes. */
const length16 = 126;
const length64 = 127;
const maskBytes = 4;
const mostHeadBytes = 14;

/** Frames above this are left to others, as is any that is not ASCII. */
export const ordinaryBytes = 16_384;

const masks = Buffer.allocUnsafeSlow(8_192);
let usedMaskBytes = masks.length;

/** Where in `masks` the next mask lies: it must not be known before (section 10.3). */
function nextMask(): number {
  if (usedMaskBytes === masks.length) {
    randomFillSync(masks);
    usedMaskBytes = 0;
  }
  usedMaskBytes += maskBytes;
  return usedMaskBytes - maskBytes;
}

/** The message as one frame. @param isMasked as a client must, and a server must not */
export function textFrame(message: string, isMasked: boolean): Buffer {
  const length = Buffer.byteLength(message);
  const lengthBytes = length < length16 ? 0 : length < 65_536 ? 2 : 8;
  const start = 2 + lengthBytes + (isMasked ? maskBytes : 0);
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = finalText;
  frame[1] =
    (isMasked ? maskBit : 0) | (lengthBytes === 0 ? length : lengthBytes === 2 ? length16 : length64);
  if (lengthBytes === 2) frame.writeUInt16BE(length, 2);
  else if (lengthBytes === 8) frame.writeBigUInt64BE(BigInt(length), 2);
  frame.write(message, start, length === message.length ? 'latin1' : 'utf8');
  if (isMasked) mask(frame, start);
  return frame;
}

/** Text that is masked or unmasked, four bytes at a time: the mask of a frame, and then its text. */
const scratch = Buffer.allocUnsafeSlow(maskBytes + ordinaryBytes);
const words = new Int32Array(scratch.buffer);
const notAscii = 0x80_80_80_80;

function mask(frame: Buffer, start: number): void {
  const from = nextMask();
  masks.copy(frame, start - maskBytes, from, from + maskBytes);
  masks.copy(scratch, 0, from, from + maskBytes);
  for (let at = start; at < frame.length; at += ordinaryBytes) {
    frame.copy(scratch, maskBytes, at, at + ordinaryBytes);
    clearWords(Math.min(ordinaryBytes, frame.length - at));
    scratch.copy(frame, at, maskBytes);
  }
}

/**
 * Masks the bytes in the scratch behind their mask, or takes the mask away, and up to three bytes after them.
 * @returns bits that are set in any of the words
 */
function clearWords(bytes: number): number {
  const [maskWord = 0] = words;
  let bits = 0;
  for (let word = 1; (word - 1) * maskBytes < bytes; word++) {
    const clear = (words[word] ?? 0) ^ maskWord;
    words[word] = clear;
    bits |= clear;
  }
  return bits;
}

interface FrameHead {
  isFinal: boolean;
  opcode: number;
  /** Of the whole frame, this head included. */
  bytes: number;
}

/** Null where it is not all there. */
function readHead(bytes: Buffer): FrameHead | null {
  const [first = 0, second = 0] = bytes;
  const short = second & 0x7f;
  const lengthBytes = short < length16 ? 0 : short === length16 ? 2 : 8;
  if (bytes.length < 2 + lengthBytes) return null;
  const length =
    lengthBytes === 0 ? short : lengthBytes === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  const head = 2 + lengthBytes + ((second & maskBit) === 0 ? 0 : maskBytes);
  return { isFinal: (first & 0x80) !== 0, opcode: first & 0x0f, bytes: head + length };
}

export interface FrameListener {
  /** Whether texts are given on as such: until the connection begins to close. */
  takesTexts(): boolean;
  onText(message: string): void;
  /** What is not ordinary: whole frames or parts of them. */
  onBytes(bytes: Buffer): void;
}

const nothing = Buffer.alloc(0);

/** What a connection brings, from its first frame on. */
export class IncomingFrames {
  readonly #maskBit: number;
  readonly #mostBytes: number;
  readonly #listener: FrameListener;
  /** Bytes to come of a frame that was given on in part. */
  #leftBytes = 0;
  /** Of a frame whose head has not come whole. */
  #head = nothing;
  /** Within a message of several frames. */
  #isWithinMessage = false;
  /** A close frame has begun. */
  #isLast = false;

  /**
   * @param isMasked whether the far side masks what it sends, as a client must
   * @param mostBytes of a message that may be taken as a text
   */
  constructor(isMasked: boolean, mostBytes: number, listener: FrameListener) {
    this.#maskBit = isMasked ? maskBit : 0;
    this.#mostBytes = Math.min(mostBytes, ordinaryBytes);
    this.#listener = listener;
  }

  /** Of the last frame not all has come. */
  get isWithinFrame(): boolean {
    return this.#leftBytes > 0 || this.#head.length > 0;
  }

  take(bytes: Buffer): void {
    if (this.#isLast && this.#leftBytes === 0) return;
    let at = 0;
    while (at < bytes.length && this.#isBetweenMessages() && this.#listener.takesTexts()) {
      const end = this.#takeText(bytes, at);
      if (end === at) break;
      at = end;
    }
    if (at === bytes.length) return;
    const rest = at === 0 ? bytes : bytes.subarray(at);
    this.#follow(rest);
    this.#listener.onBytes(rest);
  }

  #isBetweenMessages(): boolean {
    return !this.isWithinFrame && !this.#isWithinMessage;
  }

  /** @returns where the frame ends; `from` where it is no ordinary one */
  #takeText(bytes: Buffer, from: number): number {
    const second = bytes[from + 1] ?? length64;
    const short = second & ~maskBit;
    if (bytes[from] !== finalText || second - short !== this.#maskBit || short === length64) return from;
    const isLong = short === length16;
    const length = isLong ? ((bytes[from + 2] ?? 0) << 8) | (bytes[from + 3] ?? 0) : short;
    const start = from + (isLong ? 4 : 2) + (this.#maskBit === 0 ? 0 : maskBytes);
    const end = start + length;
    if (end > bytes.length || length > this.#mostBytes) return from;
    const message = this.#maskBit === 0 ? plain(bytes, start, end) : unmasked(bytes, start, end);
    if (message === null) return from;
    this.#listener.onText(message);
    return end;
  }

  /** Keeps in mind where the frames end that are given on as bytes. */
  #follow(bytes: Buffer): void {
    let at = Math.min(this.#leftBytes, bytes.length);
    this.#leftBytes -= at;
    while (at < bytes.length && !this.#isLast) {
      const known = this.#head.length;
      const begun = Buffer.concat([this.#head, bytes.subarray(at, at + mostHeadBytes)]);
      const head = readHead(begun);
      this.#head = head === null ? begun : nothing;
      if (head === null) return;
      this.#note(head);
      const end = Math.min(at + head.bytes - known, bytes.length);
      this.#leftBytes = at + head.bytes - known - end;
      at = end;
    }
  }

  #note({ isFinal, opcode }: FrameHead): void {
    const isControl = opcode >= closeFrame;
    this.#isLast = opcode === closeFrame;
    if (!isControl) this.#isWithinMessage = !isFinal;
  }
}

/** The text of a masked frame; null where it is not ASCII. */
function unmasked(bytes: Buffer, start: number, end: number): string | null {
  bytes.copy(scratch, 0, start - maskBytes, end);
  const scratchEnd = end - start + maskBytes;
  // What the last word has beyond the text comes out as 0.
  for (let at = scratchEnd; at % maskBytes !== 0; at++) scratch[at] = scratch[at % maskBytes] ?? 0;
  const bits = clearWords(end - start);
  return (bits & notAscii) === 0 ? scratch.toString('latin1', maskBytes, scratchEnd) : null;
}

/** The text of a frame without a mask; null where it is not ASCII. */
function plain(bytes: Buffer, start: number, end: number): string | null {
  return isAscii(bytes.subarray(start, end)) ? bytes.toString('latin1', start, end) : null;
}
