/**
 * Owns: the tool by which an agent hands the caller on: how it is told to the model, and which number a request means.
 * Does not own: dialling (the call chart and the carrier).
 *
 * Invariants:
 * F1. The model is told names and descriptions, never a number: it can be talked into repeating what it knows, and no
 *     caller can have it dial a number of theirs.
 */
import { z } from 'zod';
import type { ToolDeclaration } from '../runtime/ports/model.ts';
import type { AgentRecord } from './record.ts';

/** An agent with transfers has the tool; no other one may have its name. */
export const transferTool = 'transfer_call';

type Transfer = AgentRecord['transfers'][number];

/** `transfers`: at least one. */
export const transferDeclaration = (transfers: readonly Transfer[]): ToolDeclaration => ({
  name: transferTool,
  description:
    'Puts the caller through to somebody else and leaves the call. Tell the caller in the same turn to whom you are ' +
    'putting them through. Where nobody answers there, the caller comes back to you, and you learn why.',
  parameters: {
    type: 'object',
    properties: {
      destination: {
        type: 'string',
        enum: transfers.map(({ name }) => name),
        description: transfers.map(({ name, description }) => `${name}: ${description}`).join('\n'),
      },
    },
    required: ['destination'],
    additionalProperties: false,
  },
  effect: 'once',
});

const transferArguments = z.object({ destination: z.string() });

/**
 * The number (E.164) that the model's request means; or what the model is told where it means none.
 * @param text JSON as the model wrote it
 */
export function destinationOf(
  { transfers }: AgentRecord,
  text: string,
): { number: string } | { refusal: string } {
  const name = readDestination(text);
  const transfer = transfers.find((one) => one.name === name);
  if (transfer) return { number: transfer.to };
  const names = transfers.map((one) => JSON.stringify(one.name)).join(', ');
  return {
    refusal: `Nobody was called. destination must be one of: ${names}. Correct it and call the tool again.`,
  };
}

function readDestination(text: string): string | null {
  try {
    return transferArguments.parse(JSON.parse(text)).destination;
  } catch {
    return null;
  }
}
