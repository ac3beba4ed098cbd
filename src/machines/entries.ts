/**
 * Owns: the vocabulary of a call's log. Each entry is a fact, in the past tense, validated when it is written and
 * when it is read.
 * Does not own: what follows from an entry (the chart in `call/`), how it is stored.
 *
 * Invariants:
 * E1. No entry holds personal data: numbers, words, tool arguments and results, digits. It holds a `Reference`
 *     instead; the content is the payload with the entry's seq and the field's name. What an operator calls themselves is
 *     kept: it is the record of who did what.
 * E2. All times are durations in milliseconds, except `at` and `expiresAt` (milliseconds since the Unix epoch).
 * E3. A change of a shape that old logs do not satisfy takes a new `entryFormat`.
 */
import { z } from 'zod';
import { settingsSchema } from './settings.ts';

/** Number of the entry format that this version writes. Logs carry it in `call.created`. */
export const entryFormat = 2;

/** Stands for erasable content of `bytes` bytes (UTF-8), kept as the payload named like the field. */
export const reference = z.object({ bytes: z.int().nonnegative() });
export type Reference = z.infer<typeof reference>;

const id = z.string().min(1).max(200);
/** What an operator calls themselves, for the record of who did what. */
export const longestOperatorName = 60;
const operator = z.string().min(1).max(longestOperatorName).optional();
const count = z.int().nonnegative();
const durationMs = z.number().nonnegative();

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

export const entrySchemas = {
  // The call and who owns it
  'call.created': z.object({
    format: z.int().positive(),
    chart: z.int().positive(),
    /** Digest under which the resolved agent definition is stored. */
    agent: id,
    direction: z.enum(['incoming', 'outgoing']),
    carrierCallId: id.nullable(),
    from: reference.nullable(),
    to: reference.nullable(),
    /** W3C Trace Context trace-id of the call's one trace. */
    traceId: z.string().regex(/^[0-9a-f]{32}$/),
    settings: settingsSchema,
  }),
  'owner.claimed': z.object({
    instance: id,
    why: z.enum(['created', 'stream', 'restarted', 'orphan', 'moved']),
    /** The stream attempt whose token this claim spends. */
    attempt: z.int().positive().optional(),
  }),
  /** By us, in answer to the carrier's webhook; or by the person called. */
  'call.answered': z.object({ by: z.enum(['us', 'callee']) }),
  'call.ended': z.object({ reason: id }),
  /** A newer chart has taken the call over: from here on the log folds by it, beginning with what was carried. */
  'chart.changed': z.object({
    from: z.int().positive(),
    to: z.int().positive(),
    /** Number of the entry format of what follows. */
    format: z.int().positive(),
    /** State value and context, as the chart `to` begins with them. */
    carried: z.object({
      value: z.union([id, z.record(id, z.json())]),
      context: z.record(id, z.json()),
    }),
  }),
  /** It was not begun in time, and the caller was told so or put through: nobody is to come back to it. */
  'call.declined': z.object({ cause: id }),
  'journal.lost': z.object({ queuedEntries: count, stalledMs: durationMs }),

  // The carrier: stream, media, status
  /** The carrier was told to open a stream with this attempt's token; it may ask again before one has begun. */
  'stream.requested': z.object({ attempt: z.int().positive() }),
  /** A stream came to an instance that is too old for this call, or that is to part from it, and was sent away. */
  'stream.misdirected': z.object({ attempt: z.int().positive() }),
  'stream.started': z.object({ streamId: id, attempt: z.int().positive() }),
  'stream.stopped': z.object({ streamId: id }),
  'stream.closed': z.object({ streamId: id, code: z.int() }),
  'stream.failed': z.object({ streamId: id, error: z.string().max(200) }),
  'media.starved': z.object({ streamId: id, silentMs: durationMs }),
  'media.resumed': z.object({ streamId: id }),
  'carrier.reported': z.object({ status: carrierStatus, source: z.enum(['callback', 'fetch', 'webhook']) }),
  'carrier.unreachable': z.object({ cause: z.string().max(200) }),
  /** What became of our request to give the carrier its next instruction at once. */
  'redirect.finished': z.object({
    outcome: z.enum(['redirected', 'refused', 'unreachable']),
    /** What it was to do: the answer may come when something else has been asked for since. */
    told: z.enum(['connect', 'transfer', 'apologise', 'wait', 'hangUp', 'decline']).optional(),
  }),
  /** The call is to go on in another process, at a quiet moment or once `withinMs` have passed. */
  'move.requested': z.object({ by: z.enum(['operator', 'drain']), operator, withinMs: durationMs }),
  /** The log held all that had been said when the stream was about to be let go. */
  'move.confirmed': z.object({ streamId: id }),
  'digit.pressed': z.object({ digit: reference }),
  'input.refused': z.object({ peer: z.enum(['carrier', 'model']), kind: id }),

  // The model session
  'model.opened': z.object({
    generation: z.int().positive(),
    sessionId: id,
    expiresAt: z.number().nullable(),
  }),
  'model.closed': z.object({
    generation: z.int().positive(),
    /** WebSocket close code, HTTP status of a refused upgrade, or null where nothing answered. */
    code: z.int().nullable(),
    cause: z.string().max(200),
    /** Whether a new session may help. */
    reaction: z.enum(['retry', 'giveUp']),
    /** What the far side asked us to wait. */
    retryAfterMs: durationMs.nullable(),
    /** Random share of the backoff, 0 to 1, drawn when the entry was made. */
    jitter: z.number().min(0).max(1),
  }),

  // The turns
  'caller.startedSpeaking': z.object({ itemId: id }),
  'caller.stoppedSpeaking': z.object({
    itemId: id,
    /** Silence that the turn detection waited for: the caller's last word was this long before `at`. */
    silenceMs: durationMs,
  }),
  'caller.transcribed': z.object({ itemId: id, transcript: reference.nullable() }),
  'reply.started': z.object({ replyId: id }),
  'reply.voiced': z.object({ replyId: id, itemId: id }),
  'reply.progressed': heardItem,
  'reply.transcribed': z.object({ itemId: id, transcript: reference }),
  'reply.finished': z.object({
    replyId: id,
    status: z.enum(['completed', 'cancelled', 'incomplete', 'failed']),
    cause: z.string().max(200).nullable(),
    /** The model sent audio for it. */
    voiced: z.boolean(),
    toolCalls: count,
    usage: usage.nullable(),
  }),
  'reply.played': z.object({ replyId: id }),
  'reply.interrupted': z.object({ items: z.array(heardItem).max(100) }),

  /** The agent is to say these words, once nobody speaks. They replace earlier ones that were not said yet. */
  'announcement.requested': z.object({ by: z.enum(['operator']), operator, words: reference }),

  // Tools
  'tool.requested': z.object({
    toolCallId: id,
    replyId: id,
    name: id,
    effect: toolEffect,
    arguments: reference,
  }),
  'tool.finished': z.object({
    toolCallId: id,
    outcome: z.enum(['completed', 'failed', 'timedOut', 'unknown']),
    result: reference,
  }),

  // Handing the caller on
  'transfer.requested': z.object({
    by: z.enum(['agent', 'operator', 'fallback']),
    operator,
    /** The number that is dialled; null for the configured fallback's. */
    destination: reference.nullable(),
    /** The agent's request, which is owed an outcome. */
    toolCallId: id.nullable(),
  }),
  /**
   * As the carrier reports it (Twilio, TwiML Dial, `DialCallStatus`); `answered` and `completed` are one. `unknown`: it was
   * over before anybody was there to be told.
   */
  'transfer.finished': z.object({
    outcome: z.enum(['completed', 'busy', 'no-answer', 'failed', 'canceled', 'unknown']),
  }),

  // The end
  'hangUp.requested': z.object({ by: z.enum(['operator', 'drain']), operator }),
  'hangUp.finished': z.object({ outcome: z.enum(['completed', 'refused', 'unreachable']) }),

  // After the end
  /** The call's payloads are gone; the one kind of entry that follows `call.ended`. */
  'payloads.erased': z.object({
    by: z.enum(['operator', 'retention']),
    operator,
    payloads: count,
    bytes: count,
  }),

  // Time
  'timer.elapsed': z.object({ timer: id }),
} as const;

type Schemas = typeof entrySchemas;
export type EntryType = keyof Schemas;

/** An entry before the runtime stamped `seq` and `at` into it. */
export type Draft = { [Type in EntryType]: { type: Type } & z.infer<Schemas[Type]> }[EntryType];
export type DraftOf<Type extends EntryType> = Extract<Draft, { type: Type }>;

/** A fact of a call's log: `seq` counts from 1 without holes, `at` never goes back. */
export type Entry = Draft & { seq: number; at: number };
export type EntryOf<Type extends EntryType> = Extract<Entry, { type: Type }>;

const stamp = { seq: z.int().positive(), at: z.int().nonnegative() };
const stamped = new Map<string, z.ZodType>(
  Object.entries(entrySchemas).map(([type, schema]) => [
    type,
    schema.extend({ type: z.literal(type), ...stamp }).strict(),
  ]),
);

/** Says what is wrong with an entry, or null where nothing is. */
export function entryFault(entry: { type: string }): string | null {
  const schema = stamped.get(entry.type);
  if (!schema) return `unknown entry type ${entry.type}`;
  const result = schema.safeParse(entry);
  return result.success ? null : z.prettifyError(result.error);
}

const strictReference = reference.strict();

/** Names of the fields of an entry that stand for payloads. */
export function referencesOf(entry: object): string[] {
  return Object.entries(entry)
    .filter(([, value]) => typeof value === 'object' && strictReference.safeParse(value).success)
    .map(([name]) => name);
}
