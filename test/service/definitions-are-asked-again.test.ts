/** A definition per call that fails when another process takes the call over: its tools work as soon as it succeeds. */
import { describe, expect, it } from 'vitest';
import { definitionMs } from '../../src/agent/resolve.ts';
import type { Process } from './rig.ts';
import { callSid, Rig } from './rig.ts';

/** What the definition does when it is asked, in this order; the last of it from then on. */
type Answer = 'succeeds' | 'fails' | 'hangs';

/** A call with a tool under way that another process has taken over. */
async function takeOver(tool: string, effect: 'none' | 'idempotent' | 'once', later: readonly Answer[]) {
  const rig = new Rig();
  const answers: Answer[] = ['succeeds', ...later];
  let asked = 0;
  const agent = rig.agent.load(() => {
    const answer = answers[Math.min(asked, answers.length - 1)];
    asked += 1;
    if (answer === 'hangs') return new Promise<never>(() => undefined);
    if (answer === 'fails') throw new Error('the directory of tenants is down');
    return rig.agent.definition;
  });
  const one = rig.open('one', { agent });
  await one.begin();
  rig.agent.gate = () => new Promise(() => undefined);
  one.model.session.asksFor('tool1', tool, { what: 'it' }, effect);
  await rig.settle();
  one.dies();
  rig.agent.gate = () => undefined;
  const two = rig.open('two', { agent });
  const connecting = two.askNext().then((answer) => two.connect(answer));
  return { rig, two, connecting, asked: () => asked };
}

const outcomes = async (process: Process): Promise<string[]> =>
  (await process.entries()).flatMap((entry) =>
    entry.type === 'tool.finished' ? [`${entry.toolCallId} ${entry.outcome}`] : [],
  );

const faults = ({ logged }: Process): number =>
  logged.filter((line) => line.includes('the agent failed')).length;

describe('a definition that failed when its call was taken over', () => {
  it.each([
    ['note_down', 'idempotent'],
    ['look_up', 'none'],
  ] as const)('is asked again for a tool that is to be recovered: %s', async (tool, effect) => {
    const { rig, two, connecting, asked } = await takeOver(tool, effect, ['fails', 'succeeds']);
    await connecting;
    await rig.clock.advance(500);
    expect(await outcomes(two)).toEqual(['tool1 completed']);
    expect(rig.agent.runs).toEqual(Array(2).fill(`${tool} ${callSid()}/tool1 it`));
    expect([asked(), faults(two)]).toEqual([3, 1]);
    two.model.session.asksFor('tool2', 'look_up', { what: 'more' });
    await rig.settle();
    expect(await outcomes(two)).toEqual(['tool1 completed', 'tool2 completed']);
    expect(asked()).toBe(3);
  });

  it('is asked again for the next tool, and told of each time that it fails', async () => {
    const later = ['fails', 'fails', 'fails', 'succeeds'] as const;
    const { rig, two, connecting, asked } = await takeOver('note_down', 'idempotent', later);
    await connecting;
    await rig.clock.advance(500);
    expect(await outcomes(two)).toEqual(['tool1 unknown']);
    expect([asked(), faults(two)]).toEqual([3, 2]);
    for (const toolCallId of ['tool2', 'tool3']) {
      two.model.session.asksFor(toolCallId, 'look_up', { what: 'it' });
      await rig.settle();
    }
    expect(await outcomes(two)).toEqual(['tool1 unknown', 'tool2 failed', 'tool3 completed']);
    expect([asked(), faults(two)]).toEqual([5, 3]);
  });

  it('is asked once at a time, and waited for as long as at first', async () => {
    const { rig, two, connecting, asked } = await takeOver('look_up', 'none', ['fails', 'fails', 'hangs']);
    await connecting;
    await rig.clock.advance(500);
    expect(faults(two)).toBe(2);
    two.model.session.asksFor('tool2', 'look_up', { what: 'it' });
    two.model.session.asksFor('tool3', 'look_up', { what: 'it' });
    await rig.clock.advance(definitionMs - 1);
    expect([asked(), await outcomes(two)]).toEqual([4, ['tool1 failed']]);
    await rig.clock.advance(1);
    expect((await outcomes(two)).sort()).toEqual(['tool1 failed', 'tool2 failed', 'tool3 failed']);
    expect([asked(), faults(two)]).toEqual([4, 3]);
  });

  it('is not waited for once the call is over: nothing is left, and nothing is told', async () => {
    const { rig, two, connecting } = await takeOver('look_up', 'none', ['fails', 'fails', 'hangs', 'fails']);
    await connecting;
    await rig.clock.advance(500);
    await two.assembly.deliveries.stop();
    two.model.session.asksFor('tool2', 'look_up', { what: 'it' });
    await rig.settle();
    await two.report('completed');
    await rig.expectNothingLeft();
    expect(faults(two)).toBe(2);
  });
});
