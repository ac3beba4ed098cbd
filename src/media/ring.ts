/**
 * Owns: a bounded stretch of mu-law audio, addressed by running position: the caller's latest words, or reply audio
 * that the line has no room for.
 * Does not own: who has read how far (`caller-feed.ts`, `reply-queue.ts`).
 *
 * Invariants:
 * I9. At most `capacityBytes` are held, in blocks that are allocated when audio comes and used again when they fall
 *     free; the oldest audio gives way first.
 */

/** 0.6 seconds: few enough to allocate late, many enough to allocate seldom. Whole frames, so none straddles. */
export const blockBytes = 4_800;

const nothing = Buffer.alloc(0);

/**
 * A position counts the bytes that were ever appended, from 0. `start` is the oldest byte that is still held, `end`
 * is where the next one will be.
 */
export class AudioRing {
  readonly #capacityBytes: number;
  readonly #blocks: Buffer[] = [];
  /** A block that fell free, for the next append. */
  #spare: Buffer | null = null;
  /** Position of the first byte of the first block. */
  #origin = 0;
  #start = 0;
  #end = 0;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#end;
  }

  /** Bytes of memory in blocks, used or not: less than three blocks above the capacity. */
  get heldBytes(): number {
    return (this.#blocks.length + (this.#spare === null ? 0 : 1)) * blockBytes;
  }

  append(audio: Uint8Array): void {
    for (let offset = 0; offset < audio.length; ) {
      const block = this.#blockWithRoom();
      const from = this.#usedOfLastBlock();
      const count = Math.min(audio.length - offset, blockBytes - from);
      // A frame fits as a rule, and then no view is made of it.
      block.set(count === audio.length ? audio : audio.subarray(offset, offset + count), from);
      this.#advance(count);
      offset += count;
    }
  }

  /**
   * What is held from `position` on, at most `mostBytes` and at most a block's; empty at the end. A position before `start`
   * reads as `start`.
   *
   * @returns a view, valid until the next append; a copy where it lies in two blocks
   */
  readFrom(position: number, mostBytes: number): Buffer {
    const at = Math.max(position, this.#start) - this.#origin;
    const bytes = Math.min(mostBytes, blockBytes, this.#end - this.#origin - at);
    const index = Math.floor(at / blockBytes);
    const from = at % blockBytes;
    const [block, next] = [this.#blocks[index], this.#blocks[index + 1]];
    if (block === undefined || bytes <= 0) return nothing;
    const first = block.subarray(from, from + bytes);
    if (first.length === bytes || next === undefined) return first;
    return Buffer.concat([first, next], bytes);
  }

  /** Lets go of everything before `position`; at most of everything there is. */
  forgetBefore(position: number): void {
    if (position > this.#start) this.#startAt(Math.min(position, this.#end));
  }

  /** Lets go of the audio and the memory; positions count on. */
  clear(): void {
    this.#blocks.length = 0;
    this.#spare = null;
    this.#origin = this.#end;
    this.#start = this.#end;
  }

  #usedOfLastBlock(): number {
    return this.#end - this.#origin - (this.#blocks.length - 1) * blockBytes;
  }

  #blockWithRoom(): Buffer {
    const last = this.#blocks.at(-1);
    if (last !== undefined && this.#usedOfLastBlock() < blockBytes) return last;
    const block = this.#spare ?? Buffer.allocUnsafeSlow(blockBytes);
    this.#spare = null;
    this.#blocks.push(block);
    return block;
  }

  #advance(count: number): void {
    this.#end += count;
    this.forgetBefore(this.#end - this.#capacityBytes);
  }

  #startAt(position: number): void {
    this.#start = position;
    while (this.#blocks.length > 0 && this.#origin + blockBytes <= position) {
      this.#spare = this.#blocks.shift() ?? null;
      this.#origin += blockBytes;
    }
  }
}
