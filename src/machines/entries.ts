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
import {
  carrierStatus,
  count,
  durationMs,
  heardItem,
  id,
  reference,
  toolEffect,
  usage,
} from './entry-values.ts';
import { settingsSchema } from './settings.ts';

/** Number of the entry format that this version writes. Logs carry it in `call.created`. */
export const entryFormat = 2;

/** What an operator calls themselves, for the record of who did what. */
export const longestOperatorName = 60;
const operator = z.string().min(1).max(longestOperatorName).optional();

/** What stands above an entry or a field is its text in `docs/reference/entries.md`. */
export const entrySchemas = {
  // The call and who owns it
  /** The first entry of every log: somebody calls, and the call is taken. */
  'call.created': z.object({
    /** Number of the entry format of what follows. */
    format: z.int().positive(),
    /** Number of the call chart by which the log folds. */
    chart: z.int().positive(),
    /** Digest under which the resolved agent definition is stored. */
    agent: id,
    /** This version places no calls. */
    direction: z.enum(['incoming', 'outgoing']),
    /** The carrier's name of the call (Twilio, `CallSid`). */
    carrierCallId: id.nullable(),
    /** Number of whoever calls. */
    from: reference.nullable(),
    /** Number that was called. */
    to: reference.nullable(),
    /** W3C Trace Context trace-id of the call's one trace. */
    traceId: z.string().regex(/^[0-9a-f]{32}$/),
    /** The bounds by which the chart waits, as they were configured then. */
    settings: settingsSchema,
  }),
  /** The call belongs to this instance now: a process has it in no other way. */
  'owner.claimed': z.object({
    instance: id,
    /**
     * `created`: it begins there. `stream`: its newest stream came there. `orphan`: nobody held it. `restarted`: the
     * instance bears the name of the one that had it, and has nothing of it left. `moved`: not written by this version.
     */
    why: z.enum(['created', 'stream', 'restarted', 'orphan', 'moved']),
    /** The stream attempt whose token this claim spends. */
    attempt: z.int().positive().optional(),
  }),
  /** Somebody took the call. */
  'call.answered': z.object({
    /** We do, in answer to the carrier's webhook; or the person called. */
    by: z.enum(['us', 'callee']),
  }),
  /** The call is over. But for `payloads.erased` nothing follows. */
  'call.ended': z.object({
    /** Why, as `holdfast_calls_total` counts it. */
    reason: id,
  }),
  /** A newer chart has taken the call over: from here on the log folds by it, beginning with what was carried. */
  'chart.changed': z.object({
    /** Number of the chart before. */
    from: z.int().positive(),
    /** Number of the chart from here on. */
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
  'call.declined': z.object({
    /** Why, as `holdfast_calls_declined_total` counts it. */
    cause: id,
  }),
  /** The journal took nothing for a minute, or too much waits for it, and the caller is on a line here: the call ends. */
  'journal.lost': z.object({
    /** Entries of the call that waited for the journal. */
    queuedEntries: count,
    /** How long the oldest of them had waited. */
    stalledMs: durationMs,
  }),

  // The carrier: stream, media, status
  /** The carrier was told to open a stream with this attempt's token; it may ask again before one has begun. */
  'stream.requested': z.object({ attempt: z.int().positive() }),
  /**
   * A stream came to an instance that is too old for this call, or that is to part from it, and was sent away; or no instance
   * admitted it, as one does not that the journal does not answer.
   */
  'stream.misdirected': z.object({ attempt: z.int().positive() }),
  /** A media stream came with a token that is valid and unspent. It is written with the claim that spends it. */
  'stream.started': z.object({ streamId: id, attempt: z.int().positive() }),
  /** The carrier ended the stream (Twilio, message `stop`). */
  'stream.stopped': z.object({ streamId: id }),
  /** The stream's socket is closed. */
  'stream.closed': z.object({ streamId: id, code: z.int() }),
  /** The carrier says that the stream failed (Twilio, callback `stream-error`). */
  'stream.failed': z.object({
    streamId: id,
    /** The carrier's own words. */
    error: z.string().max(200),
  }),
  /** The line looks open, and no audio of the caller comes. */
  'media.starved': z.object({ streamId: id, silentMs: durationMs }),
  /** Audio of the caller comes again. */
  'media.resumed': z.object({ streamId: id }),
  /** The carrier's word on the call. */
  'carrier.reported': z.object({
    status: carrierStatus,
    /** `callback`: told by itself. `fetch`: asked by us over REST. `webhook`: said with another question of the carrier. */
    source: z.enum(['callback', 'fetch', 'webhook']),
  }),
  /** The carrier was asked for the call's status, and gave none. */
  'carrier.unreachable': z.object({ cause: z.string().max(200) }),
  /** What became of our request to give the carrier its next instruction at once. */
  'redirect.finished': z.object({
    outcome: z.enum(['redirected', 'refused', 'unreachable']),
    /** What it was to do: the answer may come when something else has been asked for since. */
    told: z.enum(['connect', 'transfer', 'apologise', 'wait', 'hangUp', 'decline']).optional(),
  }),
  /** The call is to go on in another process, at a quiet moment or once `withinMs` have passed. */
  'move.requested': z.object({
    by: z.enum(['operator', 'drain']),
    operator,
    /** How long it may wait for that moment. */
    withinMs: durationMs,
  }),
  /** The log held all that had been said when the stream was about to be let go. */
  'move.confirmed': z.object({ streamId: id }),
  /** The caller pressed a key of the phone. */
  'digit.pressed': z.object({ digit: reference }),
  /** A message of a far side was not taken, or audio was lost because a far side took too little. */
  'input.refused': z.object({
    /** Whose message it was, or who took too little. */
    peer: z.enum(['carrier', 'model']),
    /** What was wrong: one of a fixed set of words, none of which is the far side's. */
    kind: id,
  }),

  // The model session
  /** A session is configured and knows what was said so far: it can be talked to. */
  'model.opened': z.object({
    generation: z.int().positive(),
    sessionId: id,
    /** The session's announced end, in milliseconds since the Unix epoch. */
    expiresAt: z.number().nullable(),
  }),
  /** A session ended, or did not come about. */
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
  /** The model heard the caller begin to speak. */
  'caller.startedSpeaking': z.object({ itemId: id }),
  /** The model holds the caller's turn to be over. */
  'caller.stoppedSpeaking': z.object({
    itemId: id,
    /** Silence that the turn detection waited for: the caller's last word was this long before `at`. */
    silenceMs: durationMs,
  }),
  /** The words of a caller's turn are known, or will not be. */
  'caller.transcribed': z.object({
    itemId: id,
    /** Null where the model heard no words or could not transcribe them. */
    transcript: reference.nullable(),
  }),
  /** The model began a reply. */
  'reply.started': z.object({ replyId: id }),
  /**
   * More of a reply was written that has no sound, or none yet: arguments of a tool call, or words. Told where nothing else
   * of it was for two seconds.
   */
  'reply.extended': z.object({ replyId: id }),
  /** The first sound of a reply was handed to the carrier. */
  'reply.voiced': z.object({ replyId: id, itemId: id }),
  /** How far a reply has been heard: about once a second while it is played. */
  'reply.progressed': heardItem,
  /** The words of a reply's item, as far as they are known: the last of such entries holds most. */
  'reply.transcribed': z.object({
    itemId: id,
    /** All words of the item so far. */
    transcript: reference,
  }),
  /** The model has sent all that it will send of a reply. It may still be playing. */
  'reply.finished': z.object({
    replyId: id,
    /** The model's own word (OpenAI Realtime, `response.done`). */
    status: z.enum(['completed', 'cancelled', 'incomplete', 'failed']),
    /** Why it was not completed. */
    cause: z.string().max(200).nullable(),
    /** The model sent audio for it. */
    voiced: z.boolean(),
    /** How many tool calls of it are to be answered. */
    toolCalls: count,
    /** Tokens that were billed for it. */
    usage: usage.nullable(),
  }),
  /** The caller heard the reply to its end. */
  'reply.played': z.object({ replyId: id }),
  /** What was being said was cut off, on the line and in the model's memory. */
  'reply.interrupted': z.object({
    /** What was cut, and how much of each was heard. */
    items: z.array(heardItem).max(100),
  }),

  /** The agent is to say these words, once nobody speaks. They replace earlier ones that were not said yet. */
  'announcement.requested': z.object({
    by: z.enum(['operator']),
    operator,
    /** What is to be said. */
    words: reference,
  }),

  // Tools
  /** The model wants a tool to be run. */
  'tool.requested': z.object({
    toolCallId: id,
    replyId: id,
    /** The tool's name in the agent's definition. */
    name: id,
    effect: toolEffect,
    /** JSON as the model wrote it. */
    arguments: reference,
  }),
  /** What became of a tool call. */
  'tool.finished': z.object({
    toolCallId: id,
    /** `unknown`: a process died with it, and it cannot be found out. */
    outcome: z.enum(['completed', 'failed', 'timedOut', 'unknown']),
    /** What the model is told. */
    result: reference,
  }),

  // Handing the caller on
  /** The caller is to be put through. */
  'transfer.requested': z.object({
    /** `fallback` is not written by this version: the chart goes there by itself. */
    by: z.enum(['agent', 'operator', 'fallback']),
    operator,
    /** The number that is dialled; null for the configured fallback's. */
    destination: reference.nullable(),
    /** The agent's request, which is owed an outcome. */
    toolCallId: id.nullable(),
  }),
  /** What became of the caller who was put through. */
  'transfer.finished': z.object({
    /**
     * As the carrier reports it (Twilio, TwiML Dial, `DialCallStatus`); `answered` and `completed` are one. `unknown`: it
     * was over before anybody was there to be told.
     */
    outcome: z.enum(['completed', 'busy', 'no-answer', 'failed', 'canceled', 'unknown']),
  }),

  // The end
  /** The call is to end, with a goodbye. That the agent hangs up is a `tool.requested`. */
  'hangUp.requested': z.object({
    /** `drain` is not written by this version. */
    by: z.enum(['operator', 'drain']),
    operator,
  }),
  /** What became of our request to the carrier to end the call. */
  'hangUp.finished': z.object({ outcome: z.enum(['completed', 'refused', 'unreachable']) }),

  // After the end
  /** The call's payloads are gone; the one kind of entry that follows `call.ended`. */
  'payloads.erased': z.object({
    by: z.enum(['operator', 'retention']),
    operator,
    /** How many there were. */
    payloads: count,
    /** Their size. */
    bytes: count,
  }),

  // Time
  /** A bound of the chart is over, and nothing came before. */
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
