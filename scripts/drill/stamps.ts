/**
 * Owns: reading the stamps of the offline model's sound frame by frame, as it is heard.
 * Does not own: what a stamp is (`src/twin/openai/segments.ts`).
 *
 * The line's frames need not begin where the model's do: a stamp may lie across two of them.
 */
import { readSegments } from '../../src/twin/openai/segments.ts';

export interface Stamp {
  reply: number;
  segment: number;
  frame: number;
}

/** A stamp lies wholly within this many bytes of its frame's beginning. */
const keptBytes = 176;
/** Stamps that can still lie in the kept bytes. */
const keptStamps = 2;

const isSame = (one: Stamp, other: Stamp): boolean =>
  one.reply === other.reply && one.segment === other.segment && one.frame === other.frame;

export class StampReader {
  #tail = new Uint8Array(0);
  #recent: Stamp[] = [];

  /** The stamps that are complete with this frame, oldest first. Null is silence. */
  read(frame: Uint8Array | null): Stamp[] {
    if (frame === null) {
      this.#tail = new Uint8Array(0);
      this.#recent = [];
      return [];
    }
    const sound = Buffer.concat([this.#tail, frame]);
    this.#tail = Uint8Array.from(sound.subarray(Math.max(0, sound.length - keptBytes)));
    const stamps = readSegments(sound).flatMap(({ reply, segment, frames }) =>
      frames.map((number) => ({ reply, segment, frame: number })),
    );
    const fresh = stamps.filter((stamp) => !this.#recent.some((known) => isSame(known, stamp)));
    this.#recent = [...this.#recent, ...fresh].slice(-keptStamps);
    return fresh;
  }
}
