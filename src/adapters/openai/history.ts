/**
 * Owns: the wire form of what was said before a session, with which it is seeded, and where in it goes what is told later.
 * Does not own: what was heard of it (`src/runtime/conversation.ts`).
 *
 * Source: OpenAI Realtime, client events, `conversation.item.create`: an assistant's audio cannot be given back, its
 * text can; ids chosen by the client have at most 32 characters; `previous_item_id` is the item after which a new one
 * goes, `root` for the beginning.
 *
 * Invariants:
 * S1. A tool's result goes only after its call; a result whose call did not fit is left out.
 * S2. Only the newest items are kept that fit into the bounds.
 * S3. What is told later goes to its place among all that was told before.
 */
import type { RealtimeClientEvent } from 'openai/resources/realtime/realtime';
import type { HistoryItem } from '../../runtime/ports/model.ts';
import type { OpenAiLimits } from './limits.ts';

export type ConversationItem = Extract<RealtimeClientEvent, { type: 'conversation.item.create' }>['item'];

const longestIdCharacters = 32;

export interface Seed {
  /** Each with an id that is unique within the session. */
  items: (ConversationItem & { id: string })[];
  /** Of each item of the history, the id that it goes by; null where it was left out. */
  ids: (string | null)[];
  /** The tool calls in it: by our id the far side's, and whether a result is still owed. */
  toolCalls: Map<string, { wireId: string; open: boolean }>;
}

export function seedOf(history: readonly HistoryItem[], limits: OpenAiLimits): Seed {
  const seed: Seed = { items: [], ids: [], toolCalls: new Map() };
  const kept = newest(history, limits);
  seed.ids = history.slice(kept.length).map(() => null);
  for (const item of kept) {
    const wire = wireItem(item, seed.toolCalls);
    const id = `seed_${seed.items.length}`;
    if (wire) seed.items.push({ ...wire, id });
    seed.ids.push(wire ? id : null);
  }
  return seed;
}

/** What a session is told of the time before it, after it was seeded. */
export class Addenda {
  readonly #toolCalls: Seed['toolCalls'];
  /** Of all that it was told of, in order. */
  readonly #ids: (string | null)[];
  #count = 0;

  constructor({ ids, toolCalls }: Seed) {
    this.#ids = [...ids];
    this.#toolCalls = toolCalls;
  }

  /** @param place how many items come before it, of all that were told before. @returns null where there is nothing to tell */
  add(item: HistoryItem, place: number): RealtimeClientEvent | null {
    const wire = wireItem(item, this.#toolCalls);
    const id = wire ? `added_${this.#count++}` : null;
    const previous = this.#ids.slice(0, place).findLast((before) => before !== null) ?? 'root';
    this.#ids.splice(place, 0, id);
    if (!wire || id === null) return null;
    return { type: 'conversation.item.create', previous_item_id: previous, item: { ...wire, id } };
  }
}

const charactersOf = (item: HistoryItem): number => {
  if (item.kind === 'speech' || item.kind === 'note') return item.text.length;
  return item.kind === 'toolCall' ? item.arguments.length : item.output.length;
};

function newest(history: readonly HistoryItem[], limits: OpenAiLimits): readonly HistoryItem[] {
  let characters = 0;
  let first = history.length;
  while (first > Math.max(0, history.length - limits.historyItems)) {
    const item = history[first - 1];
    characters += item ? charactersOf(item) : 0;
    if (characters > limits.historyCharacters) break;
    first--;
  }
  return history.slice(first);
}

function wireItem(item: HistoryItem, toolCalls: Seed['toolCalls']): ConversationItem | null {
  if (item.kind === 'speech') return item.text === '' ? null : wireSpeech(item.role, item.text);
  if (item.kind === 'note') return wireNote(item.text);
  const { toolCallId } = item;
  const known = toolCalls.get(toolCallId);
  if (item.kind === 'toolCall') {
    if (known) return null;
    const wireId = toolCallId.length <= longestIdCharacters ? toolCallId : `call_seed_${toolCalls.size}`;
    toolCalls.set(toolCallId, { wireId, open: true });
    return { type: 'function_call', call_id: wireId, name: item.name, arguments: item.arguments };
  }
  if (!known?.open) return null;
  known.open = false;
  return { type: 'function_call_output', call_id: known.wireId, output: item.output };
}

const wireNote = (text: string): ConversationItem => ({
  type: 'message',
  role: 'system',
  content: [{ type: 'input_text', text }],
});

/** What somebody said, as text. */
export function wireSpeech(role: 'caller' | 'agent', text: string): ConversationItem {
  return role === 'caller'
    ? { type: 'message', role: 'user', content: [{ type: 'input_text', text }] }
    : { type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] };
}
