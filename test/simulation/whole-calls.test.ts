/** Whole calls on a virtual clock, between both halves of the twin, with everything of ours in between. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { callerScript, frontDeskScript } from '../../src/demo/scenario.ts';
import { conversationOf } from '../../src/runtime/conversation.ts';
import { heardLine } from '../../src/runtime/heard-text.ts';
import { readEntries } from '../../src/runtime/history.ts';
import type { Fault } from '../../src/twin/openai/faults.ts';
import { numberScript } from '../../src/twin/openai/script.ts';
import { scriptedBrain } from '../../src/twin/openai/scripted-brain.ts';
import { readSegments } from '../../src/twin/openai/segments.ts';
import type { GarbageKind, StreamFault } from '../../src/twin/twilio/faults.ts';
import { checkNoLeak, checkTrueReason } from './check-end.ts';
import { checkOneWriter, checkReplay, readLog } from './check-log.ts';
import { checkHeard, checkSilenceAfterInterrupt } from './check-sound.ts';
import { World } from './world.ts';

const brain = scriptedBrain(frontDeskScript);
const { replies } = numberScript(frontDeskScript);

/** Words can be lost with a stream, and the script's caller then falls silent too early: nobody waits for ever. */
const patientScript = [...callerScript, { hangUp: true, when: { delayMs: 25_000 } }] as const;

/** Runs of each property. */
const numRuns = Number(process.env.SIMULATION_RUNS ?? 40);
const endOnFailure = process.env.SIMULATION_SHRINKS === 'no';

describe('a call without faults', () => {
  test('is answered, interrupted, uses a tool, and ends once the goodbye was heard', async () => {
    const world = await World.open({ brain });
    const call = world.place({ script: callerScript });
    await world.finish(call);

    const entries = await readEntries(world.journal, call.sid);
    const payloads = await world.journal.readPayloads(call.sid);
    const spoken = conversationOf(entries, payloads).lines.flatMap((line) =>
      line.kind === 'agent' ? [heardLine(line)] : line.kind === 'caller' ? [line.text] : [],
    );
    expect(spoken[0]).toBe('Spoke and Wheel, good day! How can I help you?');
    expect(spoken[1]).toBe(frontDeskScript.turns?.[0]?.caller);
    expect(spoken.at(-1)).toBe('Thank you for calling, and enjoy the ride. Goodbye!');

    const segments = readSegments(Buffer.concat(call.heard().map(({ bytes }) => bytes)));
    const whole = (reply: number) => segments.filter((segment) => segment.reply === reply);
    expect(whole(0).map(({ segment }) => segment)).toEqual([0, 1]);
    expect(whole(5).map(({ segment }) => segment)).toEqual([0]);
    expect(call.events.at(-1)).toMatchObject({ reason: 'api' });

    const row = await world.journal.findByCarrierId(call.sid);
    expect(row?.endReason).toBe('agent.hungUp');
    expect(world.openai.sessions).toHaveLength(1);
    const log = await readLog(world, call.sid);
    expect(await checkHeard(world, call, log, replies)).toBe(1);
    await checkReplay(world, log);
    checkOneWriter(world, log);
    checkNoLeak(world);
    await world.close();
  });

  test('is told to its end also where a crash is due just then', async () => {
    const world = await World.open({ brain, hosts: ['a', 'a'] });
    const call = world.place({ script: [{ wait: 3_000 }, { hangUp: true, when: { delayMs: 0 } }] });
    await world.finish(call);
    for (const process of world.living) process.crashAt({ crossing: 'any', count: 1 }, 0);
    await expect(world.close()).resolves.toBeUndefined();
  });

  test('bills no session after its end: the model session is closed before Twilio confirms the end', async () => {
    const world = await World.open({ brain });
    const call = world.place({ script: [{ wait: 3_000 }, { hangUp: true, when: { delayMs: 0 } }] });
    await world.finish(call);
    const closedAt = world.steps.find(({ entry }) => entry.type === 'call.ended')?.entry.at ?? 0;
    const hungUpAt = call.events.find(({ event }) => event === 'callerHungUp')?.at ?? 0;
    expect(closedAt - hungUpAt).toBeLessThan(1_000);
    checkNoLeak(world);
    await world.close();
  });

  test('that nobody reports the end of is asked about, and ends with the true reason', async () => {
    const world = await World.open({ brain, withoutStatusCallback: true });
    const call = world.place({ script: [{ wait: 3_000 }, { hangUp: true, when: { delayMs: 0 } }] });
    await world.finish(call);
    expect((await world.journal.findByCarrierId(call.sid))?.endReason).toBe('caller.hungUp');
    checkNoLeak(world);
    await world.close();
  });
});

const interruption = fc.record({
  agentSpokeMs: fc.oneof(fc.integer({ min: 100, max: 2_500 }), fc.integer({ min: 100, max: 12_000 })),
  mostMs: fc.integer({ min: 0, max: 60 }),
});

test('I6, I7: whenever the caller interrupts, the model learns what was heard, and the rest is never heard', async () => {
  let interruptions = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(interruption, { minLength: 1, maxLength: 3 }),
      fc.nat(),
      async (moments, seed) => {
        const world = await World.open({ brain, seed });
        const lines = ['bike-ready', 'how-much', 'closing-time', 'goodbye'];
        const script = [
          ...moments.map(({ agentSpokeMs }, index) => ({
            say: lines[index] ?? 'yes-please',
            after: { agentSpokeMs },
          })),
          { hangUp: true, when: { delayMs: 4_000 } } as const,
        ];
        const jitter = { fault: 'jitter', mostMs: moments[0]?.mostMs ?? 0 } as const;
        const call = world.place({ script, faults: { streams: [jitter] }, manners: { patienceMs: 20_000 } });
        await world.finish(call);
        const log = await readLog(world, call.sid);
        interruptions += await checkHeard(world, call, log, replies, jitter.mostMs + 240);
        checkSilenceAfterInterrupt(world, call, log, new Set());
        await checkReplay(world, log);
        checkNoLeak(world);
        await world.close();
      },
    ),
    { numRuns, endOnFailure },
  );
  expect(interruptions).toBeGreaterThan(numRuns / 10);
}, 300_000);

const afterMs = fc.integer({ min: 0, max: 30_000 });
const stream = fc.constantFrom(1, 2, 'every' as const);
const garbage = fc.constantFrom<GarbageKind>(
  'binary',
  'malformedJson',
  'notAnObject',
  'unknownEvent',
  'mediaWithoutPayload',
  'jumpingSequence',
  'unknownMark',
  'foreignStream',
);
const streamFault: fc.Arbitrary<StreamFault> = fc.oneof(
  fc.record({ fault: fc.constant('reset' as const), afterMs, stream }),
  fc.record({ fault: fc.constant('closeFrame' as const), afterMs, stream }),
  fc.record({
    fault: fc.constant('halfOpen' as const),
    afterMs,
    stream,
    noticedAfterMs: fc.constantFrom(2_000, 20_000),
  }),
  fc.record({ fault: fc.constant('protocolError' as const), afterMs, stream, lingerMs: fc.constant(30_000) }),
  fc.record({
    fault: fc.constant('mediaGap' as const),
    afterMs,
    stream,
    forMs: fc.integer({ min: 100, max: 15_000 }),
    audio: fc.constantFrom('late' as const, 'lost' as const),
  }),
  fc.record({
    fault: fc.constant('garbage' as const),
    afterMs,
    stream,
    kinds: fc.array(garbage, { minLength: 1, maxLength: 4 }),
  }),
  fc.record({ fault: fc.constant('flood' as const), afterMs, messages: fc.constantFrom(500, 5_000) }),
  fc.record({ fault: fc.constant('handshake' as const), code: fc.constant(31_920 as const), stream }),
  fc.record({ fault: fc.constant('stopMissing' as const), stream }),
  fc.record({ fault: fc.constant('jitter' as const), stream }),
);

const when = fc.record({ afterMs });
const modelFault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ kind: fc.constant('drop' as const), when }),
  fc.record({ kind: fc.constant('close' as const), code: fc.constantFrom(1_001, 1_011, 1_012), when }),
  fc.record({ kind: fc.constant('expire' as const), announced: fc.boolean(), when }),
  fc.record({ kind: fc.constant('stall' as const), when }),
  fc.record({ kind: fc.constant('slowUpgrade' as const), delayMs: fc.integer({ min: 0, max: 15_000 }) }),
  fc.record({ kind: fc.constant('lateDeltas' as const), count: fc.integer({ min: 1, max: 5 }) }),
  fc.record({
    kind: fc.constant('response' as const),
    outcome: fc.constantFrom(
      'server_error' as const,
      'not_created' as const,
      'stuck' as const,
      'empty' as const,
      'text_only' as const,
    ),
    which: fc.constantFrom(1, 2, 'every' as const),
  }),
  fc.record({
    kind: fc.constant('noise' as const),
    noise: fc.constantFrom(
      'duplicate' as const,
      'unknownEvent' as const,
      'unknownField' as const,
      'malformed' as const,
      'binary' as const,
    ),
    everyEvents: fc.integer({ min: 1, max: 9 }),
  }),
  fc.record({ kind: fc.constant('refuseUpgrade' as const), status: fc.constantFrom(401, 429, 503) }),
  fc.record({
    kind: fc.constant('refuseInBand' as const),
    reason: fc.constantFrom('invalid_api_key' as const, 'insufficient_quota' as const),
  }),
);

const story = fc.record({
  seed: fc.nat({ max: 1_000_000 }),
  streams: fc.array(streamFault, { maxLength: 3 }),
  sessions: fc.array(fc.array(modelFault, { maxLength: 2 }), { maxLength: 3 }),
  callbacks: fc.record({
    delayMs: fc.constantFrom(0, 500, 5_000),
    duplicate: fc.boolean(),
    reorder: fc.boolean(),
  }),
  duplicateWebhooks: fc.constantFrom(undefined, 'same' as const, 'fresh' as const),
  withoutStatusCallback: fc.boolean(),
  policy: fc.constantFrom('action' as const, 'hold' as const, 'end' as const),
});

test('I1, I2, I4, I10: whatever goes wrong, a call ends with a true reason, replays, and leaves nothing behind', async () => {
  await fc.assert(
    fc.asyncProperty(story, async ({ seed, streams, sessions, callbacks, duplicateWebhooks, ...rest }) => {
      const world = await World.open({
        brain,
        seed,
        modelFaults: (connection) => sessions[connection] ?? [],
        ...rest,
      });
      const call = world.place({
        script: patientScript,
        manners: { patienceMs: 15_000 },
        faults: { streams, callbacks, ...(duplicateWebhooks ? { duplicateWebhooks } : {}) },
      });
      await world.finish(call);
      await checkTrueReason(world, call, {
        ofStreams: streams.length > 0,
        ofModel: sessions.flat().length > 0,
      });
      const log = await readLog(world, call.sid);
      await checkReplay(world, log);
      checkOneWriter(world, log);
      checkNoLeak(world);
      await world.close();
    }),
    { numRuns, endOnFailure },
  );
}, 600_000);

test('I10: garbage and floods on one call leave the other one untouched', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(garbage, { minLength: 1, maxLength: 8 }),
      afterMs,
      fc.nat({ max: 1_000 }),
      async (kinds, moment, seed) => {
        const world = await World.open({ brain, seed });
        const victim = world.place({
          script: patientScript,
          manners: { patienceMs: 15_000 },
          faults: {
            streams: [
              { fault: 'garbage', kinds, afterMs: moment, stream: 'every' },
              { fault: 'flood', messages: 20_000, afterMs: moment + 500 },
            ],
          },
        });
        const other = world.place({ script: callerScript });
        await world.finish(other);
        await world.finish(victim);
        expect((await world.journal.findByCarrierId(other.sid))?.endReason).toBe('agent.hungUp');
        const segments = readSegments(Buffer.concat(other.heard().map(({ bytes }) => bytes)));
        expect(segments.at(-1)).toMatchObject({ reply: 5, segment: 0 });
        await checkTrueReason(world, victim, { ofStreams: true, ofModel: false });
        checkNoLeak(world);
        await world.close();
      },
    ),
    { numRuns: Math.ceil(numRuns / 4) },
  );
}, 300_000);
