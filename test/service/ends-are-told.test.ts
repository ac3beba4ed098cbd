/** `onCallEnded`: at least once for each call, by whichever process is there, and no call holds up another. */
import { describe, expect, it } from 'vitest';
import type { Journal } from '../../src/runtime/ports/journal.ts';
import { retryEveryMs, stopGraceMs, tellLimitMs } from '../../src/service/deliveries.ts';
import { localPulse } from '../../src/service/pulse.ts';
import { oddThrows } from '../support/odd-throws.ts';
import { callerNumber, callSid, type Process, Rig, shopNumber } from './rig.ts';

async function endCall(rig: Rig, process: Process, carrierCallId = callSid()): Promise<void> {
  await process.begin(carrierCallId);
  await process.report('completed', 'end', carrierCallId);
  await rig.settle();
}

describe('the end of a call', () => {
  it('is told once, with what was said and heard', async () => {
    const rig = new Rig();
    const process = rig.open();
    await process.begin();
    const { session } = process.model;
    session.callerStarts('turn1');
    session.callerStops('turn1', 'Tell me a story.');
    session.startsReply('reply2');
    session.sends('reply2', 'item2', 4_000);
    session.endsReply('reply2', 'item2', 'once upon a time there was a king who slept');
    await rig.clock.advance(2_050);
    session.callerStarts('turn2');
    await process.report('completed');
    await rig.clock.advance(100);
    expect(rig.agent.ends).toHaveLength(1);
    const [end] = rig.agent.ends;
    expect(end?.key).toBe(callSid());
    expect(end?.summary).toMatchObject({
      call: { callId: callSid(), direction: 'incoming', from: callerNumber, to: shopNumber },
      reason: 'caller.hungUp',
      turns: [
        { role: 'agent', text: 'Hello, this is the clerk.' },
        { role: 'caller', text: 'Tell me a story.' },
        { role: 'agent', text: 'once upon a time' },
      ],
    });
    expect(end?.summary.endedAt).toBeGreaterThan(end?.summary.startedAt ?? Number.NaN);
    process.assembly.deliveries.wake();
    await rig.settle();
    expect(rig.agent.ends).toHaveLength(1);
  });

  it('is told again where telling failed, until it succeeds', async () => {
    const rig = new Rig();
    let tries = 0;
    rig.agent.onEnd = () => {
      tries += 1;
      if (tries < 3) throw new Error('the database is down');
    };
    const process = rig.open();
    await endCall(rig, process);
    expect(tries).toBe(1);
    await rig.clock.advance(retryEveryMs);
    expect(tries).toBe(2);
    await rig.clock.advance(10 * retryEveryMs);
    expect(tries).toBe(3);
    expect(await process.journal.undelivered(10)).toEqual([]);
    await rig.expectNothingLeft();
  });

  it.each(oddThrows)('is told again whatever telling it threw: %s', async (_, make) => {
    const rig = new Rig();
    let tries = 0;
    rig.agent.onEnd = () => {
      tries += 1;
      if (tries === 1) throw make();
    };
    const process = rig.open();
    await endCall(rig, process);
    await rig.clock.advance(retryEveryMs);
    expect(tries).toBe(2);
    expect(await process.journal.undelivered(10)).toEqual([]);
  });

  it('is told by another process where the first one died over it', async () => {
    const rig = new Rig();
    rig.agent.onEnd = () => new Promise(() => undefined);
    const one = rig.open('one');
    await endCall(rig, one);
    one.dies();
    rig.agent.onEnd = () => undefined;
    const two = rig.open('two');
    two.assembly.deliveries.wake();
    await rig.settle();
    expect(rig.agent.ends.map(({ key }) => key)).toEqual([callSid(), callSid()]);
    expect(await two.journal.undelivered(10)).toEqual([]);
  });

  const survivors = [
    ['killed', 1],
    ['killed', 3],
    ['stopped before it could tell', 1],
    ['stopped before it could tell', 3],
  ] as const;

  it.each(survivors)(
    'is told once more and soon where its process is %s and %i others are there',
    async (how, count) => {
      const rig = new Rig();
      rig.agent.onEnd = () => new Promise(() => undefined);
      const pause = () => new Promise<void>((resolve) => rig.clock.setTimeout(resolve, 500));
      // So slow that all of them see the row of the dead one.
      const wrapJournal = (journal: Journal): Journal => {
        const forget = journal.forget.bind(journal);
        journal.forget = (instance) => pause().then(() => forget(instance));
        return journal;
      };
      const others = Array.from({ length: count }, (_, index) => rig.open(`other ${index}`, { wrapJournal }));
      const one = rig.open('one');
      for (const process of [...others, one]) await process.assembly.presence.start();
      await endCall(rig, one);
      // Whoever is killed takes no leave.
      if (how === 'killed') one.journal.forget = async () => undefined;
      one.dies();
      rig.agent.onEnd = pause;
      await rig.clock.advance(2 * localPulse.beatEveryMs);
      expect(rig.agent.ends).toHaveLength(2);
      await rig.clock.advance(count * localPulse.turnMs);
      expect(rig.agent.ends).toHaveLength(2);
      expect(await one.journal.undelivered(10)).toEqual([]);
      expect((await one.journal.instances()).map(({ instance }) => instance)).not.toContain('one');
      await Promise.all([...others.map((process) => process.exits()), rig.clock.advance(stopGraceMs)]);
      expect(await one.journal.instances()).toEqual([]);
    },
  );

  it('of which nobody died is not looked for', async () => {
    const rig = new Rig();
    let looks = 0;
    const process = rig.open('one', {
      wrapJournal: (journal): Journal => {
        const undelivered = journal.undelivered.bind(journal);
        journal.undelivered = (limit) => {
          looks += 1;
          return undelivered(limit);
        };
        return journal;
      },
    });
    await process.assembly.presence.start();
    await rig.open('two').assembly.presence.start();
    await rig.clock.advance(60_000);
    expect(looks).toBe(0);
  });

  it('is told later where the agent of the call cannot be had now', async () => {
    const rig = new Rig();
    let isDown = false;
    const agent = rig.agent.load(() => {
      if (isDown) throw new Error('the directory of tenants is down');
      return rig.agent.definition;
    });
    const process = rig.open('one', { agent });
    await process.begin();
    isDown = true;
    await process.report('completed');
    await rig.clock.advance(100);
    expect(rig.agent.ends).toEqual([]);
    expect(await process.journal.undelivered(10)).toHaveLength(1);
    isDown = false;
    await rig.clock.advance(retryEveryMs);
    expect(rig.agent.ends).toHaveLength(1);
  });

  it('is told though telling the ends of many calls before it always fails or hangs', async () => {
    const rig = new Rig();
    const told = new Set<string>();
    rig.agent.onEnd = () => {
      const key = rig.agent.ends.at(-1)?.key ?? '';
      const number = Number(key.slice(2));
      if (number === 100) told.add(key);
      else if (number % 2 === 0) throw new Error('never');
      else return new Promise(() => undefined);
    };
    const process = rig.open();
    for (let number = 1; number <= 30; number++) {
      await process.answer(callSid(number));
      await process.report('completed', 'end', callSid(number));
      await rig.settle();
    }
    await rig.clock.advance(2 * tellLimitMs);
    await process.answer(callSid(100));
    await process.report('completed', 'end', callSid(100));
    await rig.clock.advance(2 * tellLimitMs);
    expect([...told]).toEqual([callSid(100)]);
    expect(await process.journal.undelivered(50)).toHaveLength(30);
    expect(process.logged.join('')).toContain('the end of a call could not be told');
    const stopped = process.assembly.deliveries.stop();
    await rig.clock.advance(stopGraceMs);
    await stopped;
    expect(process.timers.size).toBe(0);
  });

  it('that was told by another process is not told again, and its failure is forgotten', async () => {
    const rig = new Rig();
    rig.agent.onEnd = () => {
      throw new Error('down');
    };
    const one = rig.open('one');
    await endCall(rig, one);
    rig.agent.onEnd = () => undefined;
    const two = rig.open('two');
    two.assembly.deliveries.wake();
    await rig.settle();
    expect(rig.agent.ends).toHaveLength(2);
    await rig.clock.advance(retryEveryMs);
    expect(rig.agent.ends).toHaveLength(2);
    await rig.expectNothingLeft();
  });

  it('is told later where the journal does not say which calls have ended', async () => {
    const rig = new Rig();
    let isDown = true;
    const wrapJournal = (journal: Journal): Journal => {
      const undelivered = journal.undelivered.bind(journal);
      journal.undelivered = (limit) => (isDown ? Promise.reject(new Error('locked')) : undelivered(limit));
      return journal;
    };
    const process = rig.open('one', { wrapJournal });
    await endCall(rig, process);
    await rig.clock.advance(2_000);
    expect(rig.agent.ends).toEqual([]);
    isDown = false;
    await rig.clock.advance(retryEveryMs);
    expect(rig.agent.ends).toHaveLength(1);
    await rig.expectNothingLeft();
  });

  it('of many calls is told in one go', async () => {
    const rig = new Rig();
    const process = rig.open();
    process.assembly.deliveries.stop();
    for (let number = 1; number <= 45; number++) {
      await process.answer(callSid(number));
      await process.report('completed', 'end', callSid(number));
    }
    await rig.settle();
    expect(rig.agent.ends).toEqual([]);
    const next = rig.open('two');
    next.assembly.deliveries.wake();
    await rig.settle();
    expect(new Set(rig.agent.ends.map(({ key }) => key)).size).toBe(45);
    expect(rig.agent.ends).toHaveLength(45);
  });
});

describe('a process that stops', () => {
  it('tells the ends that it has begun to tell, and waits for them', async () => {
    const rig = new Rig();
    const written = Promise.withResolvers<void>();
    rig.agent.onEnd = () => written.promise;
    const process = rig.open();
    await endCall(rig, process);
    const stopped = process.assembly.deliveries.stop();
    written.resolve();
    await stopped;
    expect(await process.journal.undelivered(10)).toEqual([]);
    await rig.expectNothingLeft();
  });

  it('does not wait for ever, and leaves the end to the next process', async () => {
    const rig = new Rig();
    rig.agent.onEnd = () => new Promise(() => undefined);
    const process = rig.open();
    await endCall(rig, process);
    const stopped = process.assembly.deliveries.stop();
    await rig.clock.advance(stopGraceMs);
    await stopped;
    expect(await process.journal.undelivered(10)).toHaveLength(1);
    await rig.expectNothingLeft();
  });

  it('leaves no timer, though several ends could not be told', async () => {
    const rig = new Rig();
    rig.agent.onEnd = () => {
      throw new Error('down');
    };
    const process = rig.open();
    for (let number = 1; number <= 3; number++) await endCall(rig, process, callSid(number));
    expect(process.timers.size).toBe(1);
    await process.assembly.deliveries.stop();
    await rig.expectNothingLeft();
  });
});
