import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AudioRing, blockBytes } from '../../src/media/ring.ts';
import { placedAudio } from './support/rig.ts';

function contentsOf(ring: AudioRing, from = ring.start): Buffer {
  const pieces: Buffer[] = [];
  for (let position = from; position < ring.end; position += pieces.at(-1)?.length ?? 0) {
    pieces.push(Buffer.from(ring.readFrom(position, 8_000)));
  }
  return Buffer.concat(pieces);
}

/** A ring beside the range of positions that it should hold. */
class CheckedRing {
  readonly #ring: AudioRing;
  readonly #capacity: number;
  #start = 0;
  #end = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#ring = new AudioRing(capacity);
  }

  append(bytes: number): void {
    this.#ring.append(placedAudio(this.#end, bytes));
    this.#grow(bytes);
  }

  forget(share: number): void {
    const position = Math.round(this.#start + (this.#end - this.#start) * share);
    this.#ring.forgetBefore(position);
    this.#start = Math.min(Math.max(this.#start, position), this.#end);
  }

  clear(): void {
    this.#ring.clear();
    this.#start = this.#end;
    expect(this.#ring.heldBytes).toBe(0);
  }

  check(): void {
    const ring = this.#ring;
    expect([ring.start, ring.end]).toEqual([this.#start, this.#end]);
    expect(contentsOf(ring).equals(placedAudio(this.#start, this.#end - this.#start))).toBe(true);
    expect(ring.heldBytes).toBeLessThan(this.#capacity + 3 * blockBytes);
  }

  #grow(bytes: number): void {
    this.#end += bytes;
    this.#start = Math.max(this.#start, this.#end - this.#capacity);
  }
}

type Step = (ring: CheckedRing) => void;

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.integer({ min: 0, max: 12_000 }).map(
    (bytes): Step =>
      (ring) =>
        ring.append(bytes),
  ),
  fc.double({ min: -0.2, max: 1.2, noNaN: true }).map(
    (share): Step =>
      (ring) =>
        ring.forget(share),
  ),
  fc.constant<Step>((ring) => ring.clear()),
);

test('under any sequence of appends and forgetting, the ring holds the newest audio within its bound', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20_000 }), fc.array(step, { maxLength: 40 }), (capacity, steps) => {
      const ring = new CheckedRing(capacity);
      for (const take of steps) {
        take(ring);
        ring.check();
      }
    }),
  );
});

test('a read stops at the number of bytes asked for, after as much as a block has, and at the end', () => {
  const ring = new AudioRing(20_000);
  ring.append(placedAudio(0, blockBytes + 100));
  expect(ring.readFrom(10, 50)).toEqual(placedAudio(10, 50));
  expect(ring.readFrom(blockBytes - 30, 50)).toEqual(placedAudio(blockBytes - 30, 50));
  expect(ring.readFrom(0, 8_000)).toEqual(placedAudio(0, blockBytes));
  expect(ring.readFrom(60, 8_000)).toEqual(placedAudio(60, blockBytes));
  expect(ring.readFrom(blockBytes, 8_000)).toEqual(placedAudio(blockBytes, 100));
  for (const beyond of [100, 200]) expect(ring.readFrom(blockBytes + beyond, 50)).toHaveLength(0);
});

test('a position that fell out of the ring reads from the oldest audio', () => {
  const ring = new AudioRing(100);
  ring.append(placedAudio(0, 300));
  expect(ring.readFrom(0, 20)).toEqual(placedAudio(200, 20));
});

test('nothing is allocated before there is audio, and full rings use their blocks again', () => {
  const ring = new AudioRing(2 * blockBytes);
  expect(ring.heldBytes).toBe(0);
  ring.append(placedAudio(0, 160));
  expect(ring.heldBytes).toBe(blockBytes);
  const blocks = new Set<ArrayBufferLike>();
  for (let position = 160; position < 20 * blockBytes; position += 160) {
    ring.append(placedAudio(position, 160));
    blocks.add(ring.readFrom(ring.end - 1, 1).buffer);
  }
  expect(blocks.size).toBe(3);
});
