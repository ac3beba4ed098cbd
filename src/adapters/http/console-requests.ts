/**
 * Owns: the form of what a page may ask for: ids, queries, commands.
 * Does not own: whether it can be done (the desk).
 */
import { z } from 'zod';
import { FixCallError } from '../../runtime/ports/errors.ts';
import type { CallQuery, OperatorCommand } from '../../runtime/ports/operator.ts';

const callId = z.string().min(1).max(200);
const moment = z.coerce.number().nonnegative();
const words = z.string().max(200);
/** An empty field of a form asks for nothing. */
const given = (value: unknown): unknown => (value === '' ? undefined : value);
const optional = <Schema extends z.ZodType>(schema: Schema) => z.preprocess(given, schema.optional());

export const callParameters = z.object({ id: callId });
export const chartParameters = z.object({ number: z.coerce.number().int().nonnegative().max(1_000_000) });

const truth = z.enum(['true', 'false']).transform((text) => text === 'true');

const callQuery = z.object({
  live: optional(truth),
  direction: optional(z.enum(['incoming', 'outgoing'])),
  endReason: optional(words),
  text: optional(words),
  startedAfter: optional(moment),
  startedBefore: optional(moment),
  cursor: optional(z.string().max(1_000)),
  limit: optional(z.coerce.number().int().min(1).max(200)),
});

const instanceLogQuery = z.object({
  instance: optional(words),
  before: optional(moment),
  limit: optional(z.coerce.number().int().min(1).max(1_000)),
});

export const liveQuery = z.object({ after: optional(z.coerce.number().int().nonnegative()) });
export const lastEventId = z.coerce.number().int().nonnegative().safe();

const command = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('hangUp') }),
  z.strictObject({ do: z.literal('transfer'), number: z.string().max(40) }),
  z.strictObject({ do: z.literal('say'), words: z.string().min(1).max(500) }),
  z.strictObject({ do: z.literal('move') }),
  z.strictObject({ do: z.literal('erase') }),
]);

/** Fields that are not there are left out. */
function compact<Fields extends object>(fields: Fields) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** @throws ZodError */
export const readCallQuery = (query: unknown): CallQuery => compact(callQuery.parse(query));

/** @throws ZodError */
export const readInstanceLogQuery = (
  query: unknown,
): { instance?: string; before?: number; limit?: number } => compact(instanceLogQuery.parse(query));

/** @throws FixCallError `command.invalid` */
export function readCommand(body: unknown): OperatorCommand {
  const { success, data, error } = command.safeParse(body);
  if (!success) throw new FixCallError('command.invalid', z.prettifyError(error));
  return data;
}
