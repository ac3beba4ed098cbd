/** What an operator does with a call is in its log, with their name, and is done wherever the call lives. */
import { describe, expect, it } from 'vitest';
import type { Operator, OperatorCommand } from '../../../src/runtime/ports/operator.ts';
import { OperatorCommands } from '../../../src/service/console/operator-commands.ts';
import { mostRefusals } from '../../../src/service/steering.ts';
import { callSid, type Process, Rig } from '../rig.ts';

const operator: Operator = { name: 'Night desk', via: 'console' };

function commandsOf(process: Process) {
  const acted: unknown[] = [];
  const erased: unknown[] = [];
  const commands = new OperatorCommands({
    journal: process.journal,
    siblings: process.assembly.siblings,
    erase: async (...told) => void erased.push(told),
    onActed: (...told) => void acted.push(told),
  });
  return {
    acted,
    erased,
    perform: (command: OperatorCommand) => commands.perform(callSid(), command, operator),
  };
}

async function conversation() {
  const rig = new Rig();
  const one = rig.open('one');
  const two = rig.open('two');
  const { line } = await one.begin();
  await Promise.all([one.assembly.presence.start(), two.assembly.presence.start()]);
  return { rig, one, two, line };
}

const newestOf = async (process: Process, type: string) =>
  (await process.entries()).findLast((entry) => entry.type === type);

describe('an operator', () => {
  it('hangs up from another process', async () => {
    const { rig, one, two } = await conversation();
    const { perform, acted } = commandsOf(two);
    await perform({ do: 'hangUp' });
    await rig.clock.advance(200);
    expect(await newestOf(one, 'hangUp.requested')).toMatchObject({ by: 'operator', operator: 'Night desk' });
    expect(acted).toEqual([[callSid(), 'hangUp', 'Night desk']]);
  });

  it('hands the caller on, with the number in a payload alone', async () => {
    const { rig, one, two } = await conversation();
    await commandsOf(two).perform({ do: 'transfer', number: '+15550107777' });
    await rig.clock.advance(200);
    expect(one.control.redirected.at(-1)).toMatchObject({ do: 'transfer', number: '+15550107777' });
    expect(JSON.stringify(await one.entries())).not.toContain('5550107777');
  });

  it('has the agent say something, in these words', async () => {
    const { rig, one } = await conversation();
    await commandsOf(one).perform({ do: 'say', words: 'We close in five minutes.' });
    await rig.clock.advance(200);
    const told = JSON.stringify(one.model.session.told);
    expect(told).toContain('We close in five minutes.');
    expect(JSON.stringify(await one.entries())).not.toContain('five minutes');
  });

  it.each([
    { do: 'transfer', number: '5550107777' },
    { do: 'transfer', number: '+1 555 010' },
    { do: 'say', words: ' ' },
    { do: 'say', words: 'x'.repeat(501) },
  ] as OperatorCommand[])('is told what is wrong with %j', async (command) => {
    const { one } = await conversation();
    const { perform, acted } = commandsOf(one);
    const before = await one.entries();
    await expect(perform(command)).rejects.toMatchObject({ code: 'command.invalid' });
    expect(await one.entries()).toEqual(before);
    expect(acted).toEqual([]);
  });

  it('cannot command a call that is over, or none; but can erase one', async () => {
    const { rig, one, line } = await conversation();
    const { perform, erased } = commandsOf(one);
    await one.report('completed');
    line.ends();
    await rig.clock.advance(500);
    await expect(perform({ do: 'hangUp' })).rejects.toMatchObject({ code: 'call.over' });
    await perform({ do: 'erase' });
    expect(erased).toEqual([[callSid(), 'Night desk']]);
    const nobody = commandsOf(new Rig().open());
    await expect(nobody.perform({ do: 'erase' })).rejects.toMatchObject({ code: 'call.unknown' });
  });

  it('moves a call, which does not come back to where it was while another process takes it', async () => {
    const { rig, one, two } = await conversation();
    await commandsOf(one).perform({ do: 'move' });
    await rig.clock.advance(500);
    expect(await one.connect(await one.askNext())).toBeNull();
    await rig.clock.advance(200);
    expect(await two.connect(await one.askNext())).not.toBeNull();
    await rig.clock.advance(1_500);
    expect(one.left()).toMatchObject({ calls: 0, parts: 0 });
    expect(await newestOf(two, 'owner.claimed')).toMatchObject({ instance: 'two', why: 'stream' });
    expect(await newestOf(two, 'stream.misdirected')).toMatchObject({ attempt: 2 });
  });

  it('moves no call that nobody else takes in the end', async () => {
    const { rig, one } = await conversation();
    await commandsOf(one).perform({ do: 'move' });
    await rig.clock.advance(500);
    for (let refusal = 0; refusal < mostRefusals; refusal++) {
      expect(await one.connect(await one.askNext())).toBeNull();
      await rig.clock.advance(200);
    }
    expect(await one.connect(await one.askNext())).not.toBeNull();
  });

  it('moves no call where no other process is ready', async () => {
    const { one, two } = await conversation();
    await two.exits();
    await expect(commandsOf(one).perform({ do: 'move' })).rejects.toMatchObject({ code: 'command.invalid' });
  });
});
