/**
 * Owns: the values that the entries of a call's log are made of, beyond plain words and numbers.
 * Does not own: the entries (`entries.ts`).
 */
import { z } from 'zod';

export const id = z.string().min(1).max(200);
export const count = z.int().nonnegative();
export const durationMs = z.number().nonnegative();

/** Stands for erasable content of `bytes` bytes (UTF-8), kept as the payload named like the field. */
export const reference = z.object({ bytes: z.int().nonnegative() });
export type Reference = z.infer<typeof reference>;

/** What is known of a reply's item: how much the model sent and how much the caller heard. */
export const heardItem = z.object({ itemId: id, receivedMs: durationMs, playedMs: durationMs });
export type HeardItem = z.infer<typeof heardItem>;

/** Tokens of one reply as the model billed them. */
export const usage = z.object({
  inputTextTokens: count,
  inputAudioTokens: count,
  inputCachedTokens: count,
  outputTextTokens: count,
  outputAudioTokens: count,
});
export type Usage = z.infer<typeof usage>;

/** What a tool declares about being run again: harmless, harmless with the same key, or never twice. */
export const toolEffect = z.enum(['none', 'idempotent', 'once']);
export type ToolEffect = z.infer<typeof toolEffect>;

/** The carrier's word on the call (Twilio, Call resource, status values). */
export const carrierStatus = z.enum([
  'queued',
  'initiated',
  'ringing',
  'in-progress',
  'completed',
  'busy',
  'failed',
  'no-answer',
  'canceled',
]);
export type CarrierStatus = z.infer<typeof carrierStatus>;

const overStatuses: ReadonlySet<CarrierStatus> = new Set([
  'completed',
  'busy',
  'failed',
  'no-answer',
  'canceled',
]);

/** Whether a call with this status has ended for good. */
export const isOver = (status: CarrierStatus): boolean => overStatuses.has(status);
