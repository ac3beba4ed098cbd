/**
 * Owns: random stories of a model that speaks and a caller who interrupts, told to a bridge, beside the truth of what
 * the model sent and what the caller heard.
 *
 * Every item's audio is made of one byte value, its number: what the caller heard of it can be counted. The holding
 * sound is too soft to have any of these values in it.
 */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { HeardItem } from '../../../src/media/playback-ledger.ts';
import { Rig } from './rig.ts';
import type { SimulatedLine } from './simulated-line.ts';

const intervalBytes = 1_600;

interface ToldItem {
  number: number;
  itemId: string;
  replyId: string;
  receivedBytes: number;
  /** What the caller had heard when it was interrupted; null while it may be heard further. */
  silencedAtBytes: number | null;
  /** Some of it was refused, or its line was lost. */
  isTorn: boolean;
}

export class Story {
  readonly rig = new Rig({ replyQueueMs: 2_000 });
  readonly #lines: SimulatedLine[] = [this.rig.attachLine()];
  readonly #items = new Map<string, ToldItem>();
  #replies = 1;
  #current: ToldItem | null = null;
  /** The last item of the reply that was interrupted and whose end the model has not told yet. */
  #interrupted: ToldItem | null = null;

  get #replyId(): string {
    return `reply${this.#replies}`;
  }

  say(bytes: number): void {
    this.#current ??= this.#newItem();
    const cutBefore = this.rig.bridge.quality().cutAgentBytes;
    this.#current.receivedBytes += bytes;
    this.rig.reply(this.#replyId, this.#current.itemId, bytes, this.#current.number);
    if (this.rig.bridge.quality().cutAgentBytes > cutBefore) this.#current.isTorn = true;
  }

  endItem(): void {
    if (this.#current !== null) this.rig.bridge.replyItemEnded(this.#current.itemId);
    this.#current = null;
  }

  endReply(): void {
    this.#current = null;
    this.#interrupted = null;
    this.rig.bridge.replyEnded(this.#replyId);
    this.#replies++;
  }

  /** Checks I6. The model does not know yet and may go on with the same reply. */
  interrupt(): void {
    for (const heard of this.rig.bridge.interrupt()) this.#checkHeard(heard);
    for (const item of this.#items.values()) item.silencedAtBytes ??= this.#heardBytes(item);
    this.#interrupted =
      [...this.#items.values()].findLast(({ replyId }) => replyId === this.#replyId) ?? null;
    this.sayLate(800);
  }

  /** Audio of the interrupted item that was under way. */
  sayLate(bytes: number): void {
    const late = this.#interrupted;
    if (late !== null) this.rig.reply(late.replyId, late.itemId, bytes, late.number);
  }

  /** The model accepts that it was interrupted and begins anew. */
  yield(): void {
    if (this.#interrupted !== null) this.endReply();
  }

  changeLine(): void {
    for (const heard of this.rig.bridge.heardItems()) this.#checkHeard(heard);
    this.rig.bridge.detachLine();
    for (const { itemId } of this.rig.bridge.heardItems()) this.#item(itemId).isTorn = true;
    this.#lines.push(this.rig.attachLine());
    this.endReply();
  }

  /** Checks I7, and that every item either was heard to its end, or is still open, or was interrupted. */
  check(): void {
    const open = new Set(this.rig.bridge.heardItems().map(({ itemId }) => itemId));
    for (const item of this.#items.values()) {
      const heardBytes = this.#heardBytes(item);
      if (item.silencedAtBytes !== null) expect(heardBytes).toBe(item.silencedAtBytes);
      else if (!open.has(item.itemId) && !item.isTorn) expect(heardBytes).toBe(item.receivedBytes);
    }
    for (const { itemId, heard } of this.rig.toldOf('progressed')) {
      expect(heard.playedMs * 8).toBeLessThanOrEqual(this.#heardBytes(this.#item(itemId)));
    }
  }

  #checkHeard({ itemId, receivedMs, playedMs }: HeardItem): void {
    const item = this.#item(itemId);
    const heardBytes = this.#heardBytes(item);
    expect(playedMs * 8).toBeLessThanOrEqual(heardBytes);
    expect(heardBytes - playedMs * 8).toBeLessThan(intervalBytes + 8);
    expect(playedMs).toBeLessThanOrEqual(receivedMs);
    expect(receivedMs * 8).toBeLessThanOrEqual(item.receivedBytes);
  }

  #item(itemId: string): ToldItem {
    const item = this.#items.get(itemId);
    if (item === undefined) throw new Error(`The bridge invented ${itemId}.`);
    return item;
  }

  #heardBytes(item: ToldItem): number {
    return this.#lines.reduce((sum, line) => sum + line.heardBytesOf(item.number), 0);
  }

  #newItem(): ToldItem {
    const number = this.#items.size + 1;
    const itemId = `item${number}`;
    const item: ToldItem = {
      number,
      itemId,
      replyId: this.#replyId,
      receivedBytes: 0,
      silencedAtBytes: this.#interrupted === null ? null : 0,
      isTorn: false,
    };
    this.#items.set(itemId, item);
    return item;
  }
}

export type StoryStep = { name: string; tell: (story: Story) => void };

const told = (name: string, tell: (story: Story) => void): StoryStep => ({ name, tell });

const plainStep = fc.constantFrom(
  told('end item', (story) => story.endItem()),
  told('end reply', (story) => story.endReply()),
  told('interrupt', (story) => story.interrupt()),
  told('yield', (story) => story.yield()),
  told('stall', (story) => {
    story.rig.line.isStalled = true;
  }),
  told('unstall', (story) => {
    story.rig.line.isStalled = false;
    story.rig.speak(Buffer.alloc(160));
  }),
  told('change line', (story) => story.changeLine()),
  told('hold', (story) => story.rig.bridge.playHoldingSound()),
  told('lag', (story) => story.rig.clock.advance(300)),
);

const say = fc
  .integer({ min: 1, max: 6_000 })
  .map((bytes) => told(`say ${bytes}`, (story) => story.say(bytes)));
const sayLate = fc
  .integer({ min: 1, max: 3_000 })
  .map((bytes) => told(`say late ${bytes}`, (story) => story.sayLate(bytes)));
const pass = fc.integer({ min: 1, max: 900 }).map((ms) => told(`pass ${ms}`, (story) => story.rig.pass(ms)));

export const storySteps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: say },
    { weight: 4, arbitrary: pass },
    { weight: 1, arbitrary: sayLate },
    { weight: 4, arbitrary: plainStep },
  ),
  { maxLength: 40 },
);
