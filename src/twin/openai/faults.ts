/**
 * Owns: what can go wrong between the offline service and a client on purpose, and which connection it befalls.
 * Does not own: making it happen (`connection/fault-injector.ts`, `connection/admission.ts`).
 *
 * All faults are plain data, so a script of them can come from a file.
 */
import { z } from 'zod';
import type { ClientEventType } from './protocol/client-events.ts';
import type { ServerEventType } from './protocol/outbox.ts';

/**
 * When a fault comes: so long after the connection opened, or right after the n-th event of a type (n is 1 where
 * `count` is left out) was sent to or received from the client. Counted from the moment the fault is put in place.
 */
export type Moment =
  | { afterMs: number }
  | { sent: ServerEventType; count?: number | undefined }
  | { received: ClientEventType; count?: number | undefined };

/**
 * What becomes of a response.
 * - `server_error`, `rate_limit_exceeded`, `insufficient_quota`: `response.done` with status failed
 * - `content_filter`: stopped after its first piece, incomplete
 * - `not_created`: no event at all
 * - `stuck`: created, then nothing until it is cancelled
 * - `empty`: completed without any output
 * - `text_only`: written where it should be spoken, so there is no audio
 */
export type ResponseOutcome =
  | 'server_error'
  | 'rate_limit_exceeded'
  | 'insufficient_quota'
  | 'content_filter'
  | 'not_created'
  | 'stuck'
  | 'empty'
  | 'text_only';

/** Reasons for which the service takes the connection, says so in an `error` event and closes. */
export const inBandReasons = [
  'invalid_api_key',
  'beta_api_shape_disabled',
  'missing_model',
  'invalid_intent',
  'model_not_found',
  'insufficient_quota',
] as const;

export type InBandReason = (typeof inBandReasons)[number];

/** How the events on their way to the client are spoilt. */
export type Noise = 'duplicate' | 'unknownEvent' | 'unknownField' | 'malformed' | 'binary';

export type Fault =
  /** HTTP 101, then the error event, then the close code of that reason. */
  | { kind: 'refuseInBand'; reason: InBandReason }
  /** The upgrade is answered with this status instead. */
  | { kind: 'refuseUpgrade'; status: number; retryAfterSeconds?: number | undefined }
  | { kind: 'slowUpgrade'; delayMs: number }
  /** The connection is gone without a close frame. */
  | { kind: 'drop'; when: Moment }
  | { kind: 'close'; code: number; reason?: string | undefined; when: Moment }
  /** The session ends as at its maximum: the error (where `announced`), then close code 1001. */
  | { kind: 'expire'; announced: boolean; when: Moment }
  /** The connection stays but nothing is read, sent or answered: pings neither, unless `answersPings`. */
  | { kind: 'stall'; when: Moment; answersPings?: boolean | undefined }
  /** After every cancelled response so many audio deltas still come. */
  | { kind: 'lateDeltas'; count: number }
  /** Befalls the next response, the n-th from now on, or every one (a poisoned session). */
  | { kind: 'response'; outcome: ResponseOutcome; which?: number | 'every' | undefined }
  /** Befalls every n-th event. */
  | { kind: 'noise'; noise: Noise; everyEvents: number };

/** Which faults the n-th connection (from 0) since the start of the twin meets. */
export type FaultPlan = (connection: number) => readonly Fault[];

export const noFaults: FaultPlan = () => [];

/** The n-th list for the n-th connection, `thereafter` for all later ones. */
export const faultsInOrder =
  (lists: readonly (readonly Fault[])[], thereafter: readonly Fault[] = []): FaultPlan =>
  (connection) =>
    lists[connection] ?? thereafter;

const count = z.int().min(1).optional();

const momentSchema = z.union([
  z.strictObject({ afterMs: z.number().min(0) }),
  z.strictObject({ sent: z.string(), count }),
  z.strictObject({ received: z.string(), count }),
]);

const closeCode = z.int().min(1_000).max(4_999);

const faultSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('refuseInBand'), reason: z.enum(inBandReasons) }),
  z.strictObject({
    kind: z.literal('refuseUpgrade'),
    status: z.int().min(400).max(599),
    retryAfterSeconds: z.number().min(0).optional(),
  }),
  z.strictObject({ kind: z.literal('slowUpgrade'), delayMs: z.number().min(0) }),
  z.strictObject({ kind: z.literal('drop'), when: momentSchema }),
  z.strictObject({
    kind: z.literal('close'),
    code: closeCode,
    reason: z.string().max(100).optional(),
    when: momentSchema,
  }),
  z.strictObject({ kind: z.literal('expire'), announced: z.boolean(), when: momentSchema }),
  z.strictObject({ kind: z.literal('stall'), when: momentSchema, answersPings: z.boolean().optional() }),
  z.strictObject({ kind: z.literal('lateDeltas'), count: z.int().min(1).max(1_000) }),
  z.strictObject({
    kind: z.literal('response'),
    outcome: z.enum([
      'server_error',
      'rate_limit_exceeded',
      'insufficient_quota',
      'content_filter',
      'not_created',
      'stuck',
      'empty',
      'text_only',
    ]),
    which: z.union([z.int().min(1), z.literal('every')]).optional(),
  }),
  z.strictObject({
    kind: z.literal('noise'),
    noise: z.enum(['duplicate', 'unknownEvent', 'unknownField', 'malformed', 'binary']),
    everyEvents: z.int().min(1),
  }),
]);

/** A list of faults from JSON. The names of events are not checked: a moment that never comes never comes. */
export const readFaults = (value: unknown): Fault[] => z.array(faultSchema).parse(value) as Fault[];
