/**
 * Owns: the newest bytes of audio that a client appended, addressed by their place in all that was ever appended.
 * Does not own: what they mean.
 *
 * What is appended is kept as it is, without a copy: nobody may write into it afterwards.
 *
 * Bound: pieces that lie before the newest `capacityBytes` are let go of, but for the one that reaches into them.
 */
interface Piece {
  /** Place of its first byte. */
  start: number;
  audio: Uint8Array;
}

/** Pieces let go of that the list may still have room for: it is cut seldom. */
const mostGone = 256;

export class AudioRecord {
  readonly #capacityBytes: number;
  #pieces: Piece[] = [];
  /** Pieces at the head of the list that were let go of. */
  #gone = 0;
  #appendedBytes = 0;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  /** All bytes ever appended, whether they are still kept or not. */
  get appendedBytes(): number {
    return this.#appendedBytes;
  }

  /** Where the kept bytes begin. */
  get oldestByte(): number {
    return Math.max(0, this.#appendedBytes - this.#capacityBytes);
  }

  append(audio: Uint8Array): void {
    if (audio.byteLength === 0) return;
    this.#pieces.push({ start: this.#appendedBytes, audio });
    this.#appendedBytes += audio.byteLength;
    this.#letGo();
  }

  /** A copy of the bytes from place `start` to place `end`, as far as they are kept. */
  read(start = 0, end = this.#appendedBytes): Uint8Array {
    const first = Math.max(start, this.oldestByte);
    const last = Math.min(end, this.#appendedBytes);
    if (last <= first) return new Uint8Array(0);
    const bytes = new Uint8Array(last - first);
    for (const piece of this.#pieces) {
      const from = Math.max(0, first - piece.start);
      const to = Math.min(piece.audio.byteLength, last - piece.start);
      const isInside = from === 0 && to === piece.audio.byteLength;
      if (from < to)
        bytes.set(isInside ? piece.audio : piece.audio.subarray(from, to), piece.start + from - first);
    }
    return bytes;
  }

  #letGo(): void {
    const oldest = this.oldestByte;
    for (let piece = this.#pieces[this.#gone]; piece !== undefined; piece = this.#pieces[this.#gone]) {
      if (piece.start + piece.audio.byteLength > oldest) break;
      this.#pieces[this.#gone] = nothing;
      this.#gone += 1;
    }
    if (this.#gone <= mostGone) return;
    this.#pieces = this.#pieces.slice(this.#gone);
    this.#gone = 0;
  }
}

const nothing: Piece = { start: 0, audio: new Uint8Array(0) };
