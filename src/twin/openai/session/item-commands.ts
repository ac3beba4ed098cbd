/**
 * Owns: what clients do to the conversation: create, retrieve, delete and truncate items.
 * Does not own: items that come from audio (`caller-turns.ts`) and from responses (`response/response-output.ts`).
 *
 * Invariant M1: the output of a call whose response still runs enters the conversation when that response is done,
 * as recorded from the live service.
 *
 * Bound: `mostHeld` outputs wait; further ones are added at once.
 *
 * Source: OpenAI Realtime, client events, `conversation.item`.
 */
import type { ClientEventOf } from '../protocol/client-events.ts';
import { duplicateItem, itemNotFound, type ProtocolError, unknownCall } from '../protocol/protocol-errors.ts';
import type { Responses } from '../response/responses.ts';
import type { ConversationItem, Entry } from './conversation.ts';
import { createdEntry } from './created-item.ts';
import type { SessionContext } from './session-context.ts';
import { truncate } from './truncation.ts';

const mostHeld = 128;

export class ItemCommands {
  readonly #context: SessionContext;
  readonly #responses: Responses;
  #held: ClientEventOf<'conversation.item.create'>[] = [];

  constructor(context: SessionContext, responses: Responses) {
    this.#context = context;
    this.#responses = responses;
  }

  /** Each command returns why it is refused, or null. */
  create(event: ClientEventOf<'conversation.item.create'>): ProtocolError | null {
    if (this.#belongsToRunningResponse(event) && this.#held.length < mostHeld) {
      this.#held.push(event);
      return null;
    }
    return this.#add(event);
  }

  /** Adds the outputs that waited for the end of a response. */
  addHeld(): void {
    const held = this.#held;
    this.#held = [];
    for (const event of held) {
      const error = this.#add(event);
      if (error !== null) this.#context.outbox.refuse(error, event.event_id ?? null);
    }
  }

  retrieve({ item_id: itemId }: ClientEventOf<'conversation.item.retrieve'>): ProtocolError | null {
    const entry = this.#context.conversation.find(itemId);
    if (entry === undefined) return itemNotFound(itemId, 'item_id');
    this.#context.outbox.emit('conversation.item.retrieved', { item: withAudio(entry) });
    return null;
  }

  delete({ item_id: itemId }: ClientEventOf<'conversation.item.delete'>): ProtocolError | null {
    if (!this.#context.conversation.remove(itemId)) return itemNotFound(itemId, 'item_id');
    this.#context.outbox.emit('conversation.item.deleted', { item_id: itemId });
    return null;
  }

  truncate(event: ClientEventOf<'conversation.item.truncate'>): ProtocolError | null {
    const { item_id, content_index, audio_end_ms } = event;
    const entry = this.#context.conversation.find(item_id);
    if (entry === undefined) return itemNotFound(item_id, 'item_id');
    const error = truncate(entry, content_index, audio_end_ms);
    if (error !== null) return error;
    this.#context.outbox.emit('conversation.item.truncated', { item_id, content_index, audio_end_ms });
    return null;
  }

  #belongsToRunningResponse({ item }: ClientEventOf<'conversation.item.create'>): boolean {
    if (item.type !== 'function_call_output') return false;
    const output = this.#responses.active?.output ?? [];
    return output.some((made) => made.type === 'function_call' && made.call_id === item.call_id);
  }

  #add(event: ClientEventOf<'conversation.item.create'>): ProtocolError | null {
    const { conversation, identify, settings } = this.#context;
    const { item } = event;
    if (item.id !== undefined && conversation.find(item.id) !== undefined) return duplicateItem(item.id);
    if (item.type === 'function_call_output' && !conversation.hasCall(item.call_id)) {
      return unknownCall(item.call_id);
    }
    const entry = createdEntry(item, settings().audio.input.format, identify);
    if (!this.#place(entry, event.previous_item_id ?? null)) {
      return itemNotFound(event.previous_item_id ?? '', 'previous_item_id');
    }
    this.#announce(entry.item);
    return null;
  }

  #place(entry: Entry, previousItemId: string | null): boolean {
    if (previousItemId !== null) return this.#context.conversation.insertAfter(previousItemId, entry);
    this.#context.conversation.append(entry);
    return true;
  }

  #announce(item: ConversationItem): void {
    const { conversation, outbox } = this.#context;
    const fields = { previous_item_id: conversation.previousIdOf(item.id), item };
    outbox.emit('conversation.item.added', fields);
    outbox.emit('conversation.item.done', fields);
  }
}

/** Only a retrieved item carries its audio. */
function withAudio({ item, audio }: Entry): object {
  if (item.type !== 'message' || audio === null) return item;
  const content = item.content.map((part) =>
    part.type === 'input_audio' || part.type === 'output_audio'
      ? { ...part, audio: Buffer.from(audio()).toString('base64') }
      : part,
  );
  return { ...item, content };
}
