/** A tool that is to be done once, when its call leaves a process that lives on. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineTool } from '../../src/agent/definition.ts';
import { callSid, type Process, Rig } from './rig.ts';

/** `book` has its effect at the far side after two seconds. */
function world(canBeFound: boolean) {
  const rig = new Rig();
  const effects: string[] = [];
  const book = defineTool({
    name: 'book',
    description: 'Books a table.',
    parameters: z.object({}),
    effect: 'once',
    timeoutMs: 10_000,
    run: async (_, { key }) => {
      await new Promise<void>((resolve) => rig.clock.setTimeout(resolve, 2_000));
      effects.push(key);
      return 'booked';
    },
    ...(canBeFound && {
      find: (key: string) =>
        effects.includes(key) ? { found: true as const, result: 'booked' } : { found: false as const },
    }),
  });
  const agent = rig.agent.load({
    name: 'clerk',
    instructions: 'Book tables.',
    greeting: 'Hello.',
    tools: [book],
  });
  const open = (instance: string): Process => rig.open(instance, { agent });
  return { rig, effects, open, one: open('one'), two: open('two') };
}

const outcomes = async (process: Process) =>
  (await process.entries()).flatMap((entry) => (entry.type === 'tool.finished' ? [entry.outcome] : []));

describe.each([[true], [false]])('a tool that is to be done once, and can be found: %s', (canBeFound) => {
  it('is done once, and its outcome follows the call that moved meanwhile', async () => {
    const { rig, effects, one, two } = world(canBeFound);
    for (const { assembly } of [one, two]) await assembly.presence.start();
    const { line } = await one.begin();
    one.model.session.asksFor('tool1', 'book', {}, 'once');
    await rig.settle();
    line.drops();
    await rig.clock.advance(300);
    await two.connect(await two.askNext());
    await rig.clock.advance(6_000);
    expect(effects).toHaveLength(1);
    expect(await outcomes(two)).toEqual(['completed']);
    expect(two.model.session.told.filter((told) => told.includes('booked'))).toHaveLength(1);
    for (const { assembly } of [one, two]) await assembly.presence.stop();
  });

  it('is stopped with the call that ends meanwhile', async () => {
    const { rig, one } = world(canBeFound);
    await one.begin();
    one.model.session.asksFor('tool1', 'book', {}, 'once');
    await rig.settle();
    await one.desk.report(
      callSid(),
      { entry: { type: 'carrier.reported', status: 'completed', source: 'callback' } },
      'over',
    );
    await rig.clock.advance(6_000);
    expect(await outcomes(one)).toEqual([]);
    await rig.expectNothingLeft();
  });
});

describe('a process that is done with a call and not with its tool', () => {
  it('is not idle before the outcome is where the call can find it', async () => {
    const { rig, one, two } = world(false);
    for (const { assembly } of [one, two]) await assembly.presence.start();
    await one.begin();
    one.model.session.asksFor('tool1', 'book', {}, 'once');
    await rig.settle();
    one.isLeaving = true;
    await one.assembly.drain.moveCalls(500);
    await rig.clock.advance(600);
    await two.connect(await two.askNext());
    await rig.clock.advance(400);
    expect(one.assembly.registry.size).toBe(0);
    expect(one.assembly.isIdle()).toBe(false);
    const { gone } = one;
    await rig.clock.advance(1_500);
    expect(one.assembly.isIdle()).toBe(true);
    expect(one.gone).toBe(gone + 1);
    await rig.clock.advance(500);
    expect(await outcomes(two)).toEqual(['completed']);
    for (const { assembly } of [one, two]) await assembly.presence.stop();
  });

  it('is waited for by the third that has the call, after the second is gone', async () => {
    const { rig, effects, open, one, two } = world(true);
    const three = open('three');
    for (const { assembly } of [one, two, three]) await assembly.presence.start();
    const { line } = await one.begin();
    one.model.session.asksFor('tool1', 'book', {}, 'once');
    await rig.settle();
    line.drops();
    await rig.clock.advance(100);
    await two.connect(await two.askNext());
    two.dies();
    await rig.clock.advance(100);
    await three.connect(await three.askNext());
    await rig.clock.advance(4_000);
    expect(effects).toHaveLength(1);
    expect(await outcomes(three)).toEqual(['completed']);
    for (const { assembly } of [one, three]) await assembly.presence.stop();
  });
});
