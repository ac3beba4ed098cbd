/**
 * Owns: what a client may write into a session and into a response: fields, values and limits.
 * Does not own: what follows from it (`session/session-settings.ts`, `response/response-request.ts`).
 *
 * Every object is strict: an unknown field makes the service refuse the whole event.
 *
 * Source: OpenAI Realtime, client events, `session.update` and `response.create`.
 */
import { z } from 'zod';
import type { AudioFormat } from '../audio/audio-format.ts';

export const formatSchema = z.discriminatedUnion('type', [
  z
    .strictObject({ type: z.literal('audio/pcm'), rate: z.literal(24_000).optional() })
    .transform((): AudioFormat => ({ type: 'audio/pcm', rate: 24_000 })),
  z.strictObject({ type: z.literal('audio/pcmu') }),
  z.strictObject({ type: z.literal('audio/pcma') }),
]);

const transcriptionSchema = z.strictObject({
  model: z.string(),
  language: z.string().nullable().default(null),
  prompt: z.string().nullable().default(null),
  delay: z.enum(['minimal', 'low', 'medium', 'high', 'xhigh']).optional(),
  keywords: z.array(z.string()).optional(),
  languages: z.array(z.string()).optional(),
});

const serverVadSchema = z.strictObject({
  type: z.literal('server_vad'),
  threshold: z.number().min(0).max(1).optional(),
  prefix_padding_ms: z.int().min(0).optional(),
  silence_duration_ms: z.int().min(0).optional(),
  idle_timeout_ms: z.int().min(5_000).max(30_000).nullable().optional(),
  create_response: z.boolean().optional(),
  interrupt_response: z.boolean().optional(),
});

const semanticVadSchema = z.strictObject({
  type: z.literal('semantic_vad'),
  eagerness: z.enum(['low', 'medium', 'high', 'auto']).optional(),
  create_response: z.boolean().optional(),
  interrupt_response: z.boolean().optional(),
});

export const modalitiesSchema = z.array(z.enum(['audio', 'text'])).length(1);

export const voiceSchema = z.union([z.string(), z.strictObject({ id: z.string() })]);

export const toolsSchema = z.array(
  z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('function'),
      name: z.string().min(1),
      description: z.string().optional(),
      parameters: z.record(z.string(), z.unknown()).optional(),
    }),
    z.looseObject({ type: z.literal('mcp'), server_label: z.string() }),
  ]),
);

export const toolChoiceSchema = z.union([
  z.enum(['auto', 'none', 'required']),
  z.strictObject({ type: z.literal('function'), name: z.string() }),
  z.strictObject({ type: z.literal('mcp'), server_label: z.string(), name: z.string().optional() }),
]);

export const maximumTokensSchema = z.union([z.int().min(1).max(4_096), z.literal('inf')]);

export const reasoningSchema = z.strictObject({
  effort: z.enum(['minimal', 'low', 'medium', 'high', 'xhigh']),
});

export const promptSchema = z.strictObject({
  id: z.string(),
  version: z.string().nullable().optional(),
  variables: z.record(z.string(), z.unknown()).nullable().optional(),
});

const truncationSchema = z.union([
  z.enum(['auto', 'disabled']),
  z.strictObject({
    type: z.literal('retention_ratio'),
    retention_ratio: z.number().min(0).max(1),
    token_limits: z.strictObject({ post_instructions: z.int().min(0) }).optional(),
  }),
]);

const tracingSchema = z.union([
  z.literal('auto'),
  z.strictObject({
    workflow_name: z.string().optional(),
    group_id: z.string().optional(),
    metadata: z.record(z.string(), z.unknown()).optional(),
  }),
]);

export const updateSchema = z.strictObject({
  type: z.literal('realtime'),
  model: z.string().optional(),
  output_modalities: modalitiesSchema.optional(),
  instructions: z.string().optional(),
  tools: toolsSchema.optional(),
  tool_choice: toolChoiceSchema.optional(),
  max_output_tokens: maximumTokensSchema.optional(),
  parallel_tool_calls: z.boolean().optional(),
  reasoning: reasoningSchema.optional(),
  truncation: truncationSchema.optional(),
  tracing: tracingSchema.nullable().optional(),
  prompt: promptSchema.nullable().optional(),
  include: z.array(z.literal('item.input_audio_transcription.logprobs')).nullable().optional(),
  audio: z
    .strictObject({
      input: z
        .strictObject({
          format: formatSchema.optional(),
          transcription: transcriptionSchema.nullable().optional(),
          noise_reduction: z
            .strictObject({
              type: z.enum(['near_field', 'far_field']),
              strength: z.number().optional(),
            })
            .nullable()
            .optional(),
          turn_detection: z
            .discriminatedUnion('type', [serverVadSchema, semanticVadSchema])
            .nullable()
            .optional(),
        })
        .optional(),
      output: z
        .strictObject({
          format: formatSchema.optional(),
          voice: voiceSchema.optional(),
          speed: z.number().min(0.25).max(1.5).optional(),
        })
        .optional(),
    })
    .optional(),
});

export type Update = z.infer<typeof updateSchema>;
export type Transcription = z.infer<typeof transcriptionSchema>;
export type Tracing = z.infer<typeof tracingSchema>;
export type Truncation = z.infer<typeof truncationSchema>;
export type Prompt = z.infer<typeof promptSchema>;
export type Reasoning = z.infer<typeof reasoningSchema>;
export type TurnDetection =
  | Required<z.infer<typeof serverVadSchema>>
  | Required<z.infer<typeof semanticVadSchema>>;
export type Voice = z.infer<typeof voiceSchema>;
export type Modalities = z.infer<typeof modalitiesSchema>;
export type Tools = z.infer<typeof toolsSchema>;
export type ToolChoice = z.infer<typeof toolChoiceSchema>;
