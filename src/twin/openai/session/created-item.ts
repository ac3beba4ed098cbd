/** Owns: turning an item that a client wrote into one of the conversation. Does not own: its place there. */
import { type AudioFormat, bytesPerMs } from '../audio/audio-format.ts';
import type { CreatedItem } from '../protocol/client-events.ts';
import type { Identify } from '../protocol/identifiers.ts';
import { type ContentPart, type Entry, entryOf, type MessageItem } from './conversation.ts';

/** The entry of a created item. `format`: that of the session's input, in which user audio is written. */
export function createdEntry(created: CreatedItem, format: AudioFormat, identify: Identify): Entry {
  const id = created.id ?? identify('item');
  switch (created.type) {
    case 'function_call': {
      const { name, call_id, arguments: given } = created;
      return entryOf({ id, type: 'function_call', status: 'completed', name, call_id, arguments: given });
    }
    case 'function_call_output': {
      const { call_id, output } = created;
      return entryOf({ id, type: 'function_call_output', call_id, output });
    }
    case 'message':
      return messageEntry(id, created, format);
  }
}

type CreatedMessage = Extract<CreatedItem, { type: 'message' }>;
type CreatedPart = CreatedMessage['content'][number];

function messageEntry(id: string, created: CreatedMessage, format: AudioFormat): Entry {
  const parts: readonly CreatedPart[] = created.content;
  const item: MessageItem = {
    id,
    type: 'message',
    status: 'completed',
    role: created.role,
    ...('phase' in created && created.phase !== undefined ? { phase: created.phase } : {}),
    content: parts.map(contentOf),
  };
  const audioBytes = parts.reduce((sum, part) => sum + audioBytesOf(part), 0);
  return entryOf(item, { text: parts.map(textOf).join(' '), audioMs: audioBytes / bytesPerMs(format) });
}

/** The service does not repeat the audio. */
const contentOf = (part: CreatedPart): ContentPart =>
  part.type === 'input_audio' ? { type: 'input_audio', transcript: part.transcript ?? null } : part;

const audioBytesOf = (part: CreatedPart): number =>
  part.type === 'input_audio' ? Buffer.byteLength(part.audio, 'base64') : 0;

function textOf(part: CreatedPart): string {
  if (part.type === 'input_audio') return part.transcript ?? '';
  return part.type === 'input_image' ? '' : part.text;
}
