/** The balancer may bring whatever concerns a call to whichever instance: each reaches the call. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OperatorCommands } from '../../src/service/console/operator-commands.ts';
import { callSid, type Process, Rig } from './rig.ts';

const names = ['one', 'two', 'three', 'four'] as const;

function openAll() {
  const rig = new Rig();
  return { rig, instances: names.map((name) => rig.open(name)) as [Process, Process, Process, Process] };
}

const hangUp = (process: Process): Promise<void> =>
  new OperatorCommands({
    journal: process.journal,
    siblings: process.assembly.siblings,
    erase: async () => undefined,
    onActed: () => undefined,
  }).perform(callSid(), { do: 'hangUp' }, { name: 'Night desk', via: 'console' });

const ownersOf = async (process: Process): Promise<string[]> =>
  (await process.entries()).flatMap((entry) => (entry.type === 'owner.claimed' ? [entry.instance] : []));

describe('a call', () => {
  it('is answered by one instance, spoken by another, hung up by a third and reported over to a fourth', async () => {
    const { rig, instances } = openAll();
    const [one, two, three, four] = instances;
    const line = await two.connect(await one.answer());
    expect(line).not.toBeNull();
    await rig.clock.advance(100);
    two.model.session.says('greeting', 'Hello, this is the clerk.', 1_000);
    await rig.clock.advance(1_200);
    expect(await ownersOf(one)).toEqual(['one', 'two']);
    one.expectNothingLeft();

    await hangUp(three);
    await rig.clock.advance(200);
    two.model.session.says('goodbye', 'Goodbye.', 500);
    await rig.clock.advance(1_000);
    expect(two.control.ended).toEqual([callSid()]);
    await four.report('completed');
    await rig.clock.advance(1_000);
    expect(await four.row()).toMatchObject({ endReason: 'operator.hungUp', owner: null });
    for (const instance of instances) instance.expectNothingLeft();
  });

  it('goes on wherever its next stream comes, whoever said so and however often', async () => {
    const place = fc.nat(names.length - 1);
    await fc.assert(
      fc.asyncProperty(place, fc.array(fc.tuple(place, place), { maxLength: 3 }), async (first, moves) => {
        const { rig, instances } = openAll();
        const at = (index: number): Process => instances[index] ?? instances[0];
        await at(first).begin();
        let owner = first;
        for (const [asked, streamed] of moves) {
          rig.endStreams(callSid());
          const line = await at(streamed).connect(await at(asked).askNext());
          expect(line).not.toBeNull();
          // Nothing more may happen in the call where it was: whoever lost it looks once a second.
          await rig.clock.advance(200);
          await Promise.all(instances.map((instance) => instance.assembly.registry.verify(callSid())));
          owner = streamed;
          expect((await at(asked).row())?.owner).toBe(names[owner]);
          for (const [index, instance] of instances.entries())
            if (index !== owner) instance.expectNothingLeft();
        }
        expect(at(owner).model.openSessions).toHaveLength(1);
        await at((owner + 1) % names.length).report('completed');
        await rig.clock.advance(1_000);
        expect(await at(first).row()).toMatchObject({ endReason: 'caller.hungUp' });
        for (const instance of instances) instance.expectNothingLeft();
      }),
      { numRuns: 40 },
    );
  });
});
