/**
 * Owns: the part of an agent that is plain JSON. It is stored once by its digest, and a call keeps the one that it
 * began with.
 * Does not own: the functions of the agent, which no log can hold (`resolve.ts`).
 */
import { z } from 'zod';
import { toolEffect } from '../machines/entry-values.ts';
import type { Json } from '../runtime/ports/journal.ts';
import type { ToolDeclaration } from '../runtime/ports/model.ts';
import { type CheckedAgent, jsonSchemaOf } from './definition-schema.ts';
import { hangUpDeclaration } from './hang-up.ts';
import { transferDeclaration } from './transfer.ts';

const json = z.json() as z.ZodType<Json>;

export const agentRecordSchema = z.object({
  name: z.string(),
  instructions: z.string(),
  greeting: z.string(),
  voice: z.string(),
  turnDetection: z.discriminatedUnion('type', [
    z.object({
      type: z.literal('server_vad'),
      threshold: z.number(),
      prefixPaddingMs: z.number(),
      silenceMs: z.number(),
    }),
    z.object({ type: z.literal('semantic_vad'), eagerness: z.enum(['low', 'medium', 'high', 'auto']) }),
  ]),
  transcription: z.object({ model: z.string(), language: z.string().nullable() }),
  /** The agent's own; `declaredTools` adds those that come with the system. */
  tools: z.array(
    z.object({
      name: z.string(),
      description: z.string(),
      /** JSON Schema of the arguments. */
      parameters: json,
      effect: toolEffect,
      timeoutMs: z.number(),
    }),
  ),
  /** Records from before there were transfers have none. The numbers are the operator's, not a caller's. */
  transfers: z.array(z.object({ name: z.string(), description: z.string(), to: z.string() })).default([]),
});

export type AgentRecord = z.output<typeof agentRecordSchema>;

/** The plain part of a definition. */
export function recordOf({ tools, onCallEnded: _, ...agent }: CheckedAgent): AgentRecord {
  return agentRecordSchema.parse({
    ...agent,
    tools: tools.map(({ parameters, run: __, find: ___, ...tool }) => ({
      ...tool,
      parameters: jsonSchemaOf(parameters),
    })),
  });
}

/** All tools that the model is told of. */
export const declaredTools = ({ tools, transfers }: AgentRecord): ToolDeclaration[] => [
  ...tools.map(({ timeoutMs: _, ...declaration }) => declaration),
  ...(transfers.length === 0 ? [] : [transferDeclaration(transfers)]),
  hangUpDeclaration,
];
