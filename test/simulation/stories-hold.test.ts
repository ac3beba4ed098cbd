/**
 * I1 to I10 as properties of whole worlds: calls, processes, one journal, and anything of the standard mix that goes
 * wrong. The seed is fixed, so that a run is the same everywhere; `SIMULATION_SEED` and `SIMULATION_RUNS` ask for other
 * and more stories, and `npm run simulate` goes on for as long as is wanted.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Entry } from '../../src/machines/entries.ts';
import { arbitraryStory } from './arbitrary-story.ts';
import { readLog } from './check-log.ts';
import type { Level } from './level.ts';
import { drawStory, readMix, standardMix } from './mix.ts';
import { Stage } from './stage.ts';
import type { Story } from './story.ts';
import { allViolations, judge, type Verdict } from './verdict.ts';
import { storyInWords } from './words.ts';

/** Runs of each property. */
const numRuns = Number(process.env.SIMULATION_RUNS ?? 40);
const seed = Number(process.env.SIMULATION_SEED ?? 1);
/** Where it only counts that something fails, not on which story, `SIMULATION_SHRINKS=no` saves the time for it. */
const endOnFailure = process.env.SIMULATION_SHRINKS === 'no';
const parameters = { numRuns, seed, endOnFailure };

const calmStory: Story = {
  seed: 1,
  hosts: ['a', 'a'],
  policy: 'action',
  calls: 1,
  fallback: 'hangUp',
  faults: [],
};

/** Fails with the story, shrunk by then, in words. */
async function expectToHold(story: Story, level: Level): Promise<Verdict> {
  const verdict = await judge(story, level);
  const violations = allViolations(verdict);
  if (violations.length === 0) return verdict;
  const words = [...storyInWords(story), ...violations.map((violation) => `VIOLATED ${violation}`)];
  throw new Error(`\nSeed ${story.seed}:\n${words.join('\n')}\n${JSON.stringify(story)}`);
}

describe.each<Level>(['spans', 'frames'])('a call without faults, in %s', (level) => {
  test('takes a minute, has three turns, and is brought to its end in conversation', async () => {
    const { calls } = await expectToHold(calmStory, level);
    expect(calls[0]?.end).toMatchObject({ reason: 'agent.hungUp', isConversation: true });
    const entries = calls[0]?.log.entries ?? [];
    const countOf = (type: Entry['type']) => entries.filter((entry) => entry.type === type).length;
    expect(countOf('caller.transcribed')).toBe(3);
    expect(countOf('tool.finished')).toBe(3);
    expect((entries.at(-1)?.at ?? 0) - (entries[0]?.at ?? 0)).toBeGreaterThan(55_000);
  });

  test('is the same again from the same seed, and another one from another', async () => {
    const story = drawStory(standardMix, 8, 2);
    const [one, again, other] = [
      await accountsOf(story, level),
      await accountsOf(story, level),
      await accountsOf({ ...story, seed: 9 }, level),
    ];
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
  });
});

/**
 * Everything that was written down and everything that the far sides saw, sound included. The trace's id is drawn from
 * no seed, so it is compared with nothing.
 */
async function accountsOf(story: Story, level: Level): Promise<unknown[]> {
  const stage = await Stage.set(story, level);
  await stage.play();
  const { world, strikes } = stage;
  const { sessions } = world.openai;
  const seen = {
    strikes,
    sessions: sessions.map(({ received, closure, appendedBytes }) => ({ received, closure, appendedBytes })),
    orders: world.orders.map(({ process, ...order }) => ({ ...order, by: process.instance })),
    arrivals: world.arrivals.map(({ process, ...arrival }) => ({ ...arrival, by: process.instance })),
    lastMoment: world.clock.monotonic(),
  };
  const accounts = stage.calls.map(async (call) => {
    const { sid, events, notices } = call;
    const [log, payloads, rows] = await Promise.all([
      readLog(world, sid),
      world.journal.readPayloads(sid),
      world.journal.list({ callId: sid, limit: 1 }),
    ]);
    const entries = log.entries.map((entry) => ({ ...entry, traceId: null }));
    return { entries, payloads, rows, events, notices, heard: call.heard() };
  });
  const all = [seen, ...(await Promise.all(accounts))];
  await world.close();
  return all;
}

test('whatever goes wrong, every call goes on in conversation or ends for a true reason, and every invariant holds', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryStory(standardMix, { calls: 2, mostFaults: 3 }), async (story) => {
      await expectToHold(story, 'spans');
    }),
    parameters,
  );
}, 600_000);

test('the same holds where audio travels 20 ms at a time', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryStory(standardMix, { calls: 1, mostFaults: 2 }), async (story) => {
      await expectToHold(story, 'frames');
    }),
    { ...parameters, numRuns: Math.ceil(numRuns / 4) },
  );
}, 600_000);

/** In the part of a call in which the caller and the agent speak most of the time. */
const busy = { from: 7_500, to: 24_000 };
const sessionLosses = [
  { kind: 'drop', when: { afterMs: busy } },
  { kind: 'stall', when: { afterMs: busy } },
  { kind: 'close', code: { oneOf: [1_001, 1_011] }, when: { afterMs: busy } },
  { kind: 'expire', announced: true, when: { afterMs: busy } },
];
const lossMix = readMix({
  ...standardMix,
  hosts: [{ weight: 1, value: ['a', 'a'] }],
  policies: [{ weight: 1, value: 'action' }],
  faults: [
    ...sessionLosses.map((fault) => ({ on: 'session', connection: { from: 0, to: 1 }, fault })),
    { on: 'stream', fault: 'reset', afterMs: busy },
    { on: 'stream', fault: 'closeFrame', afterMs: busy },
  ].map((value) => ({ weight: 1, value })),
});

test('whoever is lost while somebody speaks, no word is lost and nothing is said twice', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryStory(lossMix, { calls: 1, mostFaults: 2 }), async (story) => {
      await expectToHold(story, 'spans');
    }),
    parameters,
  );
}, 600_000);

/** More than a process comes to in a call. */
const mostCrossings = 1_400;

test('a process may die at any await: the other one goes on with its calls', async () => {
  const deaths = fc.record({
    seed: fc.nat({ max: 1_000_000 }),
    process: fc.nat({ max: 1 }),
    count: fc.integer({ min: 1, max: mostCrossings }),
    isOtherHost: fc.boolean(),
    policy: fc.constantFrom<Story['policy']>('action', { closed: 'action', lost: 'hold' }),
    name: fc.constantFrom('same' as const, 'new' as const),
  });
  let deadProcesses = 0;
  await fc.assert(
    fc.asyncProperty(deaths, async ({ seed: own, process, count, isOtherHost, policy, name }) => {
      const story: Story = {
        ...calmStory,
        seed: own,
        hosts: ['a', isOtherHost ? 'b' : 'a'],
        policy,
        faults: [
          {
            on: 'process',
            process,
            fault: 'crash',
            when: { crossing: 'any', count },
            noticedAfterMs: 0,
            restart: { afterMs: 3_000, name },
          },
        ],
      };
      const { stage } = await expectToHold(story, 'spans');
      deadProcesses += stage.world.processes.some(({ diedAt }) => diedAt !== null) ? 1 : 0;
    }),
    parameters,
  );
  expect(deadProcesses).toBeGreaterThan(numRuns / 2);
}, 600_000);
