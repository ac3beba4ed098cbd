/** A process that is to stop: its calls go on elsewhere, or are told to wait until there is somebody again (Q1 to Q3, I2). */
import { describe, expect, it } from 'vitest';
import type { Answer } from '../../src/runtime/ports/carrier.ts';
import { callSid, type Process, type ProcessOptions, Rig } from './rig.ts';
import { StoppingProcess } from './support/stopping-process.ts';

const drainMs = 20_000;

/** Lines of these tests bring no audio. */
const settings = { starvedMs: 3_600_000 };

class Deploy {
  readonly rig = new Rig();

  async open(instance: string, options: ProcessOptions = {}) {
    const process = this.rig.open(instance, { settings, ...options });
    const service = new StoppingProcess(process, this.rig.clock);
    await process.assembly.presence.start();
    return { process, service };
  }

  advance(ms: number): Promise<void> {
    return this.rig.clock.advance(ms);
  }

  /** As Twilio does once the stream of a call has ended: it asks whoever listens, and follows. */
  async followsTo(process: Process, carrierCallId = callSid()): Promise<Answer> {
    expect(process.isListening).toBe(true);
    const answer = await process.askNext(carrierCallId);
    if (answer.do === 'connect') await process.connect(answer, carrierCallId);
    return answer;
  }

  async ends(...processes: Process[]): Promise<void> {
    for (const { assembly } of processes) await assembly.presence.stop();
  }
}

type Started = Awaited<ReturnType<Deploy['open']>>;

const claims = async (process: Process, callId = callSid()) =>
  (await process.entries(callId)).flatMap((entry) =>
    entry.type === 'owner.claimed' ? [`${entry.instance} ${entry.why}`] : [],
  );

const redirects = ({ control }: Process): string[] => control.redirected.map(({ do: done }) => done);

/** By REST, at once. */
async function expectBroughtBack(deploy: Deploy, next: Process): Promise<void> {
  expect((await claims(next)).at(-1)).toBe('one restarted');
  expect(redirects(next)).toEqual(['connect']);
  const [answer] = next.control.redirected;
  if (answer) await next.connect(answer);
  await deploy.advance(100);
}

/** The whole of a call that moves from one process to the other. */
async function expectMoved(deploy: Deploy, from: Process, to: Process): Promise<void> {
  const { steps } = from;
  const stepped = steps.length;
  await deploy.followsTo(to);
  await deploy.advance(2_500);
  expect((await claims(to)).at(-1)).toBe(`${to.instance} stream`);
  expect(to.value()).toMatchObject({
    live: { carrier: { streaming: 'steady' }, model: { ready: 'steady' } },
  });
  expect(to.model.session.request.history).toContainEqual({
    kind: 'speech',
    role: 'agent',
    text: 'Hello, this is the clerk.',
  });
  from.expectNothingLeft();
  // What it may still have seen of the call came before the claim.
  expect(steps.length - stepped).toBeLessThanOrEqual(2);
  expect(from.control.ended).toEqual([]);
}

describe('a process that is to stop, with another one that is ready', () => {
  async function twoProcesses() {
    const deploy = new Deploy();
    const one = await deploy.open('one');
    const two = await deploy.open('two');
    const { line } = await one.process.begin();
    const { session } = one.process.model;
    return { deploy, one, two, line, session };
  }

  it('stops listening, and moves a call at once where nobody speaks', async () => {
    const { deploy, one, two, line, session } = await twoProcesses();
    one.service.terminate(drainMs);
    await deploy.advance(5);
    expect(one.process.isListening).toBe(false);
    expect(line.isClosed).toBe(true);
    await expectMoved(deploy, one.process, two.process);
    expect(session.isClosed).toBe(true);
    expect(one.service.state).toBe('stopped');
    await deploy.ends(two.process);
  });

  it('listens no more before it lets go of the first call (Q1)', async () => {
    const { deploy, one, line } = await twoProcesses();
    const seen: boolean[] = [];
    const close = line.close.bind(line);
    line.close = () => {
      seen.push(one.process.isListening);
      close();
    };
    one.service.terminate(drainMs);
    await deploy.advance(5);
    expect(seen).toEqual([false]);
  });

  it('waits until the agent has been heard to the end', async () => {
    const { deploy, one, two, line, session } = await twoProcesses();
    session.says('reply2', 'A long story.', 4_000);
    await deploy.advance(100);
    one.service.terminate(drainMs);
    await deploy.advance(3_800);
    expect(line.isClosed).toBe(false);
    await deploy.advance(200);
    expect(line.isClosed).toBe(true);
    await expectMoved(deploy, one.process, two.process);
    const { history } = two.process.model.session.request;
    expect(history.at(-1)).toEqual({ kind: 'speech', role: 'agent', text: 'A long story.' });
    await deploy.ends(two.process);
  });

  it('waits for the caller, for the answer, and for a tool', async () => {
    const { deploy, one, two, line, session } = await twoProcesses();
    const gate = Promise.withResolvers<void>();
    deploy.rig.agent.gate = () => gate.promise;
    session.callerStarts('turn1');
    one.service.terminate(drainMs);
    await deploy.advance(500);
    session.callerStops('turn1', 'What is it?');
    await deploy.advance(500);
    session.startsReply('reply2');
    session.asksFor('tool1', 'look_up', { what: 'it' });
    session.finishes('reply2', false, 1);
    await deploy.advance(500);
    expect(line.isClosed).toBe(false);
    gate.resolve();
    await deploy.advance(100);
    session.says('reply3', 'It is this.', 500);
    await deploy.advance(300);
    expect(line.isClosed).toBe(false);
    await deploy.advance(300);
    expect(line.isClosed).toBe(true);
    await expectMoved(deploy, one.process, two.process);
    expect(deploy.rig.agent.runs).toHaveLength(1);
    await deploy.ends(two.process);
  });

  it('moves a call at the deadline whatever is being said, and goes on from what was heard', async () => {
    const { deploy, one, two, line, session } = await twoProcesses();
    session.startsReply('reply2');
    session.sends('reply2', 'item2', drainMs + 30_000);
    session.endsReply('reply2', 'item2', 'one two three four five');
    one.service.terminate(drainMs);
    await deploy.advance(drainMs - 10);
    expect(line.isClosed).toBe(false);
    await deploy.advance(20);
    expect(line.isClosed).toBe(true);
    await expectMoved(deploy, one.process, two.process);
    expect(two.process.model.session.request.history.at(-1)).toMatchObject({ text: 'one two' });
    expect(two.process.model.session.told.at(-1)).toContain('Go on from exactly there');
    await deploy.ends(two.process);
  });

  it('stops soon after the deadline even where nobody brings a call back, and the other one takes it up', async () => {
    const { deploy, one, two, line, session } = await twoProcesses();
    session.callerStarts('turn1');
    one.process.control.mood = 'isUnreachable';
    one.service.terminate(drainMs);
    await deploy.advance(drainMs + 3_000);
    expect(line.isClosed).toBe(true);
    expect(one.service.state).toBe('stopped');
    one.process.expectNothingLeft();
    await deploy.advance(1_500);
    expect((await claims(two.process)).at(-1)).toBe('two orphan');
    const [answer] = two.process.control.redirected;
    expect(answer).toMatchObject({ do: 'connect', attempt: 2 });
    if (answer) await two.process.connect(answer);
    await deploy.advance(100);
    expect(two.process.value()).toMatchObject({ live: { carrier: { streaming: 'steady' } } });
    expect(two.process.model.session.told.at(-1)).toContain('ask the caller to say it again');
    await deploy.ends(two.process);
  });

  it('moves each of many calls, and stops when the last one is gone', async () => {
    const deploy = new Deploy();
    const one = await deploy.open('one');
    const two = await deploy.open('two');
    const calls = [1, 2, 3].map(callSid);
    for (const call of calls) await one.process.begin(call);
    one.process.model.session.says('reply2', 'A long story.', 6_000);
    await deploy.advance(100);
    one.service.terminate(drainMs);
    await deploy.advance(5);
    for (const call of calls.slice(0, 2)) await deploy.followsTo(two.process, call);
    await deploy.advance(3_000);
    expect(one.service.state).toEqual({ draining: 'moving' });
    expect(one.process.assembly.registry.size).toBe(1);
    await deploy.advance(3_000);
    await deploy.followsTo(two.process, calls[2]);
    await deploy.advance(2_500);
    expect(one.service.state).toBe('stopped');
    expect(two.process.assembly.registry.size).toBe(3);
    await deploy.ends(two.process);
  });

  it('closes no stream whose log is not complete before it stops itself: it could not say that its caller is to wait', async () => {
    const lock = Promise.withResolvers<void>();
    let isLocked = false;
    const deploy = new Deploy();
    const one = await deploy.open('one', {
      beforeAppend: async () => {
        if (isLocked) await lock.promise;
        return 'store' as const;
      },
    });
    const two = await deploy.open('two');
    const { line } = await one.process.begin();
    isLocked = true;
    one.service.terminate(drainMs);
    await deploy.advance(drainMs + 2_900);
    expect(line.isClosed).toBe(false);
    lock.resolve();
    await deploy.advance(1_000);
    await expectMoved(deploy, one.process, two.process);
    await deploy.ends(two.process);
  });

  it('asks a call once for each of its streams (Q2)', async () => {
    const { deploy, one, session } = await twoProcesses();
    session.callerStarts('turn1');
    one.service.terminate(drainMs);
    await deploy.advance(5_000);
    const asked = (await one.process.entries()).filter(({ type }) => type === 'move.requested');
    expect(asked).toMatchObject([{ by: 'drain', withinMs: drainMs }]);
    await deploy.advance(20_000);
  });
});

describe('a process that is to stop, alone', () => {
  async function lonely(options: ProcessOptions = {}) {
    const deploy = new Deploy();
    const one = await deploy.open('one', options);
    const { line } = await one.process.begin();
    return { deploy, one, line, session: one.process.model.session };
  }

  it('keeps its calls until the deadline, and tells one that loses its stream before to wait', async () => {
    const { deploy, one, line } = await lonely();
    one.service.terminate(drainMs);
    await deploy.advance(5_000);
    expect(line.isClosed).toBe(false);
    expect(one.process.isListening).toBe(true);
    expect(await one.process.answer(callSid(2))).toEqual({ do: 'decline' });
    line.drops();
    expect(await deploy.followsTo(one.process)).toEqual({ do: 'wait', pauseMs: 30_000 });
    await deploy.advance(10);
    expect(one.service.state).toBe('stopped');
    one.process.expectNothingLeft();
  });

  it('then asks each once to let go of its stream, though the log takes its time (Q2)', async () => {
    let isSlow = false;
    const { deploy, one } = await lonely({
      beforeAppend: async () => {
        if (isSlow) await new Promise<void>((resolve) => deploy.rig.clock.setTimeout(resolve, 900));
        return 'store' as const;
      },
    });
    isSlow = true;
    one.service.terminate(drainMs);
    await deploy.advance(drainMs + 2_500);
    const asked = (await one.process.entries()).filter(({ type }) => type === 'move.requested');
    expect(asked).toMatchObject([{ by: 'drain', withinMs: 0 }]);
  });

  it.each([
    ['entries', false],
    ['entries and beats', true],
  ])(
    'then lets go of each in time though the journal takes no %s, and tells it to wait (Q3)',
    async (_, all) => {
      const lock = Promise.withResolvers<void>();
      const refuse = () => lock.promise.then(() => Promise.reject(new Error('locked')));
      let isLocked = false;
      const { deploy, one, line } = await lonely({
        beforeAppend: async () => {
          if (isLocked) await lock.promise;
          return 'store' as const;
        },
        wrapJournal: (journal) => {
          const beat = journal.beat.bind(journal);
          journal.beat = (row) => (isLocked && all ? refuse() : beat(row));
          return journal;
        },
      });
      isLocked = true;
      one.service.terminate(drainMs);
      await deploy.advance(drainMs + 990);
      expect(line.isClosed).toBe(false);
      await deploy.advance(270);
      expect(line.isClosed).toBe(true);
      expect(one.service.state).toEqual({ parting: 'lettingGo' });
      expect(await deploy.followsTo(one.process)).toEqual({ do: 'wait', pauseMs: 30_000 });
      await deploy.advance(1_800);
      expect(one.service.state).not.toEqual({ parting: 'lettingGo' });
      lock.resolve();
      await deploy.advance(100);
      expect(one.service.state).toBe('stopped');
      one.process.expectNothingLeft();
      expect(redirects(one.process)).toEqual([]);

      const next = await deploy.open('one');
      await deploy.advance(1_500);
      await expectBroughtBack(deploy, next.process);
      expect(next.process.value()).toMatchObject({ live: { carrier: { streaming: 'steady' } } });
      await deploy.ends(next.process);
    },
  );

  it('then tells each to wait, stops when all know, and the next process brings them back at once', async () => {
    const { deploy, one, line } = await lonely();
    one.service.terminate(drainMs);
    await deploy.advance(drainMs + 5);
    expect(line.isClosed).toBe(true);
    expect(one.service.state).toEqual({ parting: 'lettingGo' });
    expect(await deploy.followsTo(one.process)).toEqual({ do: 'wait', pauseMs: 30_000 });
    await deploy.advance(10);
    expect(one.service.state).toBe('stopped');
    one.process.expectNothingLeft();
    expect((await one.process.types()).filter((type) => type === 'stream.requested')).toEqual([]);

    await deploy.advance(8_000);
    const next = await deploy.open('one');
    await deploy.advance(100);
    await expectBroughtBack(deploy, next.process);
    expect(next.process.value()).toMatchObject({
      live: { carrier: { streaming: 'steady' }, model: { ready: 'steady' } },
    });
    expect(next.process.model.session.request.history).toHaveLength(1);
    await deploy.ends(next.process);
  });

  it('has nobody sent back to itself once it parts, though nobody asks: one request tells to wait', async () => {
    const { deploy, one } = await lonely();
    one.service.terminate(drainMs);
    await deploy.advance(drainMs + 1_900);
    expect(one.service.state).toEqual({ parting: 'lettingGo' });
    expect(redirects(one.process)).toEqual([]);
    await deploy.advance(1_100);
    expect(redirects(one.process)).toEqual(['wait']);
    expect(one.service.state).toBe('stopped');
    one.process.expectNothingLeft();
    expect(await one.process.row()).toMatchObject({ owner: 'one', endedAt: null });
  });

  it('keeps a call that has just lost its stream until it knows, and carries an end out', async () => {
    const deploy = new Deploy();
    const one = await deploy.open('one');
    const { line } = await one.process.begin(callSid(1));
    await one.process.begin(callSid(2));
    one.service.terminate(drainMs);
    await deploy.advance(drainMs - 500);
    line.drops();
    const hangUp = { entry: { type: 'hangUp.requested', by: 'operator' } } as const;
    await one.process.desk.report(callSid(2), hangUp, 'operator');
    one.process.model.session.says('bye', 'Goodbye!', 490);
    one.process.control.endCall = () => new Promise((resolve) => deploy.rig.clock.setTimeout(resolve, 1_000));
    await deploy.advance(510);
    expect(one.process.assembly.registry.get(callSid(1))).toBeDefined();
    expect(await deploy.followsTo(one.process, callSid(1))).toEqual({ do: 'wait', pauseMs: 30_000 });
    await deploy.advance(10);
    expect(one.process.assembly.registry.get(callSid(1))).toBeUndefined();
    expect(one.process.assembly.registry.get(callSid(2))).toBeDefined();
    await deploy.advance(1_000);
    expect(await one.process.row(callSid(2))).toMatchObject({ endReason: 'operator.hungUp' });
    expect(one.service.state).toBe('stopped');
    expect(await one.process.row(callSid(1))).toMatchObject({ owner: 'one', endedAt: null });
  });

  it('moves them as soon as another one becomes ready', async () => {
    const { deploy, one, line } = await lonely();
    one.service.terminate(drainMs);
    await deploy.advance(3_000);
    expect(line.isClosed).toBe(false);
    const two = await deploy.open('two');
    await deploy.advance(1_100);
    expect(line.isClosed).toBe(true);
    await expectMoved(deploy, one.process, two.process);
    await deploy.ends(two.process);
  });

  it('counts as alone beside one that is not ready', async () => {
    const { deploy, one, line } = await lonely();
    const two = await deploy.open('two');
    two.process.isReady = false;
    await deploy.advance(1_100);
    one.service.terminate(drainMs);
    await deploy.advance(3_000);
    expect(one.process.isListening).toBe(true);
    expect(line.isClosed).toBe(false);
    await deploy.ends(two.process);
  });

  it('has a call that loses its stream go on beside one that is not ready yet, until it can move there', async () => {
    const { deploy, one, line } = await lonely();
    const two = await deploy.open('two');
    two.process.isReady = false;
    await deploy.advance(1_100);
    one.service.terminate(drainMs);
    await deploy.advance(100);
    line.drops();
    expect(await deploy.followsTo(one.process)).toMatchObject({ do: 'connect', attempt: 2 });
    two.process.isReady = true;
    await deploy.advance(2_100);
    expect(one.process.isListening).toBe(false);
    await deploy.followsTo(two.process);
    await deploy.advance(2_500);
    expect((await claims(two.process)).at(-1)).toBe('two stream');
    expect(one.service.state).toBe('stopped');
    await deploy.ends(two.process);
  });

  it('knows who else is there: nobody yet, one that is not ready, one that is, one that stops, and nobody again', async () => {
    const { deploy, one } = await lonely();
    const { drain } = one.process.assembly;
    expect(drain.company).toBeNull();
    one.service.terminate(drainMs);
    await deploy.advance(100);
    expect(drain.company).toBe('none');
    const two = await deploy.open('two');
    two.process.isReady = false;
    await two.process.assembly.presence.announce();
    await deploy.advance(1_000);
    expect(drain.company).toBe('unready');
    two.process.isReady = true;
    await two.process.assembly.presence.announce();
    await deploy.advance(1_000);
    expect(drain.company).toBe('ready');
    two.process.isReady = false;
    await two.process.assembly.presence.announce();
    await deploy.advance(300);
    expect(drain.company).toBe('unready');
    two.process.dies();
    await deploy.advance(300);
    expect(drain.company).toBe('none');
  });

  it('counts as alone beside one that has just died', async () => {
    const { deploy, one, line } = await lonely();
    const two = await deploy.open('two');
    // By its call its row stays, as that of a process that was killed does.
    await two.process.begin(callSid(2));
    two.process.dies();
    one.service.terminate(drainMs);
    await deploy.advance(3_000);
    expect(one.process.isListening).toBe(true);
    expect(line.isClosed).toBe(false);
  });

  it('stops at once at the second request, and leaves its calls in the journal', async () => {
    const { deploy, one, line, session } = await lonely();
    one.service.terminate(drainMs);
    await deploy.advance(1_000);
    one.service.terminate(drainMs);
    await deploy.advance(5);
    expect(one.service.state).toBe('stopped');
    expect(line.isClosed).toBe(true);
    expect(session.isClosed).toBe(true);
    one.process.expectNothingLeft();
    expect(await one.process.row()).toMatchObject({ owner: 'one', endedAt: null });
    expect(await one.process.types()).not.toContain('move.requested');
  });

  it('does not move a call while the journal does not know that it is not ready', async () => {
    const deploy = new Deploy();
    let isDown = false;
    const one = await deploy.open('one', {
      wrapJournal: (journal) => {
        const beat = journal.beat.bind(journal);
        journal.beat = (row) => (isDown ? Promise.reject(new Error('no space left')) : beat(row));
        return journal;
      },
    });
    const two = await deploy.open('two');
    const { line } = await one.process.begin();
    isDown = true;
    one.service.terminate(drainMs);
    await deploy.advance(2_500);
    expect(line.isClosed).toBe(false);
    isDown = false;
    await deploy.advance(1_000);
    expect(line.isClosed).toBe(true);
    await expectMoved(deploy, one.process, two.process);
    await deploy.ends(two.process);
  });
});

/** What was there is gone; on one host the system tells so at once. */
const ways = {
  'is killed': (deploy: Deploy, { process }: Started) => {
    process.dies();
    return deploy.advance(0);
  },
  'is to stop, too': (deploy: Deploy, { service }: Started) => {
    service.terminate(drainMs);
    return deploy.advance(1);
  },
};

describe.each(Object.entries(ways))('a process that was counted on and %s', (_, goes) => {
  async function partsFrom(goesAfterMs: number) {
    const deploy = new Deploy();
    const one = await deploy.open('one');
    const two = await deploy.open('two');
    const { line } = await one.process.begin();
    one.process.model.session.says('reply2', 'A long story.', drainMs + 30_000);
    await deploy.advance(100);
    one.service.terminate(drainMs);
    await deploy.advance(1);
    expect(one.process.isListening).toBe(false);
    await deploy.advance(goesAfterMs);
    await goes(deploy, two);
    return { deploy, one, two, line };
  }

  /** It waits, its process stops, and whoever starts next has it: the call is the same. */
  async function expectWaited(deploy: Deploy, { process, service }: Started): Promise<void> {
    await deploy.advance(10);
    expect(service.state).toBe('stopped');
    process.expectNothingLeft();
    await deploy.advance(6_000);
    const next = await deploy.open('three');
    await deploy.advance(100);
    const [answer] = next.process.control.redirected;
    expect(answer).toMatchObject({ do: 'connect' });
    if (answer) await next.process.connect(answer);
    await deploy.advance(100);
    expect(next.process.value()).toMatchObject({ live: { carrier: { streaming: 'steady' } } });
    await deploy.ends(next.process);
  }

  it.each([0, 1_000, drainMs - 10])(
    'is counted on no more: %i ms later the door is open again before a stream is closed (Q4)',
    async (goesAfterMs) => {
      const { deploy, one, line } = await partsFrom(goesAfterMs);
      await deploy.advance(300);
      expect(one.process.isListening).toBe(true);
      expect(line.isClosed).toBe(goesAfterMs > 1_000);
      await deploy.advance(drainMs - goesAfterMs);
      expect(line.isClosed).toBe(true);
      expect(await deploy.followsTo(one.process)).toEqual({ do: 'wait', pauseMs: 30_000 });
      await expectWaited(deploy, one);
    },
  );

  it('may go just after a stream was closed: the door is open again before Twilio asks (Q4)', async () => {
    const { deploy, one, line } = await partsFrom(drainMs + 10);
    expect(line.isClosed).toBe(true);
    await deploy.advance(250);
    expect(await deploy.followsTo(one.process)).toEqual({ do: 'wait', pauseMs: 30_000 });
    await expectWaited(deploy, one);
  });

  it('may be gone when Twilio asks: it is told to wait by a request (Q4)', async () => {
    const { deploy, one, line } = await partsFrom(drainMs + 10);
    expect(line.isClosed).toBe(true);
    await deploy.advance(2_100);
    expect(one.process.control.redirected).toEqual([{ do: 'wait', pauseMs: 30_000 }]);
    await expectWaited(deploy, one);
  });
});

describe('two processes that are both to stop', () => {
  it.each([0, 300, 1_500])('never wait for each other: %i ms apart', async (apartMs) => {
    const deploy = new Deploy();
    const one = await deploy.open('one');
    const two = await deploy.open('two');
    await one.process.begin(callSid(1));
    await two.process.begin(callSid(2));
    for (const { process } of [one, two]) process.model.session.callerStarts('turn1');
    one.service.terminate(drainMs);
    await deploy.advance(apartMs);
    two.service.terminate(drainMs);
    await deploy.advance(3_000);
    // Somebody always listens.
    expect([one, two].filter(({ process }) => process.isListening).length).toBeGreaterThan(0);
    expect(two.process.isListening || apartMs === 0).toBe(true);

    for (const { process } of [one, two]) process.model.session.callerStops('turn1');
    await deploy.advance(drainMs + 10_000);
    expect([one.service.state, two.service.state]).toEqual(['stopped', 'stopped']);
    const next = await deploy.open('three');
    await deploy.advance(1_500);
    for (const call of [callSid(1), callSid(2)])
      expect((await claims(next.process, call)).at(-1)).toBe('three orphan');
    expect(redirects(next.process)).toContain('connect');
    await deploy.ends(next.process);
  });
});
