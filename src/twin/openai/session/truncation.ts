/**
 * Owns: cutting an item of the model at what the caller heard: what may be cut, where, and what is left.
 * Does not own: the event (`item-commands.ts`), playback: only the client knows what was heard.
 *
 * Source: OpenAI Realtime, client events, `conversation.item.truncate`; texts from public issue threads.
 */
import type { NumberedSegment } from '../brain.ts';
import { notTruncatable, type ProtocolError, truncatedBeyondEnd } from '../protocol/protocol-errors.ts';
import type { Entry } from './conversation.ts';

/** Cuts the item and takes its transcript away. Returns why not, or null. */
export function truncate(entry: Entry, contentIndex: number, audioEndMs: number): ProtocolError | null {
  const { speech, item } = entry;
  if (speech === null || item.type !== 'message' || speech.generatedMs === 0 || contentIndex !== 0) {
    return notTruncatable();
  }
  const audioMs = speech.truncatedMs ?? speech.generatedMs;
  if (audioEndMs > audioMs) return truncatedBeyondEnd(audioMs, audioEndMs);
  speech.truncatedMs = audioEndMs;
  entry.audioMs = audioEndMs;
  entry.text = textWithin(speech.segments, audioEndMs);
  if (item.content.length > 0) item.content = [{ type: 'output_audio' }];
  return null;
}

/** The words of the segments that lie wholly within the first `audioMs`; of the last one in proportion. */
export function textWithin(segments: readonly NumberedSegment[], audioMs: number): string {
  let text = '';
  let leftMs = audioMs;
  for (const segment of segments) {
    if (leftMs < segment.lengthMs) return text + firstWords(segment.text, leftMs / segment.lengthMs);
    text += segment.text;
    leftMs -= segment.lengthMs;
  }
  return text;
}

function firstWords(text: string, share: number): string {
  const words = text.match(/\s*\S+/g) ?? [];
  return words.slice(0, Math.floor(words.length * share)).join('');
}
