/**
 * Several hosts on one journal: an instance that dies, freezes or is cut off is noticed within a second, its calls are
 * adopted in fair shares, and a journal that is away makes nobody adopt anything.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InstanceRow, Journal } from '../../src/runtime/ports/journal.ts';
import { placeAmong } from '../../src/service/inheritance.ts';
import { Liveness } from '../../src/service/liveness.ts';
import { localPulse, pulseFor, sharedPulse } from '../../src/service/pulse.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';
import { ProcessClock } from '../simulation/process-clock.ts';
import { callSid, type Process, type ProcessOptions, Rig } from './rig.ts';
import type { FakeLine } from './support/fake-line.ts';

/** As PostgreSQL knows it: the session of a process ends with the process, and is not told from a frozen one's. */
class Fleet {
  readonly rig = new Rig();
  readonly disconnected = new Set<string>();
  readonly clocks = new Map<string, ProcessClock>();
  readonly processes: Process[] = [];
  /** Until when the journal answers nobody of an instance, on the monotonic clock. */
  readonly awayUntil = new Map<string, number>();

  async open(instance: string, options: ProcessOptions = {}): Promise<Process> {
    const clock = new ProcessClock(this.rig.clock, () => true);
    this.clocks.set(instance, clock);
    const process = this.rig.open(instance, {
      host: `host of ${instance}`,
      pulse: sharedPulse,
      clock,
      wrapJournal: (journal) => this.#wrap(instance, journal),
      ...options,
    });
    this.processes.push(process);
    void process.assembly.presence.start();
    return process;
  }

  /** Long enough for a verdict. */
  async settle(): Promise<void> {
    await this.rig.clock.advance(sharedPulse.steadyMs + 500);
  }

  kill(process: Process): void {
    process.dies();
    this.clocks.get(process.instance)?.die();
    this.disconnected.add(process.instance);
  }

  freeze(instance: string, forMs: number): void {
    const clock = this.clocks.get(instance);
    clock?.freeze();
    this.rig.clock.setTimeout(() => clock?.thaw(), forMs);
  }

  cutOff(instance: string, forMs: number): void {
    this.awayUntil.set(instance, this.rig.clock.monotonic() + forMs);
  }

  /** The caller is silent, which is audio as well. */
  keepsBringing(instance: string, line: FakeLine): void {
    this.clocks.get(instance)?.whenAwake(() => line.brings(100));
    if (!line.isOver) this.rig.clock.setTimeout(() => this.keepsBringing(instance, line), 100);
  }

  async closeAll(): Promise<void> {
    for (const { assembly } of this.processes) {
      assembly.registry.stop();
      assembly.live.releaseAll();
    }
    const stopped = Promise.all(this.processes.map(({ assembly }) => assembly.presence.stop()));
    await this.rig.clock.advance(10_000);
    await stopped;
  }

  #wrap(instance: string, journal: Journal): Journal {
    const { beat, instances, list } = journal;
    const reach = async (): Promise<void> => {
      const waitMs = (this.awayUntil.get(instance) ?? 0) - this.rig.clock.monotonic();
      if (waitMs > 0) await new Promise<void>((resolve) => this.rig.clock.setTimeout(resolve, waitMs));
    };
    return Object.assign(journal, {
      beat: async (row: Parameters<Journal['beat']>[0]) => {
        await reach();
        return await beat.call(journal, row);
      },
      list: async (query: Parameters<Journal['list']>[0]) => {
        await reach();
        return await list.call(journal, query);
      },
      instances: async (): Promise<InstanceRow[]> => {
        await reach();
        const rows = await instances.call(journal);
        return rows.map((row) => ({ ...row, isConnected: !this.disconnected.has(row.instance) }));
      },
    });
  }
}

const claimsOf = async (process: Process, callId = callSid()): Promise<string[]> =>
  (await process.entries(callId)).flatMap((entry) =>
    entry.type === 'owner.claimed' ? [`${entry.instance} ${entry.why}`] : [],
  );

const lostBy = (fleet: Fleet, instance: string): number =>
  fleet.processes.filter((process) => process.instance !== instance && process.assembly.registry.size > 0)
    .length;

describe('the calls of an instance on another host', () => {
  it('are adopted a grace after its death was noticed', async () => {
    const fleet = new Fleet();
    const one = await fleet.open('one');
    await fleet.open('two');
    await fleet.settle();
    await one.begin();
    fleet.kill(one);
    const diedAt = fleet.rig.clock.monotonic();
    await fleet.rig.clock.runUntil(() => lostBy(fleet, 'one') > 0, 5_000);
    const { missedAfterMs, beatEveryMs, graceMs } = sharedPulse;
    expect(fleet.rig.clock.monotonic() - diedAt).toBeLessThanOrEqual(
      missedAfterMs + graceMs + 2 * beatEveryMs,
    );
    await fleet.closeAll();
  });

  it('have the time in which Twilio asks for them again: a stream that comes at once finds no adopter', async () => {
    const fleet = new Fleet();
    const one = await fleet.open('one');
    const two = await fleet.open('two');
    const three = await fleet.open('three');
    await fleet.settle();
    await one.begin();
    fleet.kill(one);
    await fleet.rig.clock.advance(1_200);
    await three.connect(await two.askNext());
    await fleet.rig.clock.advance(5_000);
    expect(await claimsOf(two)).toEqual(['one created', 'one stream', 'three stream']);
    await fleet.closeAll();
  });

  it('stay with it where its session was lost and it goes on beating, as after a failover', async () => {
    const fleet = new Fleet();
    const one = await fleet.open('one');
    const two = await fleet.open('two');
    await fleet.settle();
    await one.begin();
    fleet.disconnected.add('one');
    await fleet.rig.clock.advance(20_000);
    expect(await claimsOf(two)).toEqual(['one created', 'one stream']);
    await fleet.closeAll();
  });

  it('stay with it over a pause that is shorter than the silence and the grace', async () => {
    const fleet = new Fleet();
    const one = await fleet.open('one');
    const two = await fleet.open('two');
    await fleet.settle();
    await one.begin();
    for (let pause = 0; pause < 5; pause++) {
      fleet.clocks.get('one')?.freeze();
      await fleet.rig.clock.advance(sharedPulse.silentAfterMs + sharedPulse.graceMs - 300);
      fleet.clocks.get('one')?.thaw();
      await fleet.rig.clock.advance(500);
    }
    expect(await claimsOf(two)).toEqual(['one created', 'one stream']);
    await fleet.closeAll();
  });

  it('are adopted where it is frozen, and what wakes performs and sends nothing more', async () => {
    const fleet = new Fleet();
    const one = await fleet.open('one');
    const two = await fleet.open('two');
    await fleet.settle();
    const { line } = await one.begin();
    one.model.session.says('reply1', 'This goes on for quite a while.', 8_000);
    await fleet.rig.clock.advance(500);
    fleet.clocks.get('one')?.freeze();
    const frozenAt = fleet.rig.clock.monotonic();
    await fleet.rig.clock.runUntil(() => two.assembly.registry.size > 0, 10_000);
    expect(fleet.rig.clock.monotonic() - frozenAt).toBeLessThanOrEqual(
      sharedPulse.silentAfterMs + sharedPulse.graceMs + 2 * sharedPulse.beatEveryMs,
    );
    const [asked, steps] = [one.control.asked.length, one.steps.length];
    // Twilio has not ended the old stream yet.
    fleet.clocks.get('one')?.thaw();
    const sentMs = line.sentMs;
    await fleet.rig.clock.advance(10);
    expect(one.assembly.registry.size).toBe(0);
    expect(line.isClosed).toBe(true);
    expect(line.sentMs - sentMs).toBeLessThanOrEqual(200);
    expect(one.control.asked).toHaveLength(asked);
    expect(one.steps.length - steps).toBeLessThanOrEqual(1);
    expect(one.model.openSessions).toHaveLength(0);
    const before = line.sentMs;
    await fleet.rig.clock.advance(5_000);
    expect(line.sentMs).toBe(before);
    await two.connect(await two.askNext());
    await fleet.rig.clock.advance(200);
    expect(two.value()).toMatchObject({ live: { carrier: { streaming: 'steady' } } });
    await fleet.closeAll();
  });

  it.each([
    ['was frozen', (fleet: Fleet) => fleet.freeze('one', 3_000)],
    ['was cut off from the journal', (fleet: Fleet) => fleet.cutOff('one', 3_000)],
  ])(
    'are looked at as soon as it is back, where it %s: nothing may happen in them that would meet the claim',
    async (_, strike) => {
      const fleet = new Fleet();
      const one = await fleet.open('one');
      const two = await fleet.open('two');
      await fleet.settle();
      const { line } = await one.begin();
      fleet.keepsBringing('one', line);
      await fleet.rig.clock.advance(1_000);
      const steps = one.steps.length;
      strike(fleet);
      await fleet.rig.clock.advance(2_900);
      expect(two.assembly.registry.size).toBe(1);
      expect(one.assembly.registry.size).toBe(1);
      await fleet.rig.clock.advance(101);
      expect(one.assembly.registry.size).toBe(0);
      expect(line.isClosed).toBe(true);
      expect(one.model.openSessions).toHaveLength(0);
      expect(one.steps).toHaveLength(steps);
      await fleet.closeAll();
    },
  );

  it.each([
    ['wrote meanwhile', true],
    ['was silent', false],
  ])(
    'are left alone by whoever was frozen in the middle of adopting them, where one %s',
    async (_, writes) => {
      const fleet = new Fleet();
      const one = await fleet.open('one');
      const gate = Promise.withResolvers<void>();
      let isGated = false;
      const two = await fleet.open('two', {
        wrapJournal: (journal) => {
          const { readPayloads } = journal;
          journal.readPayloads = async (callId) => {
            if (isGated) await gate.promise;
            return await readPayloads.call(journal, callId);
          };
          return journal;
        },
      });
      await fleet.settle();
      const { line } = await one.begin();
      isGated = true;
      fleet.clocks.get('one')?.freeze();
      await fleet.rig.clock.advance(3_000);
      fleet.clocks.get('one')?.thaw();
      for (let second = 0; second < 3; second++) {
        line.brings(1_000);
        await fleet.rig.clock.advance(writes && second === 0 ? 100 : 1_000);
        if (writes) one.model.session.callerStarts(`turn${second}`);
      }
      gate.resolve();
      await fleet.rig.clock.advance(500);
      expect(await claimsOf(one)).toEqual(['one created', 'one stream']);
      expect(two.assembly.registry.size).toBe(0);
      await fleet.closeAll();
    },
  );
});

describe('the heirs of a call', () => {
  const heir = fc.record({ instance: fc.string({ minLength: 1, maxLength: 8 }), ready: fc.boolean() });
  const heirs = fc.uniqueArray(heir, { minLength: 1, maxLength: 8, selector: ({ instance }) => instance });

  it('have one place each, and whoever is ready comes first', () => {
    fc.assert(
      fc.property(heirs, fc.string(), (all, callId) => {
        const order = all.toSorted(
          (one, other) => placeAmong(all, one.instance, callId) - placeAmong(all, other.instance, callId),
        );
        expect(order.map(({ instance }) => placeAmong(all, instance, callId))).toEqual(
          order.map((_, at) => at),
        );
        const ready = order.map((each) => each.ready);
        expect(ready).toEqual(ready.toSorted((one, other) => Number(other) - Number(one)));
      }),
    );
  });

  it('keep their order where one of them is not seen', () => {
    fc.assert(
      fc.property(heirs, fc.string(), fc.nat(), (all, callId, at) => {
        const unseen = all[at % all.length];
        const seen = all.filter((each) => each !== unseen);
        const ordered = (list: typeof all): string[] =>
          list
            .toSorted(
              (one, other) =>
                placeAmong(list, one.instance, callId) - placeAmong(list, other.instance, callId),
            )
            .map(({ instance }) => instance);
        expect(ordered(seen)).toEqual(ordered(all).filter((instance) => instance !== unseen?.instance));
      }),
    );
  });

  it('share evenly, each in its one round, and claim each call once', async () => {
    const fleet = new Fleet();
    const one = await fleet.open('one');
    const others = ['two', 'three', 'four', 'five'];
    for (const name of others) await fleet.open(name);
    await fleet.settle();
    const calls = Array.from({ length: 120 }, (_, index) => callSid(index + 1));
    for (const callId of calls) await one.answer(callId);
    fleet.kill(one);
    await fleet.rig.clock.advance(2_400);
    const sizes = fleet.processes.slice(1).map(({ assembly }) => assembly.registry.size);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(calls.length);
    // The fair share is 30; beyond these bounds lies one draw in a hundred thousand.
    expect(Math.min(...sizes)).toBeGreaterThan(10);
    expect(Math.max(...sizes)).toBeLessThan(52);
    for (const callId of calls) expect(await claimsOf(one, callId)).toHaveLength(2);
    await fleet.closeAll();
  });

  it('take what another should have adopted and does not, a turn later', async () => {
    const fleet = new Fleet();
    const one = await fleet.open('one');
    await fleet.open('two', { agent: fleet.rig.agent.load(() => new Promise(() => undefined)) });
    const three = await fleet.open('three');
    await fleet.settle();
    for (let call = 1; call <= 20; call++) await one.answer(callSid(call));
    fleet.kill(one);
    await fleet.rig.clock.advance(2_400);
    expect(three.assembly.registry.size).toBeLessThan(20);
    expect(three.assembly.registry.size).toBeGreaterThan(0);
    await fleet.rig.clock.advance(sharedPulse.turnMs + 500);
    expect(three.assembly.registry.size).toBe(20);
    await fleet.closeAll();
  });
});

interface Outage {
  forMs: number;
  /** Until it answers each of them again, beyond that. */
  awayMs: number[];
  /** Whether the engine has forgotten all sessions, as one that has failed over. */
  forgets: boolean;
}

describe('a journal that is away', () => {
  const drawn = fc.record({
    awayMs: fc.array(fc.integer({ min: 0, max: 2_000 }), { minLength: 4, maxLength: 4 }),
    forMs: fc.integer({ min: 0, max: 10_000 }),
    forgets: fc.boolean(),
  });
  // One that is too short for the beats, and forgets nobody, is an outage of those alone who come back late.
  const outage: fc.Arbitrary<Outage> = drawn.filter(
    ({ forMs, forgets }) => forgets || forMs > sharedPulse.missedAfterMs,
  );

  async function strike({ awayMs, forMs, forgets }: Outage): Promise<string[][]> {
    const fleet = new Fleet();
    const names = ['one', 'two', 'three', 'four'];
    for (const name of names) await fleet.open(name);
    await fleet.settle();
    for (const [index, process] of fleet.processes.entries()) await process.answer(callSid(index + 1));
    const now = fleet.rig.clock.monotonic();
    for (const [index, name] of names.entries())
      fleet.awayUntil.set(name, now + forMs + (awayMs[index] ?? 0));
    for (const name of forgets ? names : []) fleet.disconnected.add(name);
    await fleet.rig.clock.advance(forMs + 2_500);
    // A session is taken up again a moment after the first beat.
    fleet.disconnected.clear();
    await fleet.rig.clock.advance(10_000);
    const [one] = fleet.processes as [Process];
    const claims = await Promise.all(names.map((_, index) => claimsOf(one, callSid(index + 1))));
    await fleet.closeAll();
    return claims;
  }

  it('makes nobody adopt anything, however long and however late each comes back', async () => {
    const untouched = ['one', 'two', 'three', 'four'].map((name) => [`${name} created`]);
    await fc.assert(
      fc.asyncProperty(outage, async (struck) => {
        expect(await strike(struck)).toEqual(untouched);
      }),
      { numRuns: 25 },
    );
  });

  it('is no reason to leave the dead alone once it is back', async () => {
    const fleet = new Fleet();
    const one = await fleet.open('one');
    const two = await fleet.open('two');
    await fleet.settle();
    await one.answer();
    fleet.awayUntil.set('two', fleet.rig.clock.monotonic() + 3_000);
    fleet.kill(one);
    await fleet.rig.clock.advance(3_000 + sharedPulse.steadyMs + sharedPulse.graceMs + 500);
    expect(await claimsOf(two)).toEqual(['one created', 'two orphan']);
    await fleet.closeAll();
  });
});

describe('a process that has just started', () => {
  it('does not judge the silence of others before its own beats are going', async () => {
    const fleet = new Fleet();
    const one = await fleet.open('one');
    await fleet.settle();
    await one.answer();
    fleet.kill(one);
    await fleet.rig.clock.advance(60_000);
    const two = await fleet.open('two');
    await fleet.rig.clock.advance(sharedPulse.steadyMs - 100);
    expect(two.assembly.registry.size).toBe(0);
    await fleet.rig.clock.advance(sharedPulse.graceMs + 500);
    expect(two.assembly.registry.size).toBe(1);
    await fleet.closeAll();
  });
});

describe('a verdict', () => {
  it('falls within a second, whatever happened to the instance', async () => {
    const clock = new VirtualClock();
    const liveness = new Liveness({
      instance: 'ours',
      host: 'here',
      pulse: sharedPulse,
      clock,
      isProcessAlive: () => true,
      hasCalls: async () => false,
    });
    for (let beat = 0; beat < 20; beat++) {
      liveness.noteBeat(clock.monotonic(), clock.monotonic());
      await clock.advance(sharedPulse.beatEveryMs);
    }
    const row = { instance: 'other', pid: 1, host: 'there', ready: true, startedAt: 0, address: null };
    const isGone = async (beatAgeMs: number, isConnected: boolean | null): Promise<boolean> =>
      (await liveness.look([{ ...row, beatAgeMs, isConnected }], [])).gone.has('other');
    const latest = 1_000 - sharedPulse.beatEveryMs;
    expect(await isGone(latest, false)).toBe(true);
    expect(await isGone(latest, true)).toBe(true);
    expect(await isGone(latest, null)).toBe(true);
    expect(await isGone(2 * sharedPulse.beatEveryMs, false)).toBe(false);
  });

  it('takes as long as the journal needs it to', () => {
    expect(pulseFor('postgres://one,two/holdfast')).toBe(sharedPulse);
    expect(pulseFor('postgresql://one/holdfast')).toBe(sharedPulse);
    expect(pulseFor('sqlite:data/holdfast.db')).toBe(localPulse);
  });
});
