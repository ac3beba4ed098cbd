/**
 * Owns: which agent definitions are accepted, what stands in for what they leave out, and what is said of the rest.
 * Does not own: where in a file the fault is (`origin.ts`).
 *
 * Invariants:
 * P1. A message completes the sentence that the property's path begins.
 * P2. A definition that passes can be told to the model: its parameters have a JSON Schema.
 */
import { z } from 'zod';
import { hangUpTool } from '../machines/call/context.ts';
import { toolEffect } from '../machines/entry-values.ts';
import { phoneNumber } from '../runtime/ports/phone-number.ts';
import type { AgentDefinition, ToolDefinition } from './definition.ts';
import { transferTool } from './transfer.ts';

/** Longest times and texts; the model's own limit for instructions and tools is 16,384 tokens together. */
const longestToolMs = 600_000;
const instructionsLimit = 50_000;
const toolsLimit = 64;
const transfersLimit = 20;

type Complaint = { error: (issue: z.core.$ZodRawIssue) => string };

const must = (demand: string): Complaint => ({
  error: (issue) => (issue.input === undefined ? 'is missing' : `must be ${demand}`),
});

/** A misspelt property would be left out in silence. */
const knows = (thing: string): Complaint => ({
  error: (issue) =>
    issue.code === 'unrecognized_keys' ? `is no property of ${thing}` : must(thing).error(issue),
});

const text = (demand: string, limit: number) =>
  z.string(must(demand)).trim().min(1, must(demand)).max(limit, `must be ${demand}`);

const wholeMs = (least: number, most: number) => {
  const demand = must(`a whole number of milliseconds from ${least} to ${most}`);
  return z.int(demand).min(least, demand).max(most, demand);
};

const isFunction = (value: unknown): boolean => typeof value === 'function';

/** Made once for each: every call asks for those of its agent's tools. */
const jsonSchemas = new WeakMap<z.ZodObject, unknown>();

/** The JSON Schema of what the model is to send (JSON Schema, draft 2020-12), without the keyword `$schema`. */
export function jsonSchemaOf(parameters: z.ZodObject): unknown {
  const known = jsonSchemas.get(parameters);
  if (known !== undefined) return known;
  const { $schema: _, ...schema } = z.toJSONSchema(parameters, { io: 'input' });
  jsonSchemas.set(parameters, schema);
  return schema;
}

const parametersSchema = z
  .instanceof(z.ZodObject, must('a zod object: z.object({ ... }) of zod 4'))
  .superRefine((parameters, context) => {
    try {
      jsonSchemaOf(parameters);
    } catch (error) {
      const { message } = error as Error;
      context.addIssue({ code: 'custom', message: `cannot be told to the model: ${message}` });
    }
  });

const toolName = z
  .string(must('a name'))
  .regex(/^[a-zA-Z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -')
  .refine((name) => name !== hangUpTool, `must not be ${hangUpTool}: every agent has that tool already`)
  .refine((name) => name !== transferTool, `must not be ${transferTool}: that tool comes with transfers`);

const toolSchema = z.strictObject(
  {
    name: toolName,
    description: text('1 to 4000 characters that tell the model when to use the tool', 4000),
    parameters: parametersSchema,
    effect: z.enum(toolEffect.options, must(`one of ${toolEffect.options.join(', ')}`)),
    timeoutMs: wholeMs(1, longestToolMs).default(10_000),
    run: z.custom<ToolDefinition['run']>(isFunction, must('a function')),
    find: z.custom<NonNullable<ToolDefinition['find']>>(isFunction, must('a function')).optional(),
  },
  knows('a tool'),
);

const transferSchema = z.strictObject(
  {
    name: text('a name of 1 to 64 characters', 64),
    description: text('1 to 1000 characters that tell the model when to put a caller through', 1000),
    to: z
      .string(must('a number in E.164 form, as +15550100'))
      .regex(phoneNumber, 'must be a number in E.164 form, as +15550100'),
  },
  knows('a transfer'),
);

const turnDetection = z.discriminatedUnion(
  'type',
  [
    z.strictObject(
      {
        type: z.literal('server_vad'),
        threshold: z
          .number(must('a number from 0 to 1'))
          .min(0, 'must be at least 0')
          .max(1, 'must be at most 1')
          .default(0.5),
        prefixPaddingMs: wholeMs(0, 10_000).default(300),
        silenceMs: wholeMs(1, 10_000).default(500),
      },
      knows('server_vad'),
    ),
    z.strictObject(
      {
        type: z.literal('semantic_vad'),
        eagerness: z
          .enum(['low', 'medium', 'high', 'auto'], must('one of low, medium, high, auto'))
          .default('auto'),
      },
      knows('semantic_vad'),
    ),
  ],
  must('server_vad or semantic_vad'),
);

const transcription = z.strictObject(
  {
    model: text('the name of a transcription model', 100).default('gpt-realtime-whisper'),
    language: z
      .string(must('a language by ISO 639-1, as en'))
      .regex(/^[a-z]{2}$/, 'must be a language by ISO 639-1, as en')
      .nullable()
      .default(null),
  },
  knows('the transcription'),
);

export const agentSchema = z.strictObject(
  {
    name: text('a name of 1 to 100 characters', 100),
    instructions: text(
      `1 to ${instructionsLimit} characters that tell the model what to do`,
      instructionsLimit,
    ),
    greeting: text('the first sentence that the caller hears, at most 2000 characters', 2000),
    voice: text('the name of a voice', 100).default('marin'),
    turnDetection: turnDetection.prefault({ type: 'server_vad' }),
    transcription: transcription.prefault({}),
    tools: z
      .array(toolSchema, must('a list of tools'))
      .max(toolsLimit, `must hold at most ${toolsLimit} tools`)
      .superRefine(refuseNamesakes('tool'))
      .default([]),
    transfers: z
      .array(transferSchema, must('a list of transfers'))
      .max(transfersLimit, `must hold at most ${transfersLimit} transfers`)
      .superRefine(refuseNamesakes('transfer'))
      .default([]),
    onCallEnded: z
      .custom<NonNullable<AgentDefinition['onCallEnded']>>(isFunction, must('a function'))
      .optional(),
  },
  knows('an agent'),
);

/** A definition with everything that it left out. */
export type CheckedAgent = z.output<typeof agentSchema>;
export type CheckedTool = z.output<typeof toolSchema>;

function refuseNamesakes(thing: string) {
  const message = `must not be that of another ${thing}`;
  return (list: readonly { name: string }[], context: z.RefinementCtx): void => {
    list.forEach(({ name }, index) => {
      if (list.findIndex((other) => other.name === name) === index) return;
      context.addIssue({ code: 'custom', path: [index, 'name'], message });
    });
  };
}
