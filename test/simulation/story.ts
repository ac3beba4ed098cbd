/**
 * Owns: the form of a story: everything that goes wrong in a simulated world, as plain data. With its seed it is all
 * that a simulation depends on, so a story that is kept can be told again.
 * Does not own: chance (`mix.ts`), making it happen (`stage.ts`), its words (`words.ts`).
 *
 * A story as JSON:
 *
 *     {
 *       "seed": 7,                      all identifiers, jitter and balancing follow from it
 *       "hosts": ["a", "a"],            one process for each, on the host named; processes and calls count from 0
 *       "policy": "action",             what Twilio does after a stream: action, hold, end, or {"closed": .., "lost": ..}
 *       "calls": 1,                     placed a second apart
 *       "fallback": "hangUp",           what becomes of a caller whom the model cannot serve: hangUp, transfer
 *       "faults": [                     in any order; all times are milliseconds, from the first call unless told
 *         { "on": "stream", "call": 0, "stream": 1, "fault": "reset", "afterMs": 9000 },
 *         { "on": "session", "connection": 0, "fault": { "kind": "drop", "when": { "afterMs": 4000 } } },
 *         { "on": "callbacks", "call": 0, "delayMs": 2000, "duplicate": true, "reorder": true },
 *         { "on": "instructions", "call": 0, "duplicate": "same" },
 *         { "on": "webhooks", "trouble": "loseAnswer", "afterMs": 0, "forMs": 500 },
 *         { "on": "rest", "trouble": "refuse", "afterMs": 0, "forMs": 5000 },
 *         { "on": "journal", "process": 0, "trouble": "stall", "afterMs": 8000, "forMs": 3000 },
 *         { "on": "process", "process": 0, "fault": "crash", "when": { "afterMs": 9000 },
 *           "restart": { "afterMs": 2000, "name": "same" } },
 *         { "on": "process", "process": 1, "fault": "drain", "afterMs": 9000, "withinMs": 10000, "restart": null },
 *         { "on": "process", "process": 0, "fault": "clockJump", "afterMs": 5000, "byMs": -2000 },
 *         { "on": "cap", "sessionMs": 30000 },
 *         { "on": "transfer", "outcome": "busy" }
 *       ]
 *     }
 *
 * `stream` faults are those of `src/twin/twilio/faults.ts`, with times from the stream's first message; `session` faults
 * those of `src/twin/openai/faults.ts`, for the n-th connection of all to the model. A `crash` comes at a time, or at
 * the n-th crossing of a kind (`process.ts`): at any await. With a `cap` the model ends every session after so long; with
 * a `transfer` the callers ask to be put through to somebody, and the dialling comes to that outcome.
 */
import { z } from 'zod';
import { type Fault, readFaults } from '../../src/twin/openai/faults.ts';
import type { StreamFault } from '../../src/twin/twilio/faults.ts';
import { crossings } from './process.ts';
import { mostCalls } from './scene.ts';

const ms = z.int().min(0);
const index = z.int().min(0);
const timed = { afterMs: ms };
const whichStream = z.union([z.int().min(1), z.literal('every')]).default(1);
const ofStream = { on: z.literal('stream'), call: index.default(0), stream: whichStream };

const garbageKinds = [
  'binary',
  'malformedJson',
  'notAnObject',
  'unknownEvent',
  'mediaWithoutPayload',
  'hugeMessage',
  'jumpingSequence',
  'unknownMark',
  'foreignStream',
] as const;

const streamFault = z.discriminatedUnion('fault', [
  z.strictObject({ ...ofStream, ...timed, fault: z.literal('reset') }),
  z.strictObject({ ...ofStream, ...timed, fault: z.literal('closeFrame'), code: z.int().default(1001) }),
  z.strictObject({ ...ofStream, ...timed, fault: z.literal('halfOpen'), noticedAfterMs: ms.default(20_000) }),
  z.strictObject({ ...ofStream, ...timed, fault: z.literal('protocolError'), lingerMs: ms.default(60_000) }),
  z.strictObject({
    ...ofStream,
    ...timed,
    fault: z.literal('mediaGap'),
    forMs: ms,
    audio: z.enum(['late', 'lost']),
  }),
  z.strictObject({ ...ofStream, ...timed, fault: z.literal('flood'), messages: z.int().min(1) }),
  z.strictObject({
    ...ofStream,
    ...timed,
    fault: z.literal('garbage'),
    kinds: z.array(z.enum(garbageKinds)),
  }),
  z.strictObject({
    ...ofStream,
    fault: z.literal('handshake'),
    code: z.union([z.literal(31_901), z.literal(31_902), z.literal(31_920)]),
  }),
  z.strictObject({ ...ofStream, fault: z.literal('stopMissing') }),
  z.strictObject({
    ...ofStream,
    fault: z.literal('jitter'),
    mostMs: ms.default(10),
    burstMs: ms.default(240),
  }),
]);

function isSessionFault(value: unknown): boolean {
  try {
    return readFaults([value]).length === 1;
  } catch {
    return false;
  }
}

const sessionFault = z.strictObject({
  on: z.literal('session'),
  connection: index,
  fault: z.custom<Fault>(isSessionFault, 'is no fault of a session'),
});

const callbackFault = z.strictObject({
  on: z.literal('callbacks'),
  call: index.default(0),
  delayMs: ms.default(0),
  duplicate: z.boolean().default(false),
  reorder: z.boolean().default(false),
});

const instructionFault = z.strictObject({
  on: z.literal('instructions'),
  call: index.default(0),
  duplicate: z.enum(['same', 'fresh']),
});

const webhookFault = z.strictObject({
  on: z.literal('webhooks'),
  ...timed,
  forMs: ms,
  trouble: z.union([
    z.literal(['refuse', 'lose', 'loseAnswer']),
    z.strictObject({ delayMs: z.int().min(1) }),
  ]),
});

const restFault = z.strictObject({
  on: z.literal('rest'),
  ...timed,
  forMs: ms,
  trouble: z.enum(['refuse', 'lost', 'stall']),
});

const journalFault = z.strictObject({
  on: z.literal('journal'),
  /** `every`: the journal itself is away, for whoever runs at the start. */
  process: z.union([index, z.literal('every')]),
  ...timed,
  forMs: ms,
  trouble: z.enum(['slow', 'fail', 'lost', 'stall']),
  delayMs: ms.default(0),
});

const restart = z.strictObject({ afterMs: ms, name: z.enum(['same', 'new']) }).nullable();
const ofProcess = { on: z.literal('process'), process: index };

const processFault = z.discriminatedUnion('fault', [
  z.strictObject({
    ...ofProcess,
    fault: z.literal('crash'),
    when: z.union([
      z.strictObject(timed),
      z.strictObject({ crossing: z.enum(['any', ...crossings]), count: z.int().min(1) }),
    ]),
    /** How long its far sides take to see it: its host is cut off. 0: its sockets are reset at once. */
    noticedAfterMs: ms.default(0),
    restart,
  }),
  z.strictObject({ ...ofProcess, ...timed, fault: z.literal('drain'), withinMs: ms, restart }),
  z.strictObject({ ...ofProcess, ...timed, fault: z.literal('clockJump'), byMs: z.int() }),
]);

const cap = z.strictObject({ on: z.literal('cap'), sessionMs: z.int().min(20_000) });

const transfer = z.strictObject({
  on: z.literal('transfer'),
  outcome: z.enum(['answered', 'busy', 'no-answer', 'failed']),
});

const storyFault = z.discriminatedUnion('on', [
  streamFault,
  sessionFault,
  callbackFault,
  instructionFault,
  webhookFault,
  restFault,
  journalFault,
  processFault,
  cap,
  transfer,
]);
export type StoryFault = z.output<typeof storyFault>;
export type FaultOn<On extends StoryFault['on']> = Extract<StoryFault, { on: On }>;

const afterStream = z.enum(['action', 'hold', 'end']);

export const storySchema = z.strictObject({
  seed: z.int().min(0),
  hosts: z.array(z.string().min(1)).min(1).max(6),
  policy: z.union([afterStream, z.strictObject({ closed: afterStream, lost: afterStream })]),
  calls: z.int().min(1).max(mostCalls),
  fallback: z.enum(['hangUp', 'transfer']).default('hangUp'),
  faults: z.array(storyFault),
});
export type Story = z.output<typeof storySchema>;

/** @throws ZodError where the value is no story */
export const readStory = (value: unknown): Story => storySchema.parse(value);

export const faultsOn = <On extends StoryFault['on']>({ faults }: Story, on: On): FaultOn<On>[] =>
  faults.filter((fault): fault is FaultOn<On> => fault.on === on);

/** A journal that stalls nearly for so long may be given up: when it is depends on when the call next writes. */
const longestStallMs = 55_000;

export const isJournalLost = (story: Story): boolean =>
  faultsOn(story, 'journal').some(({ trouble, forMs }) => trouble === 'stall' && forMs >= longestStallMs);

/** A stream's fault as the twin takes it. */
export function twinFaultOf({ on: _, call: __, ...fault }: FaultOn<'stream'>): StreamFault {
  return fault as StreamFault;
}
