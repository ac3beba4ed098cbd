/** A call and several processes: who owns it, and what the others may do (I2). */
import { describe, expect, it } from 'vitest';
import { clockToleranceMs } from '../../src/service/presence.ts';
import { localPulse } from '../../src/service/pulse.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import { callSid, type Process, Rig } from './rig.ts';
import type { FakeSession } from './support/fake-model.ts';

const claims = async (process: Process) =>
  (await process.entries()).flatMap((entry) =>
    entry.type === 'owner.claimed' ? [`${entry.instance} ${entry.why}`] : [],
  );

describe('a process whose call was claimed by another one', () => {
  it('lets go of everything at once, and writes and does nothing more', async () => {
    const rig = new Rig();
    const one = rig.open('one');
    const two = rig.open('two');
    const { line: older } = await one.begin();
    const { session } = one.model;
    rig.agent.gate = () => new Promise(() => undefined);
    session.asksFor('tool1', 'note_down', { what: 'it' });
    session.says('reply2', 'A long story.', 5_000);
    await rig.clock.advance(500);

    await two.connect(await two.askNext());
    const written = (await two.entries()).length;
    session.callerStarts('turn1');
    await rig.written();
    expect(one.left()).toEqual({ calls: 0, parts: 0, timers: 0, sessions: 0 });
    expect(older.isClosed).toBe(true);
    // Once for the call, and once for the tool that it had running.
    expect([one.gone, one.moved]).toEqual([2, 1]);
    expect(one.logged.join('')).toContain('the call is let go: another process owns it, or may');
    // Until the other one's session is open, and that is written.
    await rig.clock.advance(100);

    const told = session.told.length;
    const steps = one.steps.length;
    const log = await two.entries();
    session.isClosed = false;
    session.callerStarts('turn2');
    session.asksFor('tool2', 'note_down', { what: 'that' });
    session.says('reply3', 'Boo.', 100);
    older.stops();
    older.bringsAllTheSame(100);
    await rig.written();
    expect(session.told).toHaveLength(told);
    expect(one.steps).toHaveLength(steps);
    expect(rig.agent.runs).toHaveLength(2);
    expect(await two.entries()).toEqual(log);
    expect(log.length).toBeGreaterThanOrEqual(written);
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
    expect(await claims(two)).toEqual(['one created', 'one stream', 'two stream']);
  });

  it('does not perform what it had decided but not written', async () => {
    const rig = new Rig();
    const one = rig.open('one');
    const two = rig.open('two');
    await one.begin();
    await two.connect(await two.askNext());
    one.model.session.asksFor('tool1', 'order', { what: 'it' }, 'once');
    await rig.settle();
    expect(rig.agent.runs).toEqual([]);
  });
});

describe('a call whose process dies before the words of the caller are known', () => {
  /** The agent has begun to answer, and another process has the call. */
  async function takenOver(playedMs: number, words?: string) {
    const rig = new Rig();
    const one = rig.open('one');
    const two = rig.open('two');
    await one.begin();
    const { session } = one.model;
    session.callerStarts('turn1');
    session.callerStops('turn1', words);
    session.startsReply('reply2');
    session.sends('reply2', 'item2', 4_000);
    session.endsReply('reply2', 'item2', 'one two three four');
    await rig.clock.advance(playedMs);
    await one.assembly.registry.get(callSid())?.durable();
    one.dies();
    await two.connect(await two.askNext());
    await rig.clock.advance(100);
    return two.model.session.told.at(-1);
  }

  it('goes on with the caller, who is asked to say it again', async () => {
    expect(await takenOver(0)).toContain('say it again');
  });

  it('begins with the greeting where nothing of that was heard either', async () => {
    const rig = new Rig();
    const one = rig.open('one');
    const two = rig.open('two');
    await one.connect(await one.answer());
    await rig.clock.runUntil(() => one.model.sessions.some(({ told }) => told.length > 0), 1_000);
    const { session } = one.model;
    session.startsReply('reply1');
    session.sends('reply1', 'item1', 4_000);
    session.endsReply('reply1', 'item1', 'Good day! How can I help you?');
    await one.assembly.registry.get(callSid())?.durable();
    one.dies();
    await two.connect(await two.askNext());
    await rig.clock.advance(100);
    expect(two.model.session.told.at(-1)).toContain('Greet the caller');
  });

  it('goes on with the reply where part of it was heard, or the words are known', async () => {
    expect(await takenOver(2_100)).toContain('Go on from exactly there');
    expect(await takenOver(0, 'Where is my order?')).toContain('Go on from exactly there');
  });
});

describe('a call whose process dies while the caller speaks', () => {
  const lost = { kind: 'note', text: expect.stringContaining('the beginning of what the caller says next') };

  async function takenOver(say: (session: FakeSession) => void) {
    const rig = new Rig();
    const one = rig.open('one');
    const two = rig.open('two');
    await one.begin();
    say(one.model.session);
    await one.assembly.registry.get(callSid())?.durable();
    one.dies();
    await two.connect(await two.askNext());
    await rig.clock.advance(100);
    return { rig, two };
  }

  it('goes on with a model that is told of the missing beginning, and in each of its sessions', async () => {
    const { rig, two } = await takenOver((session) => session.callerStarts('turn1'));
    expect(two.model.session.request.history.at(-1)).toEqual(lost);
    two.model.session.callerStarts('turn2');
    two.model.session.callerStops('turn2', 'of my last order?');
    two.model.session.loses();
    await rig.clock.advance(1_000);
    expect(two.model.session.request.history.slice(-2)).toEqual([
      lost,
      { kind: 'speech', role: 'caller', text: 'of my last order?' },
    ]);
  });

  it('is told so only where the caller spoke then', async () => {
    const { two } = await takenOver((session) => {
      session.callerStarts('turn1');
      session.callerStops('turn1', 'Where is my order?');
    });
    expect(two.model.session.request.history.map(({ kind }) => kind)).toEqual(['speech', 'speech']);
  });

  it('is not told so where only the stream was lost', async () => {
    const rig = new Rig();
    const one = rig.open('one');
    const { line } = await one.begin();
    one.model.session.callerStarts('turn1');
    line.drops();
    await rig.settle();
    await one.connect(await one.askNext());
    one.model.session.loses();
    await rig.clock.advance(1_000);
    expect(one.model.session.request.history.map(({ kind }) => kind)).toEqual(['speech']);
  });
});

describe('a signal that reaches another process', () => {
  it('is taken in by the owner', async () => {
    const rig = new Rig();
    const one = rig.open('one');
    const two = rig.open('two');
    await one.begin();
    await two.report('completed');
    await rig.settle();
    expect(await one.row()).toMatchObject({ endReason: 'caller.hungUp' });
    two.expectNothingLeft();
    await rig.expectNothingLeft();
  });

  it('is taken in once, however often it is delivered and by whom', async () => {
    const rig = new Rig();
    const one = rig.open('one');
    const two = rig.open('two');
    await one.begin();
    const signal = {
      entry: { type: 'carrier.reported', status: 'in-progress', source: 'callback' },
    } as const;
    await Promise.all(
      [one, two, one, two].map(({ desk }) => desk.report(callSid(), signal, 'the same delivery')),
    );
    await rig.settle();
    expect((await one.types()).filter((type) => type === 'carrier.reported')).toHaveLength(1);
  });

  it('waits for whoever claims the call next, where its owner is dead', async () => {
    const rig = new Rig();
    const one = rig.open('one');
    const two = rig.open('two');
    await one.assembly.presence.start();
    await one.begin();
    one.dies();
    await two.report('completed');
    await rig.settle();
    expect(await two.row()).toMatchObject({ endedAt: null });
    await two.assembly.presence.start();
    await rig.clock.advance(100);
    // The stream broke with its process, and nobody had told before that the caller was gone.
    expect(await two.row()).toMatchObject({ endReason: 'stream.lost' });
    await two.assembly.presence.stop();
  });
});

describe('a process', () => {
  async function twoProcesses(options: Parameters<Rig['open']>[1] = {}) {
    const rig = new Rig();
    const one = rig.open('one', options);
    const two = rig.open('two');
    await one.assembly.presence.start();
    await two.assembly.presence.start();
    const { line } = await one.begin();
    return { rig, one, two, line };
  }

  it('adopts the calls of one that died on its host, within seconds', async () => {
    const { rig, one, two } = await twoProcesses();
    one.dies();
    await rig.clock.advance(1_100);
    expect(await claims(two)).toEqual(['one created', 'one stream', 'two orphan']);
    expect(two.value()).toMatchObject({ live: { carrier: 'lost', model: { ready: 'steady' } } });
    const line = await two.connect(await two.askNext());
    await rig.clock.advance(100);
    expect(line?.isClosed).toBe(false);
    expect(two.value()).toMatchObject({ live: { carrier: { streaming: 'steady' } } });
    expect(two.model.openSessions).toHaveLength(1);
    await rig.clock.advance(1_000);
    expect((await two.journal.instances()).map(({ instance }) => instance)).toEqual(['two']);
    await two.assembly.presence.stop();
  });

  it('adopts nothing of one that lives', async () => {
    const { rig, one, two, line } = await twoProcesses();
    for (let second = 0; second < 20; second++) {
      line.brings(1_000);
      await rig.clock.advance(1_000);
    }
    expect(await claims(two)).toEqual(['one created', 'one stream']);
    two.assembly.presence.stop();
    await one.assembly.presence.stop();
  });

  it('adopts the calls of one on another host only once it has stopped beating', async () => {
    const { rig, one, two } = await twoProcesses({ host: 'elsewhere' });
    await one.assembly.presence.stop();
    one.dies();
    await rig.clock.advance(localPulse.silentAfterMs - 1_500);
    expect(await claims(two)).toHaveLength(2);
    await rig.clock.advance(2_500);
    expect(await claims(two)).toContain('two orphan');
    await two.assembly.presence.stop();
  });

  it('adopts the calls of one on its host that lives and does not beat any more', async () => {
    const { rig, one, two, line } = await twoProcesses();
    await one.assembly.presence.stop();
    for (let second = 0; second < 7; second++) {
      line.brings(1_000);
      await rig.clock.advance(1_000);
    }
    expect(await claims(two)).toContain('two orphan');
    await two.assembly.presence.stop();
    one.model.session.callerStarts('turn1');
    await rig.settle();
    one.expectNothingLeft();
  });

  it('adopts nothing of one that the journal has lost and that still holds its calls', async () => {
    const rig = new Rig();
    const one = rig.open('one');
    const two = rig.open('two', {
      hasCalls: (instance) => instance === 'one' && one.assembly.registry.size > 0,
    });
    await one.assembly.presence.start();
    await two.assembly.presence.start();
    const { line } = await one.begin();
    await one.assembly.presence.stop();
    for (let second = 0; second < 30; second++) {
      line.brings(1_000);
      await rig.clock.advance(1_000);
    }
    expect(await claims(two)).toEqual(['one created', 'one stream']);
    one.assembly.registry.stop();
    await rig.clock.advance(2_000);
    expect(await claims(two)).toContain('two orphan');
    await two.assembly.presence.stop();
  });

  it('adopts nothing while its own clock is wrong', async () => {
    const rig = new Rig();
    const clock = new VirtualClock();
    clock.jump(clockToleranceMs + 100);
    const one = rig.open('one');
    const two = rig.open('two', {
      clock: {
        now: () => rig.clock.now() + clockToleranceMs + 100,
        monotonic: () => rig.clock.monotonic(),
        setTimeout: (callback, delayMs) => rig.clock.setTimeout(callback, delayMs),
        clearTimeout: (handle) => rig.clock.clearTimeout(handle),
      },
    });
    await one.begin();
    one.dies();
    await two.assembly.presence.start();
    await rig.clock.advance(10_000);
    expect(two.assembly.presence.skewMs).toBe(clockToleranceMs + 100);
    expect(await claims(two)).toHaveLength(2);
    await two.assembly.presence.stop();
  });

  it('adopts nothing while it is about to stop', async () => {
    const { rig, one, two } = await twoProcesses();
    two.isLeaving = true;
    one.dies();
    await rig.clock.advance(10_000);
    expect(await claims(two)).toHaveLength(2);
    await two.assembly.presence.stop();
  });

  it('adopts no more once it is told to stop in the middle of it', async () => {
    const rig = new Rig();
    const one = rig.open('one');
    await one.assembly.presence.start();
    for (const number of [1, 2, 3]) await one.begin(callSid(number));
    one.dies();
    const two = rig.open('two', {
      onStep: () => {
        two.isLeaving = true;
      },
    });
    await two.assembly.presence.start();
    await rig.clock.advance(3_000);
    expect(two.assembly.registry.size).toBe(1);
    await two.assembly.presence.stop();
  });

  it('does not take up as dead what a stream has brought back meanwhile', async () => {
    const rig = new Rig();
    const before = rig.open('one');
    await before.assembly.presence.start();
    await before.begin();
    before.dies();
    const answer = await before.askNext();
    let isFirst = true;
    const after = rig.open('one', {
      wrapJournal: (journal) => {
        const readPayloads = journal.readPayloads.bind(journal);
        journal.readPayloads = async (callId) => {
          const payloads = await readPayloads(callId);
          if (isFirst) {
            isFirst = false;
            await after.connect(answer);
          }
          return payloads;
        };
        return journal;
      },
    });
    await after.assembly.presence.start();
    await rig.clock.advance(100);
    expect(await claims(after)).toEqual(['one created', 'one stream', 'one restarted']);
    expect(after.model.openSessions).toHaveLength(1);
    expect(after.value()).toMatchObject({
      live: { carrier: { streaming: 'steady' }, model: { ready: 'steady' } },
    });
    await after.assembly.presence.stop();
  });

  it('has lost all of a call that bears its name, also where a stream brings it back before it was looked for', async () => {
    const rig = new Rig();
    const before = rig.open('one');
    await before.begin();
    before.dies();
    const after = rig.open('one');
    const line = await after.connect(await after.askNext());
    await rig.clock.advance(500);
    expect(await claims(after)).toEqual(['one created', 'one stream', 'one restarted']);
    expect(after.model.openSessions).toHaveLength(1);
    after.model.session.says('reply2', 'Here I am again.', 400);
    expect(line?.sentMs).toBe(400);
  });

  it('takes up its own calls where it comes back under the same name', async () => {
    const rig = new Rig();
    const before = rig.open('one');
    await before.assembly.presence.start();
    await before.begin();
    before.dies();
    const after = rig.open('one');
    await after.assembly.presence.start();
    await rig.clock.advance(100);
    expect(await claims(after)).toEqual(['one created', 'one stream', 'one restarted']);
    expect(after.assembly.registry.size).toBe(1);
    await after.assembly.presence.stop();
  });

  it('leaves its own living calls alone', async () => {
    const rig = new Rig();
    const process = rig.open();
    await process.assembly.presence.start();
    const { line } = await process.begin();
    for (let second = 0; second < 5; second++) {
      line.brings(1_000);
      await rig.clock.advance(1_000);
    }
    expect(await claims(process)).toEqual(['one created', 'one stream']);
    await process.assembly.presence.stop();
  });

  it('that stops leaves its name behind only where its calls need it', async () => {
    const { rig, one, two } = await twoProcesses();
    await two.assembly.presence.stop();
    await one.assembly.presence.stop();
    expect((await one.journal.instances()).map(({ instance }) => instance)).toEqual(['one']);
    await one.report('completed');
    await rig.settle();
    await one.assembly.presence.start();
    await one.assembly.presence.stop();
    expect(await one.journal.instances()).toEqual([]);
    await rig.expectNothingLeft();
  });

  it('adopts every call of a dead one, however many others are live', async () => {
    const rig = new Rig();
    const one = rig.open('one');
    const two = rig.open('two');
    const three = rig.open('three');
    await one.assembly.presence.start();
    await three.assembly.presence.start();
    await one.begin(callSid(1));
    await rig.clock.advance(1_000);
    for (let call = 2; call < 262; call++) await three.answer(callSid(call));
    one.dies();
    await two.assembly.presence.start();
    await rig.clock.advance(1_500);
    expect((await two.row(callSid(1)))?.owner).toBe('two');
    expect((await two.row(callSid(2)))?.owner).toBe('three');
    await two.assembly.presence.stop();
    await three.assembly.presence.stop();
  });

  it('goes on beating while an adoption takes long', async () => {
    const rig = new Rig();
    const one = rig.open('one');
    await one.assembly.presence.start();
    await one.begin();
    one.dies();
    const agent = rig.agent.load(() => new Promise(() => undefined));
    const two = rig.open('two', { agent });
    await two.assembly.presence.start();
    await rig.clock.advance(4_500);
    expect(two.assembly.registry.size).toBe(0);
    const beat = (await one.journal.instances()).find(({ instance }) => instance === 'two');
    expect(beat?.beatAgeMs).toBeLessThan(1_000);
    await rig.clock.advance(10_000);
    expect(await claims(two)).toContain('two orphan');
    expect(two.logged.join('')).toContain('the agent failed');
    await two.assembly.presence.stop();
  });

  it('looks at a log that cannot be folded once, and leaves nothing of it', async () => {
    const rig = new Rig();
    const one = rig.open('one');
    await one.assembly.presence.start();
    await one.begin(callSid(1));
    await one.begin(callSid(2));
    one.dies();
    const two = rig.open('two', {
      wrapJournal: (journal) => {
        const read = journal.read.bind(journal);
        journal.read = async (callId, options) => {
          const log = await read(callId, options);
          if (callId === callSid(1)) Object.assign(log.commits[1]?.entries[0] ?? {}, { type: 'no.such' });
          return log;
        };
        return journal;
      },
    });
    await two.assembly.presence.start();
    await rig.clock.advance(5_000);
    const troubles = two.logged.filter((line) => line.includes('could not be adopted'));
    expect(troubles).toHaveLength(1);
    expect(troubles[0]).toContain('log.invalid');
    expect(two.assembly.live.get(callSid(1))).toBeUndefined();
    expect((await two.row(callSid(2)))?.owner).toBe('two');
    await two.assembly.presence.stop();
  });

  it('that cannot beat says so, adopts nothing, and beats again as soon as it can', async () => {
    const rig = new Rig();
    const one = rig.open('one');
    await one.begin();
    one.dies();
    let isDown = true;
    const two = rig.open('two', {
      wrapJournal: (journal) => {
        const beat = journal.beat.bind(journal);
        journal.beat = (row) => (isDown ? Promise.reject(new Error('no space left')) : beat(row));
        return journal;
      },
    });
    await two.assembly.presence.start();
    await rig.clock.advance(3_000);
    expect(await claims(two)).toHaveLength(2);
    expect(two.logged.join('')).toContain('the journal did not take the beat');
    isDown = false;
    await rig.clock.advance(1_500);
    expect(await claims(two)).toHaveLength(3);
    await two.assembly.presence.stop();
  });
});

describe('a call that ended while it was about to be adopted', () => {
  it('gets no entry after its end', async () => {
    const rig = new Rig();
    const one = rig.open('one');
    const { line } = await one.begin();
    const two = rig.open('two', {
      wrapJournal: (journal) => {
        const list = journal.list.bind(journal);
        journal.list = async (query) => {
          const rows = await list(query);
          if (query.live) {
            line.drops();
            await one.report('completed');
            await new Promise((resolve) => setImmediate(resolve));
          }
          return rows;
        };
        return journal;
      },
    });
    await two.assembly.presence.start();
    await rig.clock.advance(2_500);
    expect((await two.types()).at(-1)).toBe('call.ended');
    await two.assembly.presence.stop();
    await rig.expectNothingLeft();
  });
});
