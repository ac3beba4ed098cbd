/** The end of a call, in whatever order its signs come: one reason, told once, and nothing left (I4). */
import { describe, expect, it } from 'vitest';
import { callSid, type Process, Rig } from './rig.ts';
import type { FakeLine } from './support/fake-line.ts';

async function inConversation(options: Parameters<Rig['open']>[1] = {}) {
  const rig = new Rig();
  const process = rig.open('one', options);
  const { line } = await process.begin();
  return { rig, process, line };
}

const ends = async (process: Process): Promise<string[]> =>
  (await process.entries()).flatMap((entry) => (entry.type === 'call.ended' ? [entry.reason] : []));

type Sign = 'stop' | 'close' | 'status' | 'silence';

function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  );
}

describe('a caller who hangs up', () => {
  const signs: Record<Sign, (rig: Rig, process: Process, line: FakeLine) => unknown> = {
    stop: (_rig, _process, line) => line.stops(),
    close: (_rig, _process, line) => line.drops(1000),
    status: (_rig, process) => process.report('completed'),
    silence: (rig) => rig.clock.advance(1_000),
  };

  async function hangUp(order: readonly Sign[], times: number) {
    const { rig, process, line } = await inConversation();
    process.control.status = 'completed';
    for (const sign of order) {
      for (let time = 0; time < times; time++) await signs[sign](rig, process, line);
      await rig.settle();
    }
    await rig.clock.advance(30_000);
    expect(await ends(process)).toEqual(['caller.hungUp']);
    expect(await process.row()).toMatchObject({ endReason: 'caller.hungUp', owner: null });
    expect(process.control.ended).toEqual([]);
    await rig.expectNothingLeft();
    return { rig, process };
  }

  const orders = permutations<Sign>(['stop', 'close', 'status', 'silence']);

  it.each(orders.map((order) => order.join(', ')))(
    'is noticed by %s, each once and each twice',
    async (order) => {
      for (const times of [1, 2]) await hangUp(order.split(', ') as Sign[], times);
    },
  );

  it.each([
    ['stop, close', ['stop', 'close']],
    ['close alone', ['close']],
    ['silence and close', ['silence', 'close']],
  ] as [string, Sign[]][])('is noticed without a status callback, by %s', async (_, order) => {
    const { process } = await hangUp(order, 1);
    expect(process.control.asked.length).toBeGreaterThan(0);
  });

  it('costs nothing from then on: the session is closed with the callback, before anything else', async () => {
    const { rig, process } = await inConversation();
    await process.report('completed');
    await rig.settle();
    expect(process.model.session.isClosed).toBe(true);
  });

  it('before the stream came ends the call as well', async () => {
    const rig = new Rig();
    const process = rig.open();
    await process.answer();
    await process.report('completed');
    await rig.settle();
    expect(await ends(process)).toEqual(['caller.hungUp']);
    await rig.expectNothingLeft();
  });

  it('while a tool runs and a reply is played leaves nothing either', async () => {
    const { rig, process, line } = await inConversation();
    rig.agent.gate = () => new Promise(() => undefined);
    process.model.session.says('reply2', 'A long story.', 5_000);
    process.model.session.asksFor('tool1', 'look_up', { what: 'it' });
    await rig.clock.advance(500);
    line.ends();
    await process.report('completed');
    await rig.settle();
    expect(await ends(process)).toEqual(['caller.hungUp']);
    await rig.expectNothingLeft();
  });
});

describe('a stream that is lost while the carrier still has the caller', () => {
  it('ends the call for that reason once nobody brings it back', async () => {
    const { rig, process, line } = await inConversation();
    line.drops();
    await rig.clock.advance(60_000);
    expect(await ends(process)).toEqual(['stream.lost']);
    expect(process.control.redirected.length).toBeGreaterThan(1);
    expect(process.control.redirected[0]).toMatchObject({ do: 'connect', attempt: 2 });
    expect(process.control.ended).toEqual([callSid()]);
    await rig.expectNothingLeft();
  });

  it('ends also where the carrier cannot be asked and cannot be told', async () => {
    const { rig, process, line } = await inConversation();
    process.control.mood = 'isUnreachable';
    line.drops();
    await rig.clock.advance(120_000);
    expect(await ends(process)).toEqual(['stream.lost']);
    const entries = await process.entries();
    expect(entries.filter(({ type }) => type === 'carrier.unreachable')).toHaveLength(12);
    expect(entries.find(({ type }) => type === 'hangUp.finished')).toMatchObject({ outcome: 'unreachable' });
    await rig.expectNothingLeft();
  });

  it('ends also where the carrier refuses to end what it does not know', async () => {
    const { rig, process, line } = await inConversation();
    line.drops();
    process.control.mood = 'refuses';
    await rig.clock.advance(60_000);
    expect((await process.entries()).find(({ type }) => type === 'hangUp.finished')).toMatchObject({
      outcome: 'refused',
    });
    expect(await ends(process)).toEqual(['stream.lost']);
    await rig.expectNothingLeft();
  });
});

describe('an agent that hangs up', () => {
  it('does so only once its goodbye was played', async () => {
    const { rig, process } = await inConversation();
    const { session } = process.model;
    session.startsReply('bye');
    session.sends('bye', 'bye-item', 2_000);
    session.asksFor('tool1', 'hang_up', {}, 'idempotent');
    session.endsReply('bye', 'bye-item', 'Goodbye!', 1);
    await rig.clock.advance(1_900);
    expect(process.control.ended).toEqual([]);
    await rig.clock.advance(200);
    expect(process.control.ended).toEqual([callSid()]);
    await rig.settle();
    expect(session.isClosed).toBe(true);
    expect(await ends(process)).toEqual(['agent.hungUp']);
    await rig.expectNothingLeft();
  });

  it('and says nothing is asked for a goodbye first', async () => {
    const { rig, process } = await inConversation();
    const { session } = process.model;
    session.startsReply('silent');
    session.asksFor('tool1', 'hang_up', {}, 'idempotent');
    session.finishes('silent', false, 1);
    await rig.settle();
    expect(session.told.slice(-2)).toEqual([
      expect.stringContaining('result of tool1: Say goodbye now'),
      expect.stringMatching(/^createReply: Help the caller\.\n\nSay goodbye/),
    ]);
    session.says('bye', 'Goodbye!', 500);
    await rig.clock.advance(600);
    expect(await ends(process)).toEqual(['agent.hungUp']);
    await rig.expectNothingLeft();
  });

  it('goes on where the caller speaks again', async () => {
    const { rig, process } = await inConversation({ settings: { starvedMs: 60_000 } });
    const { session } = process.model;
    session.startsReply('bye');
    session.asksFor('tool1', 'hang_up', {}, 'idempotent');
    session.sends('bye', 'bye-item', 2_000);
    session.endsReply('bye', 'bye-item', 'Goodbye!', 1);
    await rig.clock.advance(500);
    session.callerStarts('turn1');
    await rig.clock.advance(20_000);
    expect(session.told).toContainEqual(expect.stringContaining('result of tool1: The caller spoke again'));
    expect(process.control.ended).toEqual([]);
    expect(process.value()).toMatchObject({ live: { farewell: 'none' } });
  });
});

describe('a call without end', () => {
  it('is ended with a farewell at its limit', async () => {
    const { rig, process } = await inConversation({ settings: { longestCallMs: 10_000, starvedMs: 60_000 } });
    await rig.clock.advance(10_000);
    expect(process.model.session.told.at(-1)).toContain('Say goodbye');
    process.model.session.says('bye', 'Time is up. Goodbye!', 500);
    await rig.clock.advance(1_000);
    expect(await ends(process)).toEqual(['call.tooLong']);
    await rig.expectNothingLeft();
  });
});

describe('an end that is being carried out', () => {
  it('is not held up by a stream that was on its way', async () => {
    const { rig, process, line } = await inConversation();
    line.drops();
    const answer = await process.askNext();
    process.control.mood = 'isUnreachable';
    await process.desk.report(callSid(), { entry: { type: 'hangUp.requested', by: 'operator' } }, 'operator');
    await rig.clock.advance(16_000);
    expect(await process.connect(answer)).toBeNull();
    await rig.clock.advance(30_000);
    expect(await ends(process)).toEqual(['operator.hungUp']);
    await rig.expectNothingLeft();
  });
});
