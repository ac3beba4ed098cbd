/** What a story tells of is what happens: its calls come to the ends that such a story must have. */
import { expect, test } from 'vitest';
import { readStory } from './story.ts';
import { allViolations, judge } from './verdict.ts';

const refused = {
  on: 'session',
  connection: 0,
  fault: { kind: 'refuseInBand', reason: 'insufficient_quota' },
} as const;

test.each([
  ['puts the caller through', { faults: [{ on: 'transfer', outcome: 'answered' }] }, 'call.transferred'],
  ['takes the caller back', { faults: [{ on: 'transfer', outcome: 'busy' }] }, 'agent.hungUp'],
  ['is refused, and hangs up', { faults: [refused] }, 'model.refused'],
  ['is refused, and hands on', { faults: [refused], fallback: 'transfer' }, 'call.transferred'],
  ['outlives its sessions', { faults: [{ on: 'cap', sessionMs: 25_000 }] }, 'agent.hungUp'],
])('the agent %s', async (_, told, reason) => {
  const story = readStory({ seed: 3, hosts: ['a', 'a'], policy: 'action', calls: 1, ...told });
  const verdict = await judge(story, 'spans');
  expect(allViolations(verdict)).toEqual([]);
  expect(verdict.calls.map(({ end }) => end?.reason)).toEqual([reason]);
});

test('a call of a minute has three sessions where each lasts 25 s', async () => {
  const faults = [{ on: 'cap', sessionMs: 25_000 }];
  const story = readStory({ seed: 3, hosts: ['a'], policy: 'action', calls: 1, faults });
  const { stage } = await judge(story, 'spans');
  expect(stage.world.openai.sessions.length).toBeGreaterThanOrEqual(3);
});

test.each([1, 2, 3, 4])(
  'no cap ever strikes a session: the next one has taken over before (seed %i)',
  async (seed) => {
    const faults = [{ on: 'cap', sessionMs: 20_500 }];
    const story = readStory({ seed, hosts: ['a'], policy: 'action', calls: 2, faults });
    const { calls } = await judge(story, 'spans');
    const closings = calls.flatMap(({ log }) => log.entries.filter(({ type }) => type === 'model.closed'));
    expect(closings.length).toBeGreaterThan(4);
    expect(closings.filter((closing) => 'code' in closing && closing.code !== 1_000)).toEqual([]);
  },
);

test.each([1, 2, 3, 4])(
  'nobody is lost where both processes are to stop, and the next one comes 8 s later (seed %i)',
  async (seed) => {
    const stops = { on: 'process', fault: 'drain', withinMs: 4_000 };
    const faults = [
      { ...stops, process: 0, afterMs: 15_000, restart: null },
      { ...stops, process: 1, afterMs: 15_100, restart: { afterMs: 8_000, name: 'new' } },
    ];
    const story = readStory({ seed, hosts: ['a', 'a'], policy: 'action', calls: 2, faults });
    const verdict = await judge(story, 'spans');
    expect(allViolations(verdict)).toEqual([]);
    expect(verdict.calls.map(({ end }) => end?.reason)).not.toContain('stream.lost');
  },
);
