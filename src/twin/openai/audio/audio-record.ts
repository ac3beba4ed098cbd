/**
 * Owns: the newest bytes of audio that a client appended, addressed by their place in all that was ever appended.
 * Does not own: what they mean.
 *
 * Bound: `capacityBytes`, taken step by step as audio comes in. The oldest bytes make room for new ones.
 */
const firstBytes = 8_192;

export class AudioRecord {
  readonly #capacityBytes: number;
  #ring = new Uint8Array(0);
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
    const kept = audio.subarray(Math.max(0, audio.byteLength - this.#capacityBytes));
    this.#grow(this.#appendedBytes + audio.byteLength);
    this.#appendedBytes += audio.byteLength;
    if (kept.byteLength === 0) return;
    const start = (this.#appendedBytes - kept.byteLength) % this.#ring.byteLength;
    const untilEnd = kept.subarray(0, this.#ring.byteLength - start);
    this.#ring.set(untilEnd, start);
    this.#ring.set(kept.subarray(untilEnd.byteLength), 0);
  }

  /** A copy of the bytes from place `start` to place `end`, as far as they are kept. */
  read(start = 0, end = this.#appendedBytes): Uint8Array {
    const first = Math.max(start, this.oldestByte);
    const last = Math.min(end, this.#appendedBytes);
    if (last <= first) return new Uint8Array(0);
    const from = first % this.#ring.byteLength;
    const count = last - first;
    const untilEnd = this.#ring.subarray(from, from + count);
    return Uint8Array.from(Buffer.concat([untilEnd, this.#ring.subarray(0, count - untilEnd.byteLength)]));
  }

  /** While the ring is not at its capacity nothing has wrapped round: the bytes keep their places. */
  #grow(neededBytes: number): void {
    if (neededBytes <= this.#ring.byteLength || this.#ring.byteLength === this.#capacityBytes) return;
    const wanted = Math.max(firstBytes, 2 * this.#ring.byteLength, neededBytes);
    const grown = new Uint8Array(Math.min(this.#capacityBytes, wanted));
    grown.set(this.#ring.subarray(0, Math.min(this.#appendedBytes, grown.byteLength)));
    this.#ring = grown;
  }
}
