/** Which streams are let in: those with a valid, unspent token of their own call, and of a call the newest. */
import { describe, expect, it } from 'vitest';
import type { Journal } from '../../src/runtime/ports/journal.ts';
import { mintStreamToken } from '../../src/runtime/stream-token.ts';
import { callSid, Rig, tokenKey } from './rig.ts';

const token = (
  rig: Rig,
  changes: Partial<{ callId: string; attempt: number; lifeMs: number; key: string }>,
) => {
  const { callId = callSid(), attempt = 1, lifeMs = 60_000, key = tokenKey } = changes;
  return mintStreamToken(key, { callId, attempt, expiresAt: rig.clock.now() + lifeMs });
};

describe('a stream', () => {
  it('is let in once with the token of its attempt, which is spent by the claim', async () => {
    const rig = new Rig();
    const process = rig.open();
    await process.connect(await process.answer());
    const claim = (await process.entries()).find((entry) => entry.type === 'owner.claimed' && entry.attempt);
    expect(claim).toMatchObject({ instance: 'one', why: 'stream', attempt: 1 });
    expect(process.value()).toMatchObject({ live: { carrier: { streaming: 'steady' } } });
  });

  it.each([
    ['without a token', () => ''],
    ['with something that is no token', () => 'a.b.c.d'],
    ['with the token of another call', (rig: Rig) => token(rig, { callId: callSid(2) })],
    ['with a forged token', (rig: Rig) => token(rig, { key: 'another key' })],
    ['with an expired token', (rig: Rig) => token(rig, { lifeMs: 0 })],
  ])('%s is refused, and nothing happens', async (_, tokenFor) => {
    const rig = new Rig();
    const process = rig.open();
    await process.answer();
    const before = await process.types();
    const line = rig.line();
    const start = { carrierCallId: callSid(), token: tokenFor(rig), line };
    expect(await process.desk.admitStream(start)).toBeNull();
    await rig.written();
    expect(await process.types()).toEqual(before);
    expect(process.model.sessions).toHaveLength(1);
    expect(line.sent).toEqual([]);
  });

  it('with the good token of another live call is refused, and neither call is touched', async () => {
    const rig = new Rig();
    const process = rig.open();
    await process.answer(callSid(1));
    const other = await process.answer(callSid(2));
    expect(await process.connect(other, callSid(1))).toBeNull();
    for (const callId of [callSid(1), callSid(2)])
      expect(await process.types(callId)).not.toContain('stream.started');
    expect(await process.connect(other, callSid(2))).not.toBeNull();
  });

  it('with a spent token is refused, and the line that spent it stays', async () => {
    const rig = new Rig();
    const process = rig.open();
    const answer = await process.answer();
    const first = await process.connect(answer);
    expect(await process.connect(answer)).toBeNull();
    expect(first?.isClosed).toBe(false);
    expect(process.model.sessions).toHaveLength(1);
  });

  it('of a call that nobody knows is refused, and opens no session', async () => {
    const rig = new Rig();
    const process = rig.open();
    const start = { carrierCallId: callSid(), token: token(rig, {}), line: rig.line() };
    expect(await process.desk.admitStream(start)).toBeNull();
    expect(process.model.sessions).toEqual([]);
    process.expectNothingLeft();
  });

  it('of a call that is over is refused, and opens no session', async () => {
    const rig = new Rig();
    const process = rig.open();
    const { line } = await process.begin();
    line.drops();
    const answer = await process.askNext();
    await process.report('completed');
    await rig.settle();
    expect(await process.connect(answer)).toBeNull();
    expect(process.model.sessions).toHaveLength(1);
    process.expectNothingLeft();
  });

  it('with a spent token is refused by a process that does not own the call, and leaves nothing there', async () => {
    const rig = new Rig();
    const one = rig.open('one');
    const two = rig.open('two');
    const answer = await one.answer();
    await one.connect(answer);
    expect(await two.connect(answer)).toBeNull();
    two.expectNothingLeft();
    expect(one.value()).toMatchObject({ live: { carrier: { streaming: 'steady' } } });
  });
});

describe('two streams with one token at once', () => {
  it('in one process: one is let in', async () => {
    const rig = new Rig();
    const process = rig.open();
    const answer = await process.answer();
    const lines = await Promise.all([
      process.connect(answer),
      process.connect(answer),
      process.connect(answer),
    ]);
    expect(lines.filter((line) => line !== null)).toHaveLength(1);
    expect((await process.types()).filter((type) => type === 'stream.started')).toHaveLength(1);
    expect(process.assembly.live.get(callSid())).toMatchObject({ openLines: 1, openSessions: 1 });
  });

  it('in a process where the call does not live: one is let in', async () => {
    const rig = new Rig();
    const one = rig.open('one');
    const two = rig.open('two');
    const answer = await one.answer();
    const lines = await Promise.all([two.connect(answer), two.connect(answer)]);
    await rig.settle();
    expect(lines.filter((line) => line !== null)).toHaveLength(1);
    expect(two.assembly.live.get(callSid())).toMatchObject({ openLines: 1, openSessions: 1 });
    // The former owner learns of it with its next entry.
    await rig.clock.advance(20_000);
    one.expectNothingLeft();
  });

  it('in two processes: one is let in, and the other process has nothing of the call', async () => {
    const rig = new Rig();
    const one = rig.open('one');
    const two = rig.open('two');
    const answer = await one.answer();
    const lines = await Promise.all([one.connect(answer), two.connect(answer)]);
    await rig.settle();
    expect(lines.filter((line) => line !== null)).toHaveLength(1);
    expect(one.assembly.registry.size + two.assembly.registry.size).toBe(1);
    expect(one.model.openSessions.length + two.model.openSessions.length).toBe(1);
    const owner = one.assembly.registry.size === 1 ? one : two;
    expect((await owner.row())?.owner).toBe(owner.instance);
    (owner === one ? two : one).expectNothingLeft();
  });
});

describe('the newest stream of a call', () => {
  it('wins, and the older one is closed', async () => {
    const rig = new Rig();
    const process = rig.open();
    const { line: older } = await process.begin();
    const newer = await process.connect(await process.askNext());
    expect(older.isClosed).toBe(true);
    await rig.clock.advance(100);
    expect(newer?.isClosed).toBe(false);
    expect(process.value()).toMatchObject({ live: { carrier: { streaming: 'steady' } } });
    expect(process.model.sessions).toHaveLength(1);
  });

  it('carries the audio, whatever the older one still brings', async () => {
    const rig = new Rig();
    const process = rig.open();
    const { line: older } = await process.begin();
    const newer = await process.connect(await process.askNext());
    const before = process.model.session.audioBytes;
    newer?.brings(120);
    older.bringsAllTheSame(500);
    expect(process.model.session.audioBytes - before).toBe(960);
  });

  it('wins in whichever process it starts, and the other lets go of the call', async () => {
    const rig = new Rig();
    const one = rig.open('one');
    const two = rig.open('two');
    const { line: older } = await one.begin();
    const newer = await two.connect(await two.askNext());
    expect(newer).not.toBeNull();
    older.brings(20);
    one.model.session.callerStarts('turn1');
    await rig.written();
    one.expectNothingLeft();
    expect(older.isClosed).toBe(true);
    expect((await two.row())?.owner).toBe('two');
    await rig.clock.advance(100);
    expect(two.value()).toMatchObject({
      live: { carrier: { streaming: 'steady' }, model: { ready: 'steady' } },
    });
  });
});

/** Calls `during` while the log is read for a claim: what another process does in that moment. */
function readingInterruptedBy(during: () => Promise<void>): (journal: Journal) => Journal {
  return (journal) =>
    new Proxy(journal, {
      get(target, name) {
        if (name === 'readPayloads') {
          return async (callId: string) => {
            const payloads = await target.readPayloads(callId);
            await during();
            return payloads;
          };
        }
        const value = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
}

describe('a claim, while the owner goes on writing', () => {
  it('knows what was written between its reading and its claim', async () => {
    const rig = new Rig();
    const one = rig.open('one');
    await one.begin();
    rig.agent.gate = () => new Promise(() => undefined);
    let times = 0;
    const wrapJournal = readingInterruptedBy(async () => {
      times += 1;
      if (times > 1) return;
      one.model.session.asksFor('tool1', 'look_up', { what: 'it' });
      await rig.settle();
    });
    const two = rig.open('two', { wrapJournal });
    const line = await two.connect(await two.askNext());
    await rig.settle();
    expect(line?.isClosed).toBe(false);
    expect(times).toBe(2);
    expect(rig.agent.runs.map((run) => run.split(' ')[0])).toEqual(['look_up', 'look_up']);
    await rig.clock.advance(100);
    expect(two.value()).toMatchObject({
      live: { carrier: { streaming: 'steady' }, model: { ready: 'steady' }, tools: 'running' },
    });
  });

  it('that meets its entries is tried again, with the same line', async () => {
    const rig = new Rig();
    const one = rig.open('one');
    const { line: older } = await one.begin();
    let conflicts = 0;
    const two = rig.open('two', {
      beforeAppend: async (): Promise<'store'> => {
        conflicts += 1;
        if (conflicts > 2) return 'store';
        one.model.session.callerStarts(`turn${conflicts}`);
        one.model.session.callerStops(`turn${conflicts}`, `words ${conflicts}`);
        await one.assembly.registry.get(callSid())?.durable();
        return 'store';
      },
    });
    const line = await two.connect(await two.askNext());
    await rig.clock.advance(100);
    expect(conflicts).toBeGreaterThan(2);
    expect(line).not.toBeNull();
    expect(line?.isClosed).toBe(false);
    expect((await two.row())?.owner).toBe('two');
    expect(two.value()).toMatchObject({
      live: { carrier: { streaming: 'steady' }, model: { ready: 'steady' } },
    });
    expect(two.model.openSessions).toHaveLength(1);
    expect(two.model.session.request.history).toContainEqual({
      kind: 'speech',
      role: 'caller',
      text: 'words 2',
    });
    two.model.session.says('reply1', 'Here I am.', 200);
    await rig.clock.advance(10);
    expect(line?.sentMs).toBe(200);
    older.drops();
    await rig.written();
    one.expectNothingLeft();
  });

  it('that never comes to an end is given up, and leaves nothing', async () => {
    const rig = new Rig();
    const one = rig.open('one');
    await one.begin();
    let turns = 0;
    const wrapJournal = readingInterruptedBy(async () => {
      turns += 1;
      one.model.session.callerStarts(`turn${turns}`);
      await one.assembly.registry.get(callSid())?.durable();
    });
    const two = rig.open('two', { wrapJournal });
    const answer = await two.askNext();
    await expect(two.connect(answer)).rejects.toMatchObject({ code: 'journal.unavailable' });
    two.expectNothingLeft();
    expect((await one.row())?.owner).toBe('one');
  });

  it('that fails leaves nothing in a process where the call does not live', async () => {
    const rig = new Rig();
    const one = rig.open('one');
    await one.begin();
    let reads = 0;
    const two = rig.open('two', {
      wrapJournal: (journal) =>
        new Proxy(journal, {
          get(target, name) {
            if (name === 'list') return () => Promise.reject(new Error('the disk is gone'));
            if (name === 'read') reads += 1;
            const value = Reflect.get(target, name);
            return typeof value === 'function' ? value.bind(target) : value;
          },
        }),
    });
    const answer = await one.askNext();
    await expect(two.connect(answer)).rejects.toThrow('the disk is gone');
    expect(reads).toBeGreaterThan(1);
    two.expectNothingLeft();
  });
});
