/**
 * I4, I9 and I2 as properties: whatever lines, models, webhooks and processes do in whatever order, nothing throws, the
 * log is whole, memory is bounded, and after the end nothing is left.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bytesPerMs } from '../../src/media/mulaw.ts';
import { replay } from '../../src/runtime/history.ts';
import type { Answer } from '../../src/runtime/ports/carrier.ts';
import { mintStreamToken } from '../../src/runtime/stream-token.ts';
import { callSid, type Process, Rig } from './rig.ts';
import type { FakeSession } from './support/fake-model.ts';

const numRuns = Number(process.env.SERVICE_RUNS ?? 60);

/** Ring, reply queue and their blocks: `BridgeSettings` and I9 of `src/media/bridge.ts`. */
const mostHeldBytes = 40_000 * bytesPerMs + 64_000;

type Event = [name: keyof typeof events, pick: number];

class World {
  readonly rig = new Rig();
  readonly answers: Answer[] = [];
  processes: Process[] = [];
  #opened = 0;
  #names = 0;

  open(): void {
    this.#opened += 1;
    const process = this.rig.open(`process${this.#opened}`, { settings: { modelTries: 3 } });
    process.control.status = 'in-progress';
    this.processes.push(process);
    void process.assembly.presence.start();
  }

  pick<Item>(items: readonly Item[], pick: number): Item | undefined {
    return items.length === 0 ? undefined : items[pick % items.length];
  }

  process(pick: number): Process {
    return this.pick(this.processes, pick) as Process;
  }

  session(pick: number): FakeSession | undefined {
    return this.pick(
      this.processes.flatMap(({ model }) => model.sessions.slice(-2)),
      pick,
    );
  }

  name(kind: string): string {
    this.#names += 1;
    return `${kind}${this.#names % 7}`;
  }
}

const noAnswer = (): null => null;

/** What may happen. `pick` chooses among processes, lines and sessions. */
const events = {
  webhook: async (world: World, pick: number) => {
    world.answers.push(await world.process(pick).answer());
  },
  webhookTwice: async (world: World, pick: number) => {
    world.answers.push(...(await Promise.all([0, 1].map((next) => world.process(pick + next).answer()))));
  },
  continue: async (world: World, pick: number) => {
    const answer = await world.process(pick).askNext().catch(noAnswer);
    if (answer) world.answers.push(answer);
  },
  stream: async (world: World, pick: number) => {
    const answer = world.pick(world.answers.slice(-3), pick);
    if (answer?.do === 'connect') await world.process(pick).connect(answer).catch(noAnswer);
  },
  streamTwice: async (world: World, pick: number) => {
    const answer = world.answers.at(-1);
    if (answer?.do !== 'connect') return;
    await Promise.all(
      [0, 1].map((next) =>
        world
          .process(pick + next)
          .connect(answer)
          .catch(noAnswer),
      ),
    );
  },
  forgedStream: async (world: World, pick: number) => {
    const expiresAt = world.rig.clock.now() + 10_000;
    const token = mintStreamToken('forged', { callId: callSid(), attempt: (pick % 3) + 1, expiresAt });
    const line = world.rig.line();
    expect(await world.process(pick).desk.admitStream({ carrierCallId: callSid(), token, line })).toBeNull();
    line.isRefused();
  },
  audio: (world: World, pick: number) => world.pick(world.rig.lines, pick)?.brings((pick % 50) * 100),
  lineStops: (world: World, pick: number) => world.pick(world.rig.lines, pick)?.stops(),
  lineDrops: (world: World, pick: number) => world.pick(world.rig.lines, pick)?.drops(),
  lineGoesDeaf: (world: World, pick: number) => {
    const line = world.pick(world.rig.lines, pick);
    if (line) line.echoesMarks = false;
  },
  strangeSignal: (world: World, pick: number) =>
    world.session(pick)?.signal({ type: 'caller.startedSpeaking', itemId: 'x'.repeat(300) }),
  callerStarts: (world: World, pick: number) => world.session(pick)?.callerStarts(world.name('turn')),
  callerStops: (world: World, pick: number) =>
    world.session(pick)?.callerStops(world.name('turn'), pick % 2 ? 'words' : undefined),
  says: (world: World, pick: number) =>
    world.session(pick)?.says(world.name('reply'), 'some words', (pick % 40) * 100),
  replyBegins: (world: World, pick: number) => world.session(pick)?.startsReply(world.name('reply')),
  replyAudio: (world: World, pick: number) =>
    world.session(pick)?.sends(world.name('reply'), world.name('item'), (pick % 60) * 200),
  replyEnds: (world: World, pick: number) =>
    world.session(pick)?.endsReply(world.name('reply'), world.name('item'), 'words'),
  emptyReply: (world: World, pick: number) => world.session(pick)?.finishes(world.name('reply'), false),
  tool: (world: World, pick: number) => {
    const tools = ['look_up', 'note_down', 'order', 'hang_up', 'no_such_tool'];
    const name = world.pick(tools, pick) ?? '';
    world.session(pick)?.asksFor(world.name('tool'), name, { what: 'it' }, 'once');
  },
  toolsHang: (world: World, pick: number) => {
    world.rig.agent.gate = pick % 2 ? () => new Promise(() => undefined) : () => undefined;
  },
  modelDrops: (world: World, pick: number) => world.session(pick)?.loses(),
  modelRefuses: (world: World, pick: number) => {
    world.process(pick).model.next = pick % 4 === 0 ? 'isRefused' : pick % 4 === 1 ? 'isSilent' : 'opens';
  },
  carrierFails: (world: World, pick: number) => {
    world.process(pick).control.mood = pick % 2 ? 'isUnreachable' : 'answers';
  },
  operatorHangsUp: async (world: World, pick: number) => {
    const entry = { type: 'hangUp.requested', by: 'operator' } as const;
    await world.process(pick).desk.report(callSid(), { entry }, `operator${pick}`).catch(noAnswer);
  },
  processDies: (world: World, pick: number) => {
    const [dead] = world.processes.splice(pick % world.processes.length, 1);
    dead?.dies();
    for (const line of world.rig.lines) line.drops();
    world.open();
  },
  time: (world: World, pick: number) => world.rig.clock.advance((pick % 100) * 100),
} satisfies Record<string, (world: World, pick: number) => unknown>;

async function checkLogs(world: World): Promise<void> {
  const [process] = world.processes;
  if (!process) return;
  const entries = await process.entries();
  if (entries.length === 0) return;
  expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index + 1));
  expect(entries.at(-1)?.type).toBe('call.ended');
  expect((await replay(process.journal, callSid())).filter(({ matches }) => !matches)).toEqual([]);
  expect(await process.row()).toMatchObject({ owner: null, endReason: expect.any(String) });
}

/** Our own faults, as opposed to those of the agent, the model and the journal that were asked for. */
const ourFaults = (process: Process): string[] =>
  process.logged.filter(
    (line) =>
      /command|could not be followed|could not be shown/.test(line) || line.includes('"level":"fatal"'),
  );

it('nothing throws, and nothing is left', async () => {
  const names = Object.keys(events) as (keyof typeof events)[];
  const event = fc.tuple(fc.constantFrom(...names), fc.nat(1_000)) as fc.Arbitrary<Event>;
  const script = fc.array(event, { minLength: 5, maxLength: 60 });
  const run = async (happenings: Event[]): Promise<void> => {
    const world = new World();
    const { rig } = world;
    world.open();
    world.open();
    await events.webhook(world, 0);
    await events.stream(world, 0);
    for (const [name, pick] of happenings) {
      await events[name](world, pick);
      await rig.settle();
      const parts = world.processes.flatMap(({ assembly }) => assembly.live.get(callSid()) ?? []);
      for (const { bridge } of parts) expect(bridge.quality().heldBytes).toBeLessThan(mostHeldBytes);
    }
    for (const process of world.processes) {
      process.control.mood = 'answers';
      process.control.status = 'completed';
    }
    await world.process(0).report('completed').catch(noAnswer);
    await rig.clock.advance(180_000);
    for (const { assembly } of world.processes) {
      const stopped = Promise.all([assembly.presence.stop(), assembly.deliveries.stop()]);
      await rig.clock.advance(10_000);
      await stopped;
    }
    await checkLogs(world);
    for (const process of world.processes) expect(ourFaults(process)).toEqual([]);
    await rig.expectNothingLeft();
  };
  await fc.assert(fc.asyncProperty(script, run), { numRuns });
});
