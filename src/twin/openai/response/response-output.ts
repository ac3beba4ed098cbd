/**
 * Owns: what all outputs of a response have in common: an item that is announced, grows and is closed.
 * Does not own: what it grows by (`speech-output.ts`, `text-output.ts`, `call-output.ts`), when (`response.ts`).
 *
 * Invariants:
 * O1. `response.output_item.added` comes before `conversation.item.added`, `conversation.item.done` before
 *     `response.output_item.done`.
 * O2. An output of a response outside the conversation has no `conversation.item` events.
 *
 * Source: recorded sessions with the live service.
 */

import type { Outbox, ServerEventType } from '../protocol/outbox.ts';
import type { Conversation, ConversationItem, Entry, ItemStatus } from '../session/conversation.ts';
import type { Tokens } from '../session/usage.ts';

/** Where an output belongs. */
export interface OutputPlace {
  outbox: Outbox;
  responseId: string;
  outputIndex: number;
  /** Null for a response outside the conversation. */
  conversation: Conversation | null;
}

export abstract class ResponseOutput {
  protected readonly place: OutputPlace;
  readonly entry: Entry;

  constructor(place: OutputPlace, entry: Entry) {
    this.place = place;
    this.entry = entry;
  }

  /** Sends the next piece. Returns the milliseconds that it takes until the next is due, or null at the end. */
  abstract advance(): number | null;

  /** Tokens of what was sent so far. */
  abstract tokens(): Tokens;

  /** What is announced with the item. */
  protected abstract begin(): void;

  /** Closes what is inside the item, whether it is whole or not. */
  protected abstract finish(): void;

  /** `previous_item_id` of the closing event: the service leaves it out where this says so. */
  protected abstract readonly closesWithPlace: boolean;

  get item(): ConversationItem {
    return this.entry.item;
  }

  open(): void {
    const previousItemId = this.place.conversation?.lastId ?? null;
    this.#emitItem('response.output_item.added');
    if (this.place.conversation !== null) {
      this.place.conversation.append(this.entry);
      this.place.outbox.emit('conversation.item.added', {
        previous_item_id: previousItemId,
        item: this.item,
      });
    }
    this.begin();
  }

  close(status: ItemStatus): void {
    this.finish();
    if ('status' in this.item) this.item.status = status;
    if (this.place.conversation !== null) {
      const previousItemId = this.closesWithPlace ? this.place.conversation.previousIdOf(this.item.id) : null;
      this.place.outbox.emit('conversation.item.done', { previous_item_id: previousItemId, item: this.item });
    }
    this.#emitItem('response.output_item.done');
  }

  /** The fields that say which item of which response an event is about. */
  protected get position(): { response_id: string; item_id: string; output_index: number } {
    const { responseId, outputIndex } = this.place;
    return { response_id: responseId, item_id: this.item.id, output_index: outputIndex };
  }

  #emitItem(type: ServerEventType): void {
    const { outbox, responseId, outputIndex } = this.place;
    outbox.emit(type, { response_id: responseId, output_index: outputIndex, item: this.item });
  }
}
