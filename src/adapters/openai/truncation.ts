/**
 * Owns: how the model is told that the caller heard only the beginning of an item.
 * Does not own: how much was heard (`src/media`).
 *
 * Source: OpenAI Realtime, client events, `conversation.item.truncate` and `conversation.item.delete`: the end is an
 * integer, inclusive, and an error where it lies beyond the audio of the item.
 *
 * Invariants:
 * U1. The end asked for never lies beyond the audio that came.
 */
import type { RealtimeClientEvent } from 'openai/resources/realtime/realtime';

/** G.711 at 8 kHz: one byte a sample. */
const bytesPerMs = 8;

export interface AudioItem {
  itemId: string;
  /** Mu-law bytes that came so far. */
  audioBytes: number;
  /** No more audio will come. */
  ended: boolean;
}

/** Null where the whole item was heard: the model then remembers it rightly. */
export function truncationOf(item: AudioItem, playedMs: number): RealtimeClientEvent | null {
  const receivedMs = Math.floor(item.audioBytes / bytesPerMs);
  const endMs = Math.min(Math.floor(playedMs), receivedMs);
  if (!(endMs > 0)) return { type: 'conversation.item.delete', item_id: item.itemId };
  if (item.ended && endMs === receivedMs) return null;
  return { type: 'conversation.item.truncate', item_id: item.itemId, content_index: 0, audio_end_ms: endMs };
}
