/**
 * Owns: reading the far side's messages: which events are used, and the fields of them that are relied on.
 * Does not own: what follows from an event.
 *
 * Source: OpenAI Realtime, server events; shapes as the live service sends them (the types of `openai` lack
 * `session.id` and `session.expires_at`).
 *
 * Invariants:
 * P1. Whatever the text, reading it returns; an event that it returns has every field that its type says.
 * P2. Fields that are not known are ignored.
 * P3. Every id that leaves this file is 1 to 200 characters, as entries demand.
 */
import type { RealtimeServerEvent } from 'openai/resources/realtime/realtime';
import { z } from 'zod';

type KnownType = RealtimeServerEvent['type'];

const id = z.string().min(1).max(200);
const optional = <Schema extends z.ZodType>(schema: Schema) => schema.nullish().catch(null);

/** Seconds since the Unix epoch, up to the latest moment that there is (ECMAScript, Time Values). */
const moment = z.number().min(0).max(8.64e12);

const audioFormat = optional(z.object({ type: optional(z.string()) }));

/** The settings that a session says it has, as far as they are compared with what was asked for. */
const effectiveSettings = z.object({
  output_modalities: optional(z.array(z.string())),
  tools: optional(z.array(z.object({ name: optional(z.string()) }))),
  audio: optional(
    z.object({
      input: optional(
        z.object({
          format: audioFormat,
          turn_detection: optional(
            z.object({
              type: optional(z.string()),
              silence_duration_ms: optional(z.number()),
              create_response: optional(z.boolean()),
              interrupt_response: optional(z.boolean()),
            }),
          ),
        }),
      ),
      output: optional(z.object({ format: audioFormat, voice: z.unknown() })),
    }),
  ),
});
export type EffectiveSettings = z.infer<typeof effectiveSettings>;

const item = z.object({ item: z.object({ id }) });
const ofItem = z.object({ item_id: id });
const ofReply = z.object({ response_id: id });
const ofReplyItem = z.object({ response_id: id, item_id: id });

const errorDetail = z.object({
  type: z.string().optional().catch(undefined),
  code: optional(z.string()),
  event_id: optional(z.string()),
  /** May repeat anything: nothing but a pause is read from it. */
  message: optional(z.string()),
});

/** `conversation_id` is null for a response outside the conversation. */
const response = z.object({ id, conversation_id: z.string().nullish().catch(undefined) });

/** `metadata` repeats that of the request, and is null in a response that the far side began by itself. */
const startedResponse = response.extend({ metadata: optional(z.object({ request: optional(z.string()) })) });

const finishedResponse = response.extend({
  status: z.enum(['completed', 'cancelled', 'incomplete', 'failed']).catch('failed'),
  status_details: optional(z.object({ reason: optional(z.string()), error: optional(errorDetail) })),
  output: z.array(z.unknown()).catch([]),
  usage: z.unknown().optional(),
});
export type FinishedResponse = z.infer<typeof finishedResponse>;

const schemas = {
  'session.created': z.object({ session: z.object({ id, expires_at: optional(moment) }) }),
  'session.updated': z.object({ session: effectiveSettings }),
  error: z.object({ error: errorDetail }),
  'input_audio_buffer.speech_started': ofItem,
  'input_audio_buffer.speech_stopped': ofItem.extend({ audio_end_ms: optional(z.number()) }),
  'conversation.item.added': item,
  'conversation.item.done': item,
  'conversation.item.input_audio_transcription.completed': ofItem.extend({ transcript: z.string() }),
  'conversation.item.input_audio_transcription.failed': ofItem,
  'response.created': z.object({ response: startedResponse }),
  'response.done': z.object({ response: finishedResponse }),
  'response.output_item.done': z.object({ response_id: id, item: z.unknown() }),
  'response.function_call_arguments.delta': ofReply,
  'response.output_text.delta': ofReply,
  'response.output_audio.delta': ofReplyItem.extend({ delta: z.string() }),
  'response.output_audio.done': ofReplyItem,
  'response.output_audio_transcript.delta': ofReplyItem.extend({ delta: z.string() }),
  'response.output_audio_transcript.done': ofReplyItem.extend({ transcript: z.string() }),
} as const satisfies Partial<Record<KnownType, z.ZodType>>;

type UsedType = keyof typeof schemas;

/** Events of the protocol from which nothing follows here: echoes, details of what another event says, other media. */
const unused = [
  'conversation.created',
  'conversation.item.created',
  'conversation.item.deleted',
  'conversation.item.retrieved',
  'conversation.item.truncated',
  'conversation.item.input_audio_transcription.delta',
  'conversation.item.input_audio_transcription.segment',
  'input_audio_buffer.cleared',
  'input_audio_buffer.committed',
  'input_audio_buffer.dtmf_event_received',
  'input_audio_buffer.timeout_triggered',
  'mcp_list_tools.completed',
  'mcp_list_tools.failed',
  'mcp_list_tools.in_progress',
  'output_audio_buffer.cleared',
  'output_audio_buffer.started',
  'output_audio_buffer.stopped',
  'rate_limits.updated',
  'response.content_part.added',
  'response.content_part.done',
  'response.function_call_arguments.done',
  'response.mcp_call.completed',
  'response.mcp_call.failed',
  'response.mcp_call.in_progress',
  'response.mcp_call_arguments.delta',
  'response.mcp_call_arguments.done',
  'response.output_item.added',
  'response.output_text.done',
] as const satisfies readonly Exclude<KnownType, UsedType>[];

/** `event_id` is unique within a session, and its form is not relied on. */
export type ServerEvent = {
  [Type in UsedType]: { type: Type; event_id?: unknown } & z.infer<(typeof schemas)[Type]>;
}[UsedType];
export type ServerEventOf<Type extends UsedType> = Extract<ServerEvent, { type: Type }>;

/** `unknown`: an event of a later protocol; `unused`: one that nothing follows from. */
export type Reading = ServerEvent | 'malformed' | 'unknown' | 'unused';

const readers = new Map<string, z.ZodType>(Object.entries(schemas));
const unusedTypes: ReadonlySet<string> = new Set(unused);

export function readServerEvent(text: string): Reading {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return 'malformed';
  }
  if (typeof message !== 'object' || message === null || !('type' in message)) return 'malformed';
  const { type } = message;
  if (type === 'response.output_audio.delta' && isAudioDelta(message)) return message;
  if (typeof type !== 'string') return 'malformed';
  const reader = readers.get(type);
  if (!reader) return unusedTypes.has(type) ? 'unused' : 'unknown';
  const parsed = reader.safeParse(message);
  if (!parsed.success) return 'malformed';
  const { event_id } = message as { event_id?: unknown };
  return { ...(parsed.data as object), type, event_id } as ServerEvent;
}

const isId = (value: unknown): boolean =>
  typeof value === 'string' && value.length > 0 && value.length <= 200;

/** By hand, because audio is most of what comes: the same check as its schema's, without the copy. */
function isAudioDelta(message: object): message is ServerEventOf<'response.output_audio.delta'> {
  const { response_id, item_id, delta } = message as Record<string, unknown>;
  return isId(response_id) && isId(item_id) && typeof delta === 'string';
}

const functionCall = z.object({
  type: z.literal('function_call'),
  status: optional(z.string()),
  call_id: id,
  name: id,
  arguments: z.string(),
});
export type FunctionCall = Pick<z.infer<typeof functionCall>, 'call_id' | 'name' | 'arguments'>;

/** The tool call in a finished output item; null for any other item, and for a call that was cut short. */
export function functionCallOf(outputItem: unknown): FunctionCall | null {
  const parsed = functionCall.safeParse(outputItem);
  if (!parsed.success || parsed.data.status === 'incomplete' || parsed.data.status === 'in_progress')
    return null;
  return parsed.data;
}
