/**
 * A real balancer with the shipped configuration in front of three real processes on one journal: where calls go, and
 * that they go on. Each step goes on with what the one before it left.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it, type TestContext } from 'vitest';
import { Fleet, type InstanceName, instanceNames, type PlacedCall } from './fleet.ts';
import { needPrograms } from './programs.ts';
import type { BalancerName } from './shipped.ts';

const stepLimitMs = 60_000;
const callsLimit = 4;
const environment = { CALLS_LIMIT: String(callsLimit) };
const [first, second, third] = instanceNames;

const counted = (names: readonly (string | null)[]): Record<string, number> =>
  Object.fromEntries(
    Object.entries(Object.groupBy(names, String)).map(([name, all]) => [name, all?.length ?? 0]),
  );

/** Asks again until it holds; the test's own limit is the only one. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(50);
}

const streamsOf = ({ handle }: PlacedCall): number =>
  handle.events.filter(({ event }) => event === 'streamStarted').length;

const heardOf = ({ handle }: PlacedCall): string[] =>
  handle.events.flatMap((event) => (event.event === 'announced' ? [event.text] : []));

/** Nothing of its beginning is under way any more: its webhook, the claim of its stream, the callback about that. */
async function isSettled(fleet: Fleet, call: PlacedCall): Promise<boolean> {
  if (call.handle.hasEnded) return true;
  return call.handle.webhooks.length >= 2 && (await fleet.owners(call)).length >= 2;
}

async function untilSettled(fleet: Fleet, calls: readonly PlacedCall[]): Promise<void> {
  for (const call of calls) await until(() => isSettled(fleet, call));
}

async function settled(fleet: Fleet, calls: PlacedCall[]): Promise<PlacedCall[]> {
  await untilSettled(fleet, calls);
  return calls;
}

/** At once: Twilio need not ask twice. */
function expectBusy(call: PlacedCall): void {
  expect(heardOf(call)).toEqual([expect.stringContaining('all lines are busy')]);
  expect(call.handle.webhooks[0]).toMatchObject({ attempts: 1, outcome: { response: { status: 200 } } });
}

/** All calls of an instance. */
async function hangUpAt(fleet: Fleet, instance: InstanceName, calls: readonly PlacedCall[]): Promise<void> {
  const places = await fleet.placesOf(calls);
  for (const [index, { handle }] of calls.entries()) if (places[index] === instance) handle.hangUp();
  await until(async () => (await fleet.ready(instance)).headers.get('holdfast-load') === '0.00');
}

async function placeOf(fleet: Fleet, call: PlacedCall | undefined): Promise<InstanceName> {
  const [place] = await fleet.placesOf(call ? [call] : []);
  const name = instanceNames.find((instance) => instance === place);
  if (!name) throw new Error(`the call lives nowhere: ${place}`);
  return name;
}

/** One for each instance, each once the one before it has its stream. */
async function placeOneByOne(fleet: Fleet): Promise<PlacedCall[]> {
  const calls: PlacedCall[] = [];
  for (const _ of instanceNames) {
    calls.push(fleet.place());
    await untilSettled(fleet, calls);
  }
  return calls;
}

async function admissions(fleet: Fleet): Promise<(string | null)[]> {
  const answers = await Promise.all(instanceNames.map((name) => fleet.ready(name)));
  return answers.map(({ headers }) => headers.get('holdfast-admission'));
}

/** HAProxy asks once a second, and its second answer decides; nginx asks nobody beforehand. */
const untilSeenBy = (name: BalancerName) => sleep(name === 'haproxy' ? 1_800 : 0);

async function start(name: BalancerName): Promise<Fleet> {
  const fleet = await Fleet.open(name);
  try {
    // Whatever becomes of one: the others are to be there when the fleet is closed.
    const started = await Promise.allSettled(instanceNames.map((each) => fleet.start(each, environment)));
    for (const each of started) if (each.status === 'rejected') throw each.reason;
    await untilSeenBy(name);
    return fleet;
  } catch (error) {
    await fleet.close();
    throw error;
  }
}

export function tellStory(name: BalancerName): void {
  describe(`behind ${name}`, () => {
    let opening: Promise<Fleet> | null = null;
    // Where it did not open, the steps have said so.
    afterAll(async () => (await opening?.catch(() => null))?.close());

    /** Those that live from one step to the next. */
    let calls: PlacedCall[] = [];
    let killed: InstanceName = first;
    let drained: InstanceName = second;

    const step = (title: string, play: (fleet: Fleet) => Promise<void>): void =>
      it(
        title,
        async (context: TestContext) => {
          needPrograms(context, [name, 'openssl']);
          opening ??= start(name);
          await play(await opening);
        },
        stepLimitMs,
      );

    step('calls are spread, and each stream comes to the session that was opened for it', async (fleet) => {
      calls = await placeOneByOne(fleet);
      expect(counted(await fleet.placesOf(calls))).toEqual({ [first]: 1, [second]: 1, [third]: 1 });
      for (const call of calls) {
        const [created = ''] = await fleet.owners(call);
        expect(await fleet.owners(call)).toEqual([created, created.replace('created', 'stream')]);
        expect(fleet.sessionsOf(call)).toBe(1);
      }
    });

    step('whoever is full gets no new call, and where all are, the caller hears so', async (fleet) => {
      // All at once: whatever the balancer knows by then, nobody takes more than it may, and every place is taken.
      const room = instanceNames.length * callsLimit - calls.length;
      const crowd = Array.from({ length: room + 1 }, () => fleet.place());
      await untilSettled(fleet, crowd);
      const places = counted(await fleet.placesOf([...calls, ...crowd]));
      expect(places).toEqual({ [first]: callsLimit, [second]: callsLimit, [third]: callsLimit, null: 1 });
      expect(await admissions(fleet)).toEqual(['full', 'full', 'full']);
      expect(await fleet.metrics(third)).toMatch(/^holdfast_capacity_used_ratio 1$/m);

      // Once the balancer knows it, as before.
      await untilSeenBy(name);
      if (name === 'haproxy') expect(await fleet.balancer.serverStates()).toEqual(['NOLB', 'NOLB', 'NOLB']);
      const declined = [...crowd.filter(({ handle }) => handle.hasEnded), fleet.place()];
      await untilSettled(fleet, declined);
      declined.forEach(expectBusy);

      // Room in one of three: that one gets all there is.
      const all = [...calls, ...crowd];
      await hangUpAt(fleet, third, all);
      await untilSeenBy(name);
      const later = Array.from({ length: callsLimit }, () => fleet.place());
      await untilSettled(fleet, later);
      expect(counted(await fleet.placesOf(later))).toEqual({ [third]: callsLimit });
      for (const { handle } of [...all, ...later]) handle.hangUp();
      await until(async () => (await admissions(fleet)).every((admission) => admission === 'open'));
      await untilSeenBy(name);
    });

    step('a reload ends no stream, and the next call is taken', async (fleet) => {
      calls = await placeOneByOne(fleet);
      await fleet.balancer.reload();
      const next = fleet.place();
      await untilSettled(fleet, [next]);
      expect(heardOf(next)).toEqual([]);
      expect(calls.map(streamsOf)).toEqual(calls.map(() => 1));
      expect(fleet.balancer.hasOldProcess).toBe(true);
      next.handle.hangUp();
    });

    step('the calls of an instance that is killed go on in another one', async (fleet) => {
      killed = await placeOf(fleet, calls[0]);
      const places = await fleet.placesOf(calls);
      const lost = calls.filter((_, index) => places[index] === killed);
      fleet.service(killed).kill('SIGKILL');
      await until(() => lost.every((call) => streamsOf(call) === 2));
      await until(async () => (await fleet.placesOf(lost)).every((place) => place !== killed));
    });

    step('one that drains gets no new call, and its own move', async (fleet) => {
      drained = await placeOf(fleet, calls[0]);
      const service = fleet.service(drained);
      service.kill('SIGTERM');
      const isReady = async () =>
        (await fleet.journal.instances()).find(({ instance }) => instance === drained)?.ready;
      await until(async () => !(await isReady()));
      const next = fleet.place();
      await untilSettled(fleet, [next]);
      const left = instanceNames.find((instance) => instance !== killed && instance !== drained);
      expect(await fleet.owners(next)).toEqual([`created ${left}`, `stream ${left}`]);
      next.handle.hangUp();
      expect(await service.exited).toEqual({ code: 0, signal: null });
    });

    step('and its conversation goes on', async () => {
      // A question comes only after the whole answer to the one before, which shows that the memory is there.
      const [moved] = calls;
      const asked = moved?.party.said.length ?? 0;
      await until(() => moved?.party.isDone === true || (moved?.party.said.length ?? 0) >= asked + 2);
      expect(moved && streamsOf(moved)).toBeGreaterThanOrEqual(3);
    });

    step('one that is started again under its name gets calls and their streams', async (fleet) => {
      const there = [fleet.place(), fleet.place()];
      await untilSettled(fleet, there);
      await fleet.start(killed, environment);
      await untilSeenBy(name);
      // HAProxy counts streams, and the other one has two more; nginx goes round.
      const newer = await (name === 'haproxy' ? settled(fleet, [fleet.place()]) : placeOneByOne(fleet));
      const owners = await Promise.all(newer.map((call) => fleet.owners(call)));
      expect(owners).toContainEqual([`created ${killed}`, `stream ${killed}`]);
      expect(instanceNames.flatMap((instance) => fleet.service(instance).errors())).toEqual([]);
    });
  });
}
