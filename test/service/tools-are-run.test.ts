/** Tools: run once per request, told to the model, and never left without an outcome. */
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../src/machines/entries.ts';
import { callSid, Rig } from './rig.ts';

const finished = (entries: readonly Entry[]) =>
  entries.flatMap((entry) => (entry.type === 'tool.finished' ? [entry] : []));

describe('a tool', () => {
  it('runs once its request is durable, with the key of its call; the result is told and a reply asked for', async () => {
    const rig = new Rig();
    const process = rig.open();
    await process.begin();
    const { session } = process.model;
    session.startsReply('reply2');
    session.asksFor('tool1', 'look_up', { what: 'it' });
    expect(rig.agent.runs).toEqual([]);
    await rig.settle();
    expect(rig.agent.runs).toEqual([`look_up ${callSid()}/tool1 it`]);
    session.finishes('reply2', false, 1);
    await rig.settle();
    expect(session.told.slice(-2)).toEqual([
      'result of tool1: look_up of it done',
      'createReply: by its own',
    ]);
    expect(finished(await process.entries())).toMatchObject([{ toolCallId: 'tool1', outcome: 'completed' }]);
  });

  it('runs once, whatever the model repeats', async () => {
    const rig = new Rig();
    const process = rig.open();
    await process.begin();
    for (let times = 0; times < 3; times++)
      process.model.session.asksFor('tool1', 'note_down', { what: 'it' });
    await rig.settle();
    expect(rig.agent.runs).toHaveLength(1);
  });

  it('that fails, is unknown or is asked wrongly has an outcome of which the model learns', async () => {
    const rig = new Rig();
    const process = rig.open();
    await process.begin();
    const { session } = process.model;
    rig.agent.gate = () => Promise.reject(new Error('secret reason'));
    session.asksFor('tool1', 'look_up', { what: 'it' });
    session.asksFor('tool2', 'no_such_tool');
    session.asksFor('tool3', 'look_up', { wrong: 1 });
    await rig.settle();
    const outcomes = finished(await process.entries()).map(
      ({ toolCallId, outcome }) => `${toolCallId} ${outcome}`,
    );
    expect(outcomes.sort()).toEqual(['tool1 failed', 'tool2 failed', 'tool3 failed']);
    const told = session.told.filter((line) => line.startsWith('result of'));
    expect(told).toHaveLength(3);
    expect(told.join()).not.toContain('secret reason');
  });

  it('that takes too long is given up, and its later result is not heard', async () => {
    const rig = new Rig();
    const process = rig.open();
    await process.begin();
    const gate = Promise.withResolvers<void>();
    rig.agent.gate = () => gate.promise;
    process.model.session.asksFor('tool1', 'look_up', { what: 'it' });
    await rig.clock.advance(6_000);
    gate.resolve();
    await rig.written();
    expect(finished(await process.entries())).toMatchObject([{ outcome: 'timedOut' }]);
    expect(process.model.session.told.filter((line) => line.startsWith('result of'))).toHaveLength(1);
  });

  it('whose call is over while it runs is not heard any more, and leaves nothing', async () => {
    const rig = new Rig();
    const process = rig.open();
    await process.begin();
    const gate = Promise.withResolvers<void>();
    rig.agent.gate = () => gate.promise;
    process.model.session.asksFor('tool1', 'look_up', { what: 'it' });
    await rig.settle();
    await process.report('completed');
    await rig.settle();
    gate.resolve();
    await rig.expectNothingLeft();
    expect(finished(await process.entries())).toEqual([]);
  });
});

describe('several tools of one reply', () => {
  it('run side by side, and one reply is asked for after the last result', async () => {
    const rig = new Rig();
    const process = rig.open();
    await process.begin();
    const { session } = process.model;
    const gate = Promise.withResolvers<void>();
    let waiting = 0;
    rig.agent.gate = () => {
      waiting += 1;
      return waiting === 1 ? gate.promise : undefined;
    };
    const replies = () => session.told.filter((line) => line.startsWith('createReply')).length;
    const before = replies();
    session.startsReply('reply2');
    session.asksFor('tool1', 'look_up', { what: 'one' });
    session.asksFor('tool2', 'look_up', { what: 'two' });
    session.finishes('reply2', false, 2);
    await rig.settle();
    expect(rig.agent.runs).toHaveLength(2);
    expect(session.told.at(-1)).toBe('result of tool2: look_up of two done');
    expect(replies()).toBe(before);
    gate.resolve();
    await rig.settle();
    expect(session.told.slice(-2)).toEqual([
      'result of tool1: look_up of one done',
      'createReply: by its own',
    ]);
    expect(replies()).toBe(before + 1);
  });
});

describe('a tool that another process had begun', () => {
  /** The first process dies while the tool runs; the second one takes the call with its stream. */
  async function takeOver(tool: string, effect: 'none' | 'idempotent' | 'once') {
    const rig = new Rig();
    const one = rig.open('one');
    await one.begin();
    rig.agent.gate = () => new Promise(() => undefined);
    one.model.session.asksFor('tool1', tool, { what: 'it' }, effect);
    await rig.settle();
    one.dies();
    rig.agent.gate = () => undefined;
    const two = rig.open('two');
    return {
      rig,
      two,
      connect: async () => {
        await two.connect(await two.askNext());
        await rig.clock.advance(100);
        return finished(await two.entries());
      },
    };
  }

  it.each([
    ['look_up', 'none'],
    ['note_down', 'idempotent'],
  ] as const)('is run again with the same key where that is harmless: %s', async (tool, effect) => {
    const { rig, connect } = await takeOver(tool, effect);
    expect(await connect()).toMatchObject([{ toolCallId: 'tool1', outcome: 'completed' }]);
    expect(rig.agent.runs).toEqual(Array(2).fill(`${tool} ${callSid()}/tool1 it`));
  });

  it('is not run again where it must not be, but found', async () => {
    const { rig, two, connect } = await takeOver('order', 'once');
    rig.agent.found = { found: true, result: 'order 17' };
    expect(await connect()).toMatchObject([{ outcome: 'completed' }]);
    expect(rig.agent.runs).toHaveLength(1);
    const history = two.model.session.request.history;
    const told = [...two.model.session.told, ...history.map((item) => JSON.stringify(item))].join();
    expect(told).toContain('order 17');
  });

  it('is run again where it is certain that nothing was done', async () => {
    const { rig, connect } = await takeOver('order', 'once');
    rig.agent.found = { found: false };
    expect(await connect()).toMatchObject([{ outcome: 'completed' }]);
    expect(rig.agent.runs).toHaveLength(2);
  });

  it('is told to be of unknown outcome where its request was erased', async () => {
    const { rig, two, connect } = await takeOver('note_down', 'idempotent');
    const { journal } = two;
    const read = journal.readPayloads.bind(journal);
    journal.readPayloads = async (callId) => (await read(callId)).filter(({ name }) => name !== 'arguments');
    expect(await connect()).toMatchObject([{ toolCallId: 'tool1', outcome: 'unknown' }]);
    expect(rig.agent.runs).toHaveLength(1);
  });

  it('has an outcome where its request lies too far back to be known', async () => {
    const rig = new Rig();
    const one = rig.open('one');
    await one.begin();
    rig.agent.gate = () => new Promise(() => undefined);
    one.model.session.asksFor('tool1', 'note_down', { what: 'it' });
    for (let turn = 0; turn < 401; turn++) one.model.session.callerStarts(`turn${turn}`);
    await rig.written();
    one.dies();
    const two = rig.open('two');
    await two.connect(await two.askNext());
    await rig.clock.advance(100);
    expect(finished(await two.entries())).toMatchObject([{ toolCallId: 'tool1', outcome: 'unknown' }]);
    expect(two.value()).toMatchObject({ live: { tools: 'idle' } });
  });
});
