/**
 * Owns: what a `response.create` asks for, checked and completed from the session.
 * Does not own: carrying it out (`responses.ts`).
 *
 * Source: OpenAI Realtime, client events, `response.create`.
 */
import { z } from 'zod';
import type { AudioFormat } from '../audio/audio-format.ts';
import type { BrainReason } from '../brain.ts';
import { itemSchema } from '../protocol/client-events.ts';
import type { Identify } from '../protocol/identifiers.ts';
import { errorOfIssues, itemNotFound, type ProtocolError, voiceLocked } from '../protocol/protocol-errors.ts';
import {
  formatSchema,
  type Modalities,
  maximumTokensSchema,
  modalitiesSchema,
  promptSchema,
  reasoningSchema,
  type ToolChoice,
  type Tools,
  toolChoiceSchema,
  toolsSchema,
  type Voice,
  voiceSchema,
} from '../protocol/session-schema.ts';
import type { Conversation, Entry } from '../session/conversation.ts';
import { createdEntry } from '../session/created-item.ts';
import type { SessionSettings } from '../session/session-settings.ts';

const inputSchema = z.array(
  z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('item_reference'), id: z.string() }),
    itemSchema,
  ]),
);

const requestSchema = z.strictObject({
  audio: z
    .strictObject({
      output: z.strictObject({ format: formatSchema.optional(), voice: voiceSchema.optional() }).optional(),
    })
    .optional(),
  conversation: z.enum(['auto', 'none']).optional(),
  input: inputSchema.optional(),
  instructions: z.string().optional(),
  max_output_tokens: maximumTokensSchema.optional(),
  metadata: z
    .record(z.string(), z.string())
    .refine((pairs) => Object.keys(pairs).length <= 16, { error: 'at most 16 pairs' })
    .nullable()
    .optional(),
  output_modalities: modalitiesSchema.optional(),
  parallel_tool_calls: z.boolean().optional(),
  prompt: promptSchema.nullable().optional(),
  reasoning: reasoningSchema.optional(),
  tool_choice: toolChoiceSchema.optional(),
  tools: toolsSchema.optional(),
});

/** What one response shall be. */
export interface ResponseRequest {
  reason: BrainReason;
  conversation: 'auto' | 'none';
  /** What the model reads instead of the conversation, or null. */
  input: readonly Entry[] | null;
  /** Instructions of this response alone, or null. */
  instructions: string | null;
  modalities: Modalities;
  maximumTokens: number | 'inf';
  metadata: Record<string, string> | null;
  tools: Tools;
  toolChoice: ToolChoice;
  format: AudioFormat;
  voice: Voice;
}

/** What the session asks for by itself, when a turn of the caller is over. */
export const automaticRequest = (settings: SessionSettings, reason: BrainReason): ResponseRequest => ({
  reason,
  conversation: 'auto',
  input: null,
  instructions: null,
  modalities: settings.output_modalities,
  maximumTokens: settings.max_output_tokens,
  metadata: null,
  tools: settings.tools,
  toolChoice: settings.tool_choice,
  format: settings.audio.output.format,
  voice: settings.audio.output.voice,
});

export type RequestResult = { request: ResponseRequest } | { error: ProtocolError };

/** Reads the `response` of a `response.create`. */
export function readRequest(
  response: Record<string, unknown>,
  settings: SessionSettings,
  conversation: Conversation,
  voiceIsLocked: boolean,
  identify: Identify,
): RequestResult {
  const parsed = requestSchema.safeParse(response);
  if (!parsed.success) return { error: errorOfIssues(parsed.error.issues, response, 'response') };
  const { audio, input, ...fields } = parsed.data;
  const voice = audio?.output?.voice;
  if (voiceIsLocked && voice !== undefined && voice !== settings.audio.output.voice) {
    return { error: voiceLocked() };
  }
  const entries = readInput(input, settings, conversation, identify);
  if (!Array.isArray(entries) && entries !== null) return { error: entries };
  const base = automaticRequest(settings, fields.conversation === 'none' ? 'outOfBand' : 'request');
  return {
    request: {
      ...base,
      conversation: fields.conversation ?? 'auto',
      input: entries,
      instructions: fields.instructions ?? null,
      modalities: fields.output_modalities ?? base.modalities,
      maximumTokens: fields.max_output_tokens ?? base.maximumTokens,
      metadata: fields.metadata ?? null,
      tools: fields.tools ?? base.tools,
      toolChoice: fields.tool_choice ?? base.toolChoice,
      format: audio?.output?.format ?? base.format,
      voice: voice ?? base.voice,
    },
  };
}

function readInput(
  input: z.output<typeof inputSchema> | undefined,
  settings: SessionSettings,
  conversation: Conversation,
  identify: Identify,
): Entry[] | ProtocolError | null {
  if (input === undefined) return null;
  const entries: Entry[] = [];
  for (const item of input) {
    const entry =
      item.type === 'item_reference'
        ? conversation.find(item.id)
        : createdEntry(item, settings.audio.input.format, identify);
    if (entry === undefined) return itemNotFound('id' in item ? String(item.id) : '', 'response.input');
    entries.push(entry);
  }
  return entries;
}
