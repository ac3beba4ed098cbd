/**
 * Owns: what a client may send: which events there are, their fields, and reading one from a message.
 * Does not own: what an event does; the inside of `session` and `response` objects.
 *
 * Source: OpenAI Realtime, client events. `output_audio_buffer.clear` belongs to WebRTC and SIP and is refused.
 */
import { z } from 'zod';
import { readBase64 } from '../../base64.ts';
import {
  errorOfIssues,
  missingType,
  notAnEvent,
  type ProtocolError,
  unsupportedValue,
} from './protocol-errors.ts';

/** Longest identifier that a client may choose for an item or a call. */
const clientIdentifier = z.string().min(1).max(32);
const eventId = z.string().max(512).optional();
const base64 = z
  .string()
  .refine((text) => readBase64(text, true) !== null, { error: 'expected base64-encoded audio' });

const itemStatus = z.enum(['in_progress', 'completed', 'incomplete']).optional();
const itemObject = z.literal('realtime.item').optional();

const inputText = z.strictObject({ type: z.literal('input_text'), text: z.string() });
const inputAudio = z.strictObject({
  type: z.literal('input_audio'),
  audio: base64,
  transcript: z.string().nullable().optional(),
});
const inputImage = z.strictObject({
  type: z.literal('input_image'),
  image_url: z.string(),
  detail: z.enum(['auto', 'low', 'high']).optional(),
});
/** Audio of the assistant cannot be put into a conversation: only what it said, as text. */
const outputText = z.strictObject({ type: z.literal('output_text'), text: z.string() });

const messageFields = {
  id: clientIdentifier.optional(),
  object: itemObject,
  type: z.literal('message'),
  status: itemStatus,
} as const;

const messageSchema = z.discriminatedUnion('role', [
  z.strictObject({
    ...messageFields,
    role: z.literal('user'),
    content: z.array(z.discriminatedUnion('type', [inputText, inputAudio, inputImage])),
  }),
  z.strictObject({
    ...messageFields,
    role: z.literal('assistant'),
    phase: z.enum(['commentary', 'final_answer']).optional(),
    content: z.array(z.discriminatedUnion('type', [outputText])),
  }),
  z.strictObject({
    ...messageFields,
    role: z.literal('system'),
    content: z.array(z.discriminatedUnion('type', [inputText])),
  }),
]);

const functionCallSchema = z.strictObject({
  id: clientIdentifier.optional(),
  object: itemObject,
  type: z.literal('function_call'),
  status: itemStatus,
  name: z.string().min(1),
  call_id: clientIdentifier,
  arguments: z.string(),
});

const functionCallOutputSchema = z.strictObject({
  id: clientIdentifier.optional(),
  object: itemObject,
  type: z.literal('function_call_output'),
  status: itemStatus,
  call_id: clientIdentifier,
  output: z.string(),
});

/** An item that a client may create. Items of MCP cannot be created. */
export const itemSchema = z.discriminatedUnion('type', [
  messageSchema,
  functionCallSchema,
  functionCallOutputSchema,
]);

export type CreatedItem = z.infer<typeof itemSchema>;

const schemas = {
  'session.update': z.strictObject({
    type: z.literal('session.update'),
    event_id: eventId,
    session: z.record(z.string(), z.unknown()),
  }),
  'input_audio_buffer.append': z.strictObject({
    type: z.literal('input_audio_buffer.append'),
    event_id: eventId,
    audio: base64,
  }),
  'input_audio_buffer.commit': z.strictObject({
    type: z.literal('input_audio_buffer.commit'),
    event_id: eventId,
  }),
  'input_audio_buffer.clear': z.strictObject({
    type: z.literal('input_audio_buffer.clear'),
    event_id: eventId,
  }),
  'conversation.item.create': z.strictObject({
    type: z.literal('conversation.item.create'),
    event_id: eventId,
    previous_item_id: z.string().nullable().optional(),
    item: itemSchema,
  }),
  'conversation.item.retrieve': z.strictObject({
    type: z.literal('conversation.item.retrieve'),
    event_id: eventId,
    item_id: z.string(),
  }),
  'conversation.item.delete': z.strictObject({
    type: z.literal('conversation.item.delete'),
    event_id: eventId,
    item_id: z.string(),
  }),
  'conversation.item.truncate': z.strictObject({
    type: z.literal('conversation.item.truncate'),
    event_id: eventId,
    item_id: z.string(),
    content_index: z.int().min(0),
    audio_end_ms: z.int().min(0),
  }),
  'response.create': z.strictObject({
    type: z.literal('response.create'),
    event_id: eventId,
    response: z.record(z.string(), z.unknown()).nullable().optional(),
  }),
  'response.cancel': z.strictObject({
    type: z.literal('response.cancel'),
    event_id: eventId,
    response_id: z.string().nullable().optional(),
  }),
};

export type ClientEventType = keyof typeof schemas;
export type ClientEventOf<Type extends ClientEventType> = z.infer<(typeof schemas)[Type]>;
export type ClientEvent = { [Type in ClientEventType]: ClientEventOf<Type> }[ClientEventType];

export const clientEventTypes = Object.keys(schemas) as ClientEventType[];

/** An event, or why the message is none, with the client's own `event_id` where it is readable. */
export type ReadResult = { event: ClientEvent } | { error: ProtocolError; eventId: string | null };

export function readClientEvent(text: string): ReadResult {
  const message = parseObject(text);
  if (message === null) return { error: notAnEvent(), eventId: null };
  const eventIdOfClient = typeof message.event_id === 'string' ? message.event_id : null;
  const type = message.type;
  if (type === undefined || type === null) return { error: missingType(), eventId: eventIdOfClient };
  if (!isClientEventType(type)) {
    return { error: unsupportedValue('type', type, clientEventTypes), eventId: eventIdOfClient };
  }
  const parsed = schemas[type].safeParse(message);
  if (parsed.success) return { event: parsed.data as ClientEvent };
  return { error: errorOfIssues(parsed.error.issues, message, ''), eventId: eventIdOfClient };
}

const isClientEventType = (type: unknown): type is ClientEventType =>
  typeof type === 'string' && Object.hasOwn(schemas, type);

/** A JSON object, of which only the two fields that every event may have are looked at here. */
interface Message {
  type?: unknown;
  event_id?: unknown;
}

function parseObject(text: string): Message | null {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? value : null;
  } catch {
    return null;
  }
}

const appendStart = '{"type":"input_audio_buffer.append","audio":"';
const appendEnd = '"}';

/** The last audio that was read plainly: a caller who is silent sends the same again and again. */
let last: { text: string; audio: Uint8Array } = { text: '', audio: new Uint8Array(0) };

/**
 * The audio of an append as nearly all clients write it, read without parsing JSON: calls send fifty of them a
 * second. Null for every other message, also for one that is wrong: `readClientEvent` says why.
 * The bytes may be given again: they are not to be written to.
 */
export function readPlainAppend(text: string): Uint8Array | null {
  if (!text.startsWith(appendStart) || !text.endsWith(appendEnd)) return null;
  if (text === last.text) return last.audio;
  const audio = text.slice(appendStart.length, -appendEnd.length);
  const bytes = readBase64(audio, true);
  if (bytes !== null) last = { text, audio: bytes };
  return bytes;
}
