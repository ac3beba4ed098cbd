/**
 * Owns: drills in which the caller's stream goes away, or lies.
 * Does not own: carrying them out (`run.ts`).
 */
import type { GarbageKind, StreamFault } from '../../../src/twin/twilio/faults.ts';
import type { CallEvidence } from '../evidence.ts';
import type { Plan, Policy } from '../plan.ts';

/** Under the third policy Twilio ends the call when its stream goes. */
const endsWithStream = (_: CallEvidence, policy: Policy): readonly string[] =>
  policy === 'end' ? ['stream.lost'] : [];

/** Three callers in a row, one under each policy, get the same fault. */
const turnOf = (caller: number): number => Math.floor(caller / 3);

const afterMsFor = (random: () => number): number => 2_000 + random() * 9_000;

function dropFor(caller: number, random: () => number): StreamFault[] {
  const afterMs = afterMsFor(random);
  const drops: readonly StreamFault[][] = [
    [{ fault: 'reset', afterMs }],
    [{ fault: 'closeFrame', afterMs }],
    [
      { fault: 'stopMissing', stream: 'every' },
      { fault: 'reset', afterMs },
    ],
    [{ fault: 'protocolError', afterMs }],
  ];
  return drops[turnOf(caller) % drops.length] ?? [];
}

/** `action`: the next TwiML brings the stream; `hold`: only a REST update does, after the wait for the TwiML. */
const broughtBackMs = { action: 1_000, hold: 8_000, end: 8_000 } as const;

export const streamDrop: Plan = {
  name: 'stream-drop',
  underEachPolicy: true,
  instances: ['one'],
  staggerMs: 3_000,
  callPlan: (caller, random) => ({ faults: { streams: dropFor(caller, random) } }),
  mayEndWith: endsWithStream,
  gapLimitMs: (policy) => broughtBackMs[policy],
};

/** Noticed by nobody but us: no media comes any more. */
function silenceFor(caller: number, random: () => number): StreamFault {
  const afterMs = afterMsFor(random);
  return turnOf(caller) % 2 === 0
    ? { fault: 'halfOpen', noticedAfterMs: null, afterMs }
    : { fault: 'mediaGap', forMs: 600_000, audio: 'lost', afterMs };
}

export const streamHalfOpen: Plan = {
  name: 'stream-half-open',
  underEachPolicy: true,
  instances: ['one'],
  staggerMs: 3_000,
  callPlan: (caller, random) => ({ faults: { streams: [silenceFor(caller, random)] } }),
  mayEndWith: endsWithStream,
  gapLimitMs: 12_000,
};

const garbage: readonly GarbageKind[] = [
  'binary',
  'malformedJson',
  'notAnObject',
  'unknownEvent',
  'mediaWithoutPayload',
  'jumpingSequence',
  'unknownMark',
  'foreignStream',
  'hugeMessage',
];

/** Every fifth caller's stream is hostile. */
const isHostile = (caller: number): boolean => caller % 5 === 0;

export const flood: Plan = {
  name: 'flood',
  underEachPolicy: false,
  instances: ['one'],
  staggerMs: 3_000,
  callPlan: (caller) =>
    isHostile(caller)
      ? {
          faults: {
            streams: [
              { fault: 'flood', messages: 20_000, afterMs: 4_000 },
              { fault: 'garbage', kinds: garbage, afterMs: 6_000, stream: 1 },
              { fault: 'garbage', kinds: garbage, afterMs: 2_000, stream: 2 },
              { fault: 'flood', messages: 20_000, afterMs: 3_000, stream: 3 },
            ],
          },
        }
      : {},
  isHostile,
  untouchedGapMs: 200,
  mayEndWith: ({ caller }) => (isHostile(caller) ? ['stream.lost', 'caller.hungUp'] : []),
};
