/**
 * The fields of every event that the service sends, as a table: name and kind. A name with a question mark may be
 * missing; any other field is a breach.
 *
 * Source: recorded sessions with the live service; OpenAI Realtime, server events.
 */
import type { RealtimeMessage } from '../../support/realtime-message.ts';

type Check = (value: unknown) => boolean;
type Shape = Record<string, Check>;

const text: Check = (value) => typeof value === 'string';
const number: Check = (value) => typeof value === 'number';
const whole: Check = (value) => Number.isInteger(value);
const truth: Check = (value) => typeof value === 'boolean';
const nothing: Check = (value) => value === null;
const anything: Check = () => true;
const identifier =
  (prefix: string, length = 21): Check =>
  (value) =>
    typeof value === 'string' && new RegExp(`^${prefix}_[0-9A-Za-z]{${length}}$`).test(value);
const literal =
  (...values: unknown[]): Check =>
  (value) =>
    values.includes(value);
const either =
  (...checks: Check[]): Check =>
  (value) =>
    checks.some((check) => check(value));
const list =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const object =
  (shape: Shape): Check =>
  (value) =>
    breachesOf(shape, value).length === 0;

/** Items that the client created may carry its own identifiers. */
const itemId: Check = text;
const status = literal('in_progress', 'completed', 'incomplete');

const content = either(
  object({ type: literal('input_text'), text }),
  object({ type: literal('input_audio'), transcript: either(text, nothing), 'audio?': text }),
  object({ type: literal('input_image'), image_url: text, 'detail?': text }),
  object({ type: literal('output_text'), text }),
  object({ type: literal('output_audio'), 'transcript?': text, 'audio?': text }),
);
const message = object({
  id: itemId,
  type: literal('message'),
  status,
  role: literal('user', 'assistant', 'system'),
  'phase?': literal('commentary', 'final_answer'),
  content: list(content),
});
const functionCall = object({
  id: itemId,
  type: literal('function_call'),
  status,
  name: text,
  call_id: text,
  arguments: text,
});
const functionCallOutput = object({
  id: itemId,
  type: literal('function_call_output'),
  call_id: text,
  output: text,
});
const item = either(message, functionCall, functionCallOutput);

const format = either(
  object({ type: literal('audio/pcm'), rate: literal(24_000) }),
  object({ type: literal('audio/pcmu', 'audio/pcma') }),
);
const turnDetection = either(
  nothing,
  object({
    type: literal('server_vad'),
    threshold: number,
    prefix_padding_ms: whole,
    silence_duration_ms: whole,
    idle_timeout_ms: either(whole, nothing),
    create_response: truth,
    interrupt_response: truth,
  }),
  object({
    type: literal('semantic_vad'),
    eagerness: text,
    create_response: truth,
    interrupt_response: truth,
  }),
);
const session = object({
  type: literal('realtime'),
  object: literal('realtime.session'),
  id: identifier('sess'),
  model: text,
  output_modalities: list(literal('audio', 'text')),
  instructions: text,
  tools: list(anything),
  tool_choice: anything,
  max_output_tokens: either(literal('inf'), whole),
  'parallel_tool_calls?': truth,
  'reasoning?': anything,
  tracing: anything,
  truncation: anything,
  prompt: anything,
  expires_at: whole,
  audio: object({
    input: object({
      format,
      transcription: either(
        nothing,
        object({
          model: text,
          language: either(text, nothing),
          prompt: either(text, nothing),
          'delay?': text,
          'keywords?': anything,
          'languages?': anything,
        }),
      ),
      noise_reduction: anything,
      turn_detection: turnDetection,
    }),
    output: object({ format, voice: anything, speed: number }),
  }),
  include: anything,
});

const tokens = { text_tokens: whole, audio_tokens: whole };
const usage = object({
  total_tokens: whole,
  input_tokens: whole,
  output_tokens: whole,
  input_token_details: object({
    ...tokens,
    image_tokens: whole,
    cached_tokens: whole,
    cached_tokens_details: object({ ...tokens, image_tokens: whole }),
  }),
  output_token_details: object(tokens),
});
const statusDetails = either(
  nothing,
  object({ type: literal('cancelled'), reason: literal('turn_detected', 'client_cancelled') }),
  object({ type: literal('incomplete'), reason: literal('max_output_tokens', 'content_filter') }),
  object({
    type: literal('failed'),
    error: object({ type: text, code: either(text, nothing), message: text }),
  }),
);
const response = object({
  object: literal('realtime.response'),
  id: identifier('resp'),
  status: literal('in_progress', 'completed', 'cancelled', 'incomplete', 'failed'),
  status_details: statusDetails,
  output: list(item),
  conversation_id: either(identifier('conv'), nothing),
  output_modalities: list(literal('audio', 'text')),
  max_output_tokens: either(literal('inf'), whole),
  audio: object({ output: object({ format, voice: anything }) }),
  usage: either(usage, nothing),
  metadata: anything,
});

const ofItem = { response_id: identifier('resp'), item_id: itemId, output_index: whole };
const ofPart = { ...ofItem, content_index: whole };
const piece = { delta: text, obfuscation: text };
const place = { previous_item_id: either(text, nothing) };
const part = either(
  object({ type: literal('audio'), transcript: text }),
  object({ type: literal('text'), text }),
);
const ofTranscription = { item_id: itemId, content_index: whole };

export const eventShapes: Record<string, Shape> = {
  'session.created': { session },
  'session.updated': { session },
  error: {
    error: object({
      type: text,
      code: either(text, nothing),
      message: text,
      param: either(text, nothing),
      event_id: either(text, nothing),
    }),
  },
  'rate_limits.updated': {
    rate_limits: list(
      object({ name: literal('tokens'), limit: whole, remaining: whole, reset_seconds: number }),
    ),
  },
  'input_audio_buffer.speech_started': { audio_start_ms: whole, item_id: itemId },
  'input_audio_buffer.speech_stopped': { audio_end_ms: whole, item_id: itemId },
  'input_audio_buffer.timeout_triggered': { audio_start_ms: whole, audio_end_ms: whole, item_id: itemId },
  'input_audio_buffer.committed': { ...place, item_id: itemId },
  'input_audio_buffer.cleared': {},
  'conversation.item.added': { ...place, item },
  'conversation.item.done': { ...place, item },
  'conversation.item.retrieved': { item },
  'conversation.item.deleted': { item_id: itemId },
  'conversation.item.truncated': { item_id: itemId, content_index: whole, audio_end_ms: whole },
  'conversation.item.input_audio_transcription.delta': { ...ofTranscription, ...piece },
  'conversation.item.input_audio_transcription.completed': {
    ...ofTranscription,
    transcript: text,
    usage: object({ type: literal('duration'), seconds: whole }),
  },
  'conversation.item.input_audio_transcription.failed': {
    ...ofTranscription,
    error: object({ type: text, code: either(text, nothing), message: text, param: either(text, nothing) }),
  },
  'response.created': { response },
  'response.done': { response },
  'response.output_item.added': { response_id: identifier('resp'), output_index: whole, item },
  'response.output_item.done': { response_id: identifier('resp'), output_index: whole, item },
  'response.content_part.added': { ...ofPart, part },
  'response.content_part.done': { ...ofPart, part },
  'response.output_text.delta': { ...ofPart, ...piece },
  'response.output_text.done': { ...ofPart, text },
  'response.output_audio.delta': { ...ofPart, delta: text },
  'response.output_audio.done': ofPart,
  'response.output_audio_transcript.delta': { ...ofPart, ...piece },
  'response.output_audio_transcript.done': { ...ofPart, transcript: text },
  'response.function_call_arguments.delta': { ...ofItem, call_id: identifier('call', 16), ...piece },
  'response.function_call_arguments.done': {
    ...ofItem,
    call_id: identifier('call', 16),
    name: text,
    arguments: text,
  },
};

function breachesOf(shape: Shape, value: unknown): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return ['no object'];
  const fields = value as Record<string, unknown>;
  const wrong = Object.entries(shape).flatMap(([written, check]) => {
    const name = written.replace('?', '');
    if (!(name in fields)) return written.endsWith('?') ? [] : [`${name} is missing`];
    return check(fields[name]) ? [] : [`${name} is ${JSON.stringify(fields[name])}`];
  });
  const known = new Set(Object.keys(shape).map((written) => written.replace('?', '')));
  const unknown = Object.keys(fields).filter((name) => !known.has(name));
  return [...wrong, ...unknown.map((name) => `${name} is not in the table`)];
}

/** Every event that differs from the table, in words; none is what a test wants. */
export function shapeBreaches(events: readonly RealtimeMessage[]): string[] {
  return events.flatMap((event) => {
    const shape = eventShapes[event.type];
    if (shape === undefined) return [`${event.type} is not in the table`];
    const all = { type: text, event_id: identifier('event'), ...shape };
    return breachesOf(all, event).map((breach) => `${event.type}: ${breach}`);
  });
}
