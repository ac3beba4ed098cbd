/**
 * Owns: the fields of the carrier's webhooks that are read, and their validation (Twilio, Request parameters; Stream
 * status callbacks; Call status callbacks).
 * Does not own: whether the request was signed.
 *
 * Fields that are not named here are let through unread: the carrier adds some without notice.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { carrierStatus } from '../../machines/entries.ts';
import { FixCallError } from '../../runtime/ports/errors.ts';
import type { FormFields } from './signature.ts';

const callSid = z.string().regex(/^CA[0-9a-fA-F]{32}$/);
const streamSid = z.string().regex(/^MZ[0-9a-fA-F]{32}$/);
const party = z.string().max(500).default('');

/** A request for TwiML. A `CallStatus` that is not known says nothing. */
export const callFields = z.object({
  CallSid: callSid,
  From: party,
  To: party,
  CallStatus: carrierStatus.optional().catch(undefined),
});
export type CallFields = z.infer<typeof callFields>;

export const statusFields = z.object({
  CallSid: callSid,
  CallStatus: carrierStatus,
  SequenceNumber: z
    .string()
    .regex(/^\d{1,9}$/)
    .optional(),
});
export type StatusFields = z.infer<typeof statusFields>;

export const streamFields = z.object({
  CallSid: callSid,
  StreamSid: streamSid,
  StreamEvent: z.string().max(100),
  StreamError: z.string().default('unknown'),
});

/** The query of `/twilio/continue` where we wrote it; anything else counts as the first time. */
export const waitFields = z.object({ waits: z.coerce.number().int().min(0).max(1_000_000).catch(0) });

/** A form as its fields, a JSON body as its text. */
export type WebhookBody = FormFields | string | null | undefined;

/** @throws FixCallError `edge.refused` where a field is missing or malformed */
export function readFields<Fields>(schema: z.ZodType<Fields>, body: WebhookBody): Fields {
  const result = schema.safeParse(typeof body === 'string' ? parseJson(body) : body);
  if (result.success) return result.data;
  const names = result.error.issues.map(({ path }) => path.join('.')).join(', ');
  throw new FixCallError('edge.refused', `malformed: ${names}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FixCallError('edge.refused', 'malformed JSON', { cause });
  }
}

/**
 * Tells one delivery from another: the carrier's retries of a delivery have the same body and the same
 * `I-Twilio-Idempotency-Token` (Twilio, Connection overrides).
 */
export function deliveryKey(token: string | string[] | undefined, body: WebhookBody): string {
  const identity = typeof token === 'string' ? token : JSON.stringify(body);
  return `twilio:${createHash('sha256').update(identity).digest('base64url')}`;
}

/** Of a call's status: by its number in the call's order, where the carrier gave one. */
export function statusKey(
  { CallSid, CallStatus, SequenceNumber }: StatusFields,
  token: string | string[] | undefined,
  body: WebhookBody,
): string {
  return SequenceNumber === undefined
    ? deliveryKey(token, body)
    : `twilio:${CallSid}:${SequenceNumber}:${CallStatus}`;
}
