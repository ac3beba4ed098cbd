/**
 * Owns: the fields of the carrier's webhooks that are read, and their validation (Twilio, Request parameters; Stream
 * status callbacks; Call status callbacks).
 * Does not own: whether the request was signed.
 *
 * Fields that are not named here are let through unread: the carrier adds some without notice.
 */
import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { carrierStatus } from '../../machines/entry-values.ts';
import { FixCallError } from '../../runtime/ports/errors.ts';
import { routes } from './addresses.ts';
import type { DialEnd } from './continuation.ts';
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

const dialStatus = z.enum(['completed', 'answered', 'busy', 'no-answer', 'failed', 'canceled']);

/** The end of a `<Dial>` (Twilio, TwiML Dial, action). An end that is not known brought nobody to the phone. */
const dialFields = callFields.extend({
  DialCallStatus: dialStatus.catch('failed'),
  DialCallSid: callSid.optional().catch(undefined),
});

/** A request to the fallback address: `ErrorUrl` is the address of ours that failed. */
const fallbackFields = z.object({ ErrorUrl: z.string().catch('') });

/** Whether the carrier dialled for the caller and could not tell us how that ended. */
export function failedToTellDial(body: WebhookBody): boolean {
  const { ErrorUrl } = readFields(fallbackFields, body);
  return URL.parse(ErrorUrl)?.pathname.endsWith(routes.dialed) === true;
}

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

type Token = string | string[] | undefined;

/** The call and how the dialling for it ended. @throws FixCallError `edge.refused` */
export function readDial(token: Token, body: WebhookBody): { fields: CallFields; dialed: DialEnd } {
  const { DialCallStatus: status, DialCallSid: dialSid, ...fields } = readFields(dialFields, body);
  const outcome = status === 'answered' ? 'completed' : status;
  return { fields, dialed: { outcome, dialId: dialSid ?? deliveryDigest(token, body) } };
}

function deliveryDigest(token: Token, body: WebhookBody): string {
  const identity = typeof token === 'string' ? token : JSON.stringify(body);
  return createHash('sha256').update(identity).digest('base64url');
}

/**
 * Tells one delivery from another: the carrier's retries of a delivery have the same body and the same
 * `I-Twilio-Idempotency-Token` (Twilio, Connection overrides).
 */
export const deliveryKey = (token: Token, body: WebhookBody): string =>
  `twilio:${deliveryDigest(token, body)}`;

/** As `deliveryKey`, for requests whose bodies are alike: without a token each of them counts. */
export const requestKey = (token: Token): string =>
  typeof token === 'string' ? deliveryKey(token, null) : `twilio:${randomUUID()}`;

/** Of a call's status: by its number in the call's order, where the carrier gave one. */
export function statusKey(
  { CallSid, CallStatus, SequenceNumber }: StatusFields,
  token: Token,
  body: WebhookBody,
): string {
  return SequenceNumber === undefined
    ? deliveryKey(token, body)
    : `twilio:${CallSid}:${SequenceNumber}:${CallStatus}`;
}
