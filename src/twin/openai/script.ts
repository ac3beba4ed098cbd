/**
 * Owns: the form of a script for the offline model, and the numbers of its replies.
 * Does not own: which reply comes next (`scripted-brain.ts`).
 *
 * Replies are numbered in the order of the script: the greeting, every turn's reply with its follow-ups, then
 * `otherwise`, `idle`, `outOfBand` and those for instructions. A part that the script leaves out has no number.
 */
import { z } from 'zod';
import { type NumberedSegment, speakingMs, type ToolCall } from './brain.ts';

const segmentSchema = z.union([
  z.string(),
  z.strictObject({ text: z.string(), lengthMs: z.number().min(20).max(80_000).optional() }),
]);

const callSchema = z.strictObject({
  name: z.string().min(1),
  arguments: z.union([z.string(), z.record(z.string(), z.unknown())]),
});

const replySchema = z.strictObject({
  /** What is said, cut into the pieces that a test tells apart. */
  say: z.array(segmentSchema).max(512).default([]),
  calls: z.array(callSchema).default([]),
  /** The reply once the results of the calls are there. */
  get afterResult() {
    return replySchema.optional();
  },
});

const transcriptSchema = z.union([
  z.string(),
  z.strictObject({
    text: z.string(),
    delayMs: z.number().min(0).optional(),
    fails: z.boolean().optional(),
  }),
]);

export const scriptSchema = z.strictObject({
  greeting: replySchema.optional(),
  turns: z.array(z.strictObject({ caller: transcriptSchema.default(''), reply: replySchema })).default([]),
  /** When the model is asked to speak and the script has nothing for it. */
  otherwise: replySchema.default({ say: ['I have nothing to add.'], calls: [] }),
  /** When the caller has been silent for too long. */
  idle: replySchema.default({ say: ['Are you still there?'], calls: [] }),
  /** Replies beside the conversation. */
  outOfBand: replySchema.default({ say: ['Nothing else was said.'], calls: [] }),
  /** Replies to a `response.create` whose own instructions contain a text. The first that fits is taken. */
  instructed: z.array(z.strictObject({ includes: z.string().min(1), reply: replySchema })).default([]),
});

export type Script = z.input<typeof scriptSchema>;
type CompleteReply = z.output<typeof replySchema>;
type CompleteScript = z.output<typeof scriptSchema>;

/** A reply of a script with its number and its place. */
export interface NumberedReply {
  reply: number;
  /** 0 for the greeting, n for the n-th turn of the caller, null for replies outside the order of turns. */
  turn: number | null;
  segments: readonly NumberedSegment[];
  calls: readonly ToolCall[];
  /** The reply after the results of its calls. */
  afterResult: NumberedReply | null;
}

export interface NumberedScript {
  /** All replies; `replies[n].reply` is n. */
  replies: readonly NumberedReply[];
  greeting: NumberedReply | null;
  turns: readonly { caller: CompleteScript['turns'][number]['caller']; reply: NumberedReply }[];
  otherwise: NumberedReply;
  idle: NumberedReply;
  outOfBand: NumberedReply;
  instructed: readonly { includes: string; reply: NumberedReply }[];
}

/** Completes a script and numbers its replies. @throws ZodError where the script has another form */
export function numberScript(script: Script): NumberedScript {
  const complete = scriptSchema.parse(script);
  const replies: NumberedReply[] = [];
  const number = (reply: CompleteReply, turn: number | null): NumberedReply =>
    numberReply(reply, turn, replies);
  return {
    replies,
    greeting: complete.greeting === undefined ? null : number(complete.greeting, 0),
    turns: complete.turns.map(({ caller, reply }, index) => ({ caller, reply: number(reply, index + 1) })),
    otherwise: number(complete.otherwise, null),
    idle: number(complete.idle, null),
    outOfBand: number(complete.outOfBand, null),
    instructed: complete.instructed.map(({ includes, reply }) => ({ includes, reply: number(reply, null) })),
  };
}

function numberReply(reply: CompleteReply, turn: number | null, replies: NumberedReply[]): NumberedReply {
  const numbered: NumberedReply = {
    reply: replies.length,
    turn,
    segments: reply.say.map(numberSegment),
    calls: reply.calls.map(({ name, arguments: given }) => ({
      name,
      arguments: typeof given === 'string' ? given : JSON.stringify(given),
    })),
    afterResult: null,
  };
  replies.push(numbered);
  if (reply.afterResult !== undefined) {
    numbered.afterResult = numberReply(reply.afterResult, turn, replies);
  }
  return numbered;
}

function numberSegment(said: z.output<typeof segmentSchema>, segment: number): NumberedSegment {
  const { text, lengthMs } = typeof said === 'string' ? { text: said } : said;
  return { segment, text, lengthMs: lengthMs ?? speakingMs(text) };
}
