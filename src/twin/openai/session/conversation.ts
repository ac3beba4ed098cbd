/**
 * Owns: the items of a session's conversation, their order, and what the model knows of each.
 * Does not own: the events about them.
 *
 * Bound: `mostItems`; the oldest item is forgotten when one more comes.
 *
 * Source: OpenAI Realtime, conversation items.
 */
import type { BrainItem, NumberedSegment } from '../brain.ts';

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

export type ContentPart =
  | { type: 'input_text'; text: string }
  | { type: 'input_audio'; transcript: string | null }
  | { type: 'input_image'; image_url: string; detail?: string | undefined }
  | { type: 'output_text'; text: string }
  | { type: 'output_audio'; transcript?: string };

export interface MessageItem {
  id: string;
  type: 'message';
  status: ItemStatus;
  role: 'user' | 'assistant' | 'system';
  phase?: 'commentary' | 'final_answer';
  content: ContentPart[];
}

export interface FunctionCallItem {
  id: string;
  type: 'function_call';
  status: ItemStatus;
  name: string;
  call_id: string;
  arguments: string;
}

export interface FunctionCallOutputItem {
  id: string;
  type: 'function_call_output';
  call_id: string;
  output: string;
}

/** An item as the client sees it. */
export type ConversationItem = MessageItem | FunctionCallItem | FunctionCallOutputItem;

/** Audio that the model generated for an item. */
export interface Speech {
  segments: readonly NumberedSegment[];
  generatedMs: number;
  /** Where the client cut it, or null. */
  truncatedMs: number | null;
}

/** An item and what only the service knows about it. */
export interface Entry {
  item: ConversationItem;
  /** What the model knows of a message: what was said, or what of its own speech the caller can have heard. */
  text: string;
  /** Audio that counts towards the input of later responses, milliseconds. */
  audioMs: number;
  /** The audio of the item, where it has some that is still kept. */
  audio: (() => Uint8Array) | null;
  isSilence: boolean;
  speech: Speech | null;
}

export const entryOf = (item: ConversationItem, known: Partial<Omit<Entry, 'item'>> = {}): Entry => ({
  item,
  text: '',
  audioMs: 0,
  audio: null,
  isSilence: false,
  speech: null,
  ...known,
});

const mostItems = 1_000;

export class Conversation {
  readonly id: string;
  #entries: Entry[] = [];

  constructor(id: string) {
    this.id = id;
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  get lastId(): string | null {
    return this.#entries.at(-1)?.item.id ?? null;
  }

  find(itemId: string): Entry | undefined {
    return this.#entries.find(({ item }) => item.id === itemId);
  }

  /** Whether a call with this id was made or seeded. */
  hasCall(callId: string): boolean {
    return this.#entries.some(({ item }) => item.type === 'function_call' && item.call_id === callId);
  }

  append(entry: Entry): void {
    this.#entries.push(entry);
    if (this.#entries.length > mostItems) this.#entries.shift();
  }

  /** Puts an entry after an item, or first where `previousItemId` is `root`. False where that item is unknown. */
  insertAfter(previousItemId: string, entry: Entry): boolean {
    const place = this.#entries.findIndex(({ item }) => item.id === previousItemId);
    if (place < 0 && previousItemId !== 'root') return false;
    this.#entries.splice(place + 1, 0, entry);
    if (this.#entries.length > mostItems) this.#entries.shift();
    return true;
  }

  previousIdOf(itemId: string): string | null {
    const place = this.#entries.findIndex(({ item }) => item.id === itemId);
    return this.#entries[place - 1]?.item.id ?? null;
  }

  /** False where the item is unknown. */
  remove(itemId: string): boolean {
    const count = this.#entries.length;
    this.#entries = this.#entries.filter(({ item }) => item.id !== itemId);
    return this.#entries.length < count;
  }
}

/** Entries as a brain sees them. A call that was cut off while it was made was not made. */
export const brainItemsOf = (entries: readonly Entry[]): BrainItem[] =>
  entries.filter(({ item }) => item.type !== 'function_call' || item.status === 'completed').map(brainItemOf);

function brainItemOf({ item, text, isSilence }: Entry): BrainItem {
  switch (item.type) {
    case 'function_call':
      return { kind: 'call', callId: item.call_id, name: item.name, arguments: item.arguments };
    case 'function_call_output':
      return { kind: 'result', callId: item.call_id, output: item.output };
    case 'message':
      if (item.role === 'user') return { kind: 'caller', text, isSilence };
      return { kind: item.role === 'assistant' ? 'agent' : 'system', text };
  }
}
