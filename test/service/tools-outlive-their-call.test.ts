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
  return { rig, effects, one: rig.open('one', { agent }), two: rig.open('two', { agent }) };
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
