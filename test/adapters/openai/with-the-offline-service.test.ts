/** The adapter against the offline Realtime service: in memory under a virtual clock, and over real sockets. */
import { afterEach, describe, expect, it } from 'vitest';
import { createOpenAiModel } from '../../../src/adapters/openai/model.ts';
import type { Oddity } from '../../../src/adapters/openai/oddity.ts';
import { encodeMulaw } from '../../../src/media/mulaw.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { openWebSocket } from '../../../src/platform/websocket.ts';
import type { ModelRequest, ModelSession } from '../../../src/runtime/ports/model.ts';
import type { Fault, InBandReason } from '../../../src/twin/openai/faults.ts';
import { connectInMemory, type InMemoryTwin } from '../../../src/twin/openai/memory-connection.ts';
import { scriptedBrain } from '../../../src/twin/openai/scripted-brain.ts';
import { type OpenAiTwin, startOpenAiTwin } from '../../../src/twin/openai/server.ts';
import type { TwinSession } from '../../../src/twin/openai/twin-session.ts';
import { VirtualClock } from '../../../src/twin/virtual-clock.ts';
import { apiKey, Ear, plainRequest } from './started-session.ts';

const brain = scriptedBrain({
  greeting: { say: [{ text: 'Welcome. How can I help?', lengthMs: 2_000 }] },
  turns: [
    {
      caller: 'What is the weather in London?',
      reply: {
        say: [{ text: 'Let me look.', lengthMs: 800 }],
        calls: [
          { name: 'get_weather', arguments: { city: 'London' } },
          { name: 'book_table', arguments: {} },
        ],
        afterResult: { say: [{ text: 'It is foggy in London today.', lengthMs: 4_000 }] },
      },
    },
    { caller: 'And in Paris?', reply: { say: [{ text: 'The sun shines in Paris.', lengthMs: 2_000 }] } },
  ],
});

interface World {
  clock: VirtualClock;
  twin: InMemoryTwin;
  ear: Ear;
  oddities: Oddity[];
  session: ModelSession;
  /** The far side of the session. */
  far: TwinSession;
}

async function meet(request: Partial<ModelRequest> = {}, faults: readonly Fault[] = []): Promise<World> {
  const clock = new VirtualClock();
  const twin = connectInMemory({ clock, brain, delayMs: 20, faults: () => faults });
  const { openSocket } = twin;
  const ear = new Ear();
  const oddities: Oddity[] = [];
  const model = createOpenAiModel({
    url: 'ws://twin.test/v1/realtime',
    model: 'gpt-realtime-2.1',
    apiKey,
    clock,
    random: () => 0.5,
    openSocket,
    count: (oddity) => oddities.push(oddity),
  });
  const session = model.open({ ...plainRequest, ...request }, ear);
  await clock.advance(200);
  return { clock, twin, ear, oddities, session, far: twin.sessions[0] as TwinSession };
}

/** A burst of noise in mu-law: what a voice is to a detector of energy. The noise is the same every time. */
function noiseBurst(lengthMs: number): Buffer {
  let state = 1;
  const audio = Uint8Array.from({ length: lengthMs * 8 }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return encodeMulaw((state % 16_000) - 8_000);
  });
  return Buffer.from(audio);
}

/** Sends audio as a phone does: 20 ms every 20 ms. */
async function play({ clock, session }: World, audio: Buffer): Promise<void> {
  for (let at = 0; at < audio.length; at += 160) {
    session.appendAudio(audio.subarray(at, at + 160));
    await clock.advance(20);
  }
}

const silence = (lengthMs: number): Buffer => Buffer.alloc(lengthMs * 8, 0xff);

async function speak(world: World): Promise<void> {
  await play(world, noiseBurst(900));
  await play(world, silence(600));
}

const finished =
  ({ ear }: World, count: number) =>
  (): boolean =>
    ear.entriesOf('reply.finished').length === count;

const audioOf = ({ ear }: World): Buffer =>
  Buffer.concat(ear.heard.flatMap((one) => (one.heard === 'audio' ? [one.audio] : [])));

/** A transcript that is still coming is signalled as far as it has come: here only its end counts. */
const withoutRepetition = (types: readonly string[]): string[] =>
  types.filter((type, index) => type !== 'reply.transcribed' || types.lastIndexOf(type) === index);

describe('in memory', () => {
  it('opens with the phone format both ways and greets', async () => {
    const world = await meet();
    const { clock, ear, far, session, oddities } = world;
    expect(ear.order).toEqual(['model.opened']);
    const opened = ear.entriesOf('model.opened')[0];
    expect(opened?.sessionId).toBe(far.id);
    expect(Math.abs((opened?.expiresAt ?? 0) - clock.now() - 3_600_000)).toBeLessThan(2_000);
    expect(far.settings.audio.input.format).toEqual({ type: 'audio/pcmu' });
    session.createReply(null);
    expect(await clock.runUntil(finished(world, 1), 10_000)).toBe(true);
    expect(audioOf(world)).toHaveLength(2_000 * 8);
    expect(ear.payloadsOf('reply.transcribed').at(-1)).toEqual({ transcript: 'Welcome. How can I help?' });
    expect(ear.order.slice(-3)).toEqual(['reply.transcribed', 'replyEnded', 'reply.finished']);
    expect(ear.entriesOf('reply.finished')[0]).toMatchObject({
      status: 'completed',
      voiced: true,
      toolCalls: 0,
    });
    expect(ear.entriesOf('reply.finished')[0]?.usage?.outputAudioTokens).toBeGreaterThan(0);
    expect(oddities).toEqual([]);
  });

  it('spares the answer to a turn that was delivered at once, together with a request that it overtook', async () => {
    const world = await meet();
    const { clock, ear, session } = world;
    ear.react = ({ type }) => type === 'caller.startedSpeaking' && session.cancelReply();
    session.appendAudio(Buffer.concat([noiseBurst(900), silence(600)]));
    session.createReply(null);
    expect(await clock.runUntil(finished(world, 1), 10_000)).toBe(true);
    expect(ear.entriesOf('reply.finished')[0]).toMatchObject({ status: 'completed', voiced: true });
  });

  it('takes a spoken turn through its tools to the answer', async () => {
    const world = await meet();
    const { clock, ear, session, far, oddities } = world;
    await speak(world);
    expect(await clock.runUntil(finished(world, 1), 10_000)).toBe(true);
    await clock.advance(1_000);
    const order = ear.order.filter((type) => type !== 'audio' && type !== 'caller.transcribed');
    expect(withoutRepetition(order)).toEqual([
      'model.opened',
      'caller.startedSpeaking',
      'turnEnded',
      'caller.stoppedSpeaking',
      'reply.started',
      'itemEnded',
      'reply.transcribed',
      'tool.requested',
      'tool.requested',
      'replyEnded',
      'reply.finished',
    ]);
    expect(ear.payloadsOf('caller.transcribed')).toEqual([{ transcript: 'What is the weather in London?' }]);
    // They are made side by side: which one ends first is the service's affair.
    const given = ear.payloadsOf('tool.requested').map((payloads) => payloads.arguments);
    expect(given.toSorted()).toEqual(['{"city":"London"}', '{}']);
    expect(ear.entriesOf('reply.finished')[0]).toMatchObject({ voiced: true, toolCalls: 2 });

    for (const { toolCallId } of ear.entriesOf('tool.requested')) session.sendToolResult(toolCallId, 'fog');
    session.createReply(null);
    expect(await clock.runUntil(finished(world, 2), 10_000)).toBe(true);
    expect(ear.payloadsOf('reply.transcribed').at(-1)).toEqual({
      transcript: 'It is foggy in London today.',
    });
    expect(far.received.map(({ type }) => type)).toEqual([
      'session.update',
      'session.update',
      'conversation.item.create',
      'conversation.item.create',
      'response.create',
    ]);
    expect(oddities).toEqual([]);
  });

  it('tells the model how far an interrupted reply was heard, when all of it had come', async () => {
    const world = await meet();
    const { clock, ear, session, far, oddities } = world;
    session.createReply(null);
    await clock.runUntil(finished(world, 1), 10_000);
    ear.react = (entry) => {
      if (entry.type !== 'caller.startedSpeaking') return;
      session.cancelReply();
      session.truncate(itemId, 1_234.5);
    };
    const itemId = ear.entriesOf('reply.transcribed')[0]?.itemId ?? '';
    await speak(world);
    await clock.advance(100);
    expect(far.received.filter(({ type }) => type.startsWith('conversation.item'))).toEqual([
      { type: 'conversation.item.truncate', item_id: itemId, content_index: 0, audio_end_ms: 1_234 },
    ]);
    expect(far.received.filter(({ type }) => type === 'response.cancel')).toEqual([]);
    expect(oddities).toEqual([]);
  });

  it('leaves cancelling to the service where the caller speaks into a reply', async () => {
    const world = await meet();
    const { clock, ear, session, far, oddities } = world;
    session.createReply(null);
    await clock.runUntil(() => ear.order.includes('audio'), 10_000);
    ear.react = (entry) => {
      if (entry.type === 'caller.startedSpeaking') session.cancelReply();
    };
    for (let at = 0; at < 20; at++) session.appendAudio(noiseBurst(20));
    expect(await clock.runUntil(finished(world, 1), 10_000)).toBe(true);
    expect(ear.entriesOf('reply.finished')[0]).toMatchObject({ status: 'cancelled', cause: 'turn_detected' });
    expect(ear.order.slice(-4)).toEqual(['itemEnded', 'reply.transcribed', 'replyEnded', 'reply.finished']);
    expect(far.received.filter(({ type }) => type === 'response.cancel')).toEqual([]);
    expect(oddities).toEqual([]);
  });

  it('cancels a reply that nobody spoke into', async () => {
    const world = await meet();
    const { clock, ear, session, oddities } = world;
    session.createReply(null);
    await clock.runUntil(() => ear.order.includes('audio'), 10_000);
    session.cancelReply();
    session.createReply('Say goodbye.');
    expect(await clock.runUntil(finished(world, 2), 20_000)).toBe(true);
    expect(ear.entriesOf('reply.finished').map(({ status, cause }) => [status, cause])).toEqual([
      ['cancelled', 'client_cancelled'],
      ['completed', null],
    ]);
    expect(oddities).toEqual([]);
  });

  it('asks again after a reply that the service began in the same moment', async () => {
    const world = await meet();
    const { clock, ear, session, oddities } = world;
    await play(world, noiseBurst(900));
    const hasStopped = () => ear.order.includes('caller.stoppedSpeaking');
    while (!hasStopped()) await play(world, silence(20));
    session.createReply('Say goodbye.');
    expect(await clock.runUntil(finished(world, 2), 20_000)).toBe(true);
    expect(ear.entriesOf('reply.started')).toHaveLength(2);
    expect(oddities).toEqual([]);
  });

  it("gives one answer where the service's own crosses a request that stands in for it", async () => {
    const world = await meet();
    const { clock, ear, session, oddities } = world;
    ear.react = ({ type }) => {
      if (type === 'caller.stoppedSpeaking') session.createReply(null, { tools: true, standsIn: true });
    };
    await play(world, noiseBurst(900));
    for (let ms = 0; ms < 2_000; ms += 20) await play(world, silence(20));
    expect(await clock.runUntil(finished(world, 2), 20_000)).toBe(false);
    expect(ear.entriesOf('reply.finished')).toHaveLength(1);
    expect(oddities).toEqual([]);
  });

  it('carries the history of an earlier session, and the service goes on from there', async () => {
    const world = await meet({
      history: [
        { kind: 'speech', role: 'agent', text: 'Welcome. How can I help?' },
        { kind: 'speech', role: 'caller', text: 'What is the weather in London?' },
        { kind: 'toolCall', toolCallId: `call_${'7'.repeat(40)}`, name: 'get_weather', arguments: '{}' },
        { kind: 'toolResult', toolCallId: `call_${'7'.repeat(40)}`, output: 'fog' },
      ],
    });
    const { clock, ear, session, far, oddities } = world;
    expect(ear.order).toEqual(['model.opened']);
    expect(far.items.map(({ type }) => type)).toEqual([
      'message',
      'message',
      'function_call',
      'function_call_output',
    ]);
    expect(far.settings.audio.input.turn_detection).toMatchObject({
      create_response: true,
      interrupt_response: true,
    });
    session.createReply(null);
    expect(await clock.runUntil(finished(world, 1), 10_000)).toBe(true);
    expect(ear.payloadsOf('reply.transcribed').at(-1)).toEqual({
      transcript: 'It is foggy in London today.',
    });
    expect(oddities).toEqual([]);
  });

  it('tells an open session later what belongs into its history, and the service takes it in its place', async () => {
    const world = await meet({
      history: [
        { kind: 'speech', role: 'agent', text: 'Welcome. How can I help?' },
        { kind: 'speech', role: 'agent', text: 'London it is.' },
      ],
    });
    const { clock, session, far, oddities } = world;
    session.remember({ kind: 'speech', role: 'caller', text: 'Good morning.' }, 0);
    session.remember({ kind: 'speech', role: 'caller', text: 'In London, please.' }, 2);
    await clock.advance(100);
    expect(far.items.map(({ id }) => id)).toEqual(['added_0', 'seed_0', 'added_1', 'seed_1']);
    expect(oddities).toEqual([]);
  });

  it.each<[InBandReason, number]>([
    ['invalid_api_key', 3000],
    ['beta_api_shape_disabled', 4000],
    ['missing_model', 4000],
    ['invalid_intent', 4000],
    ['model_not_found', 4004],
    ['insufficient_quota', 1013],
  ])('gives up where it is let in only to be told %s', async (reason, code) => {
    const { clock, ear } = await meet({}, [{ kind: 'refuseInBand', reason }]);
    await clock.advance(2_000);
    expect(ear.entries).toEqual([
      expect.objectContaining({ type: 'model.closed', code, cause: reason, reaction: 'giveUp' }),
    ]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('waits as long as a service that is too busy asks it to', async () => {
    const { ear } = await meet({}, [{ kind: 'refuseUpgrade', status: 429, retryAfterSeconds: 7 }]);
    expect(ear.entries).toEqual([
      expect.objectContaining({ code: 429, cause: 'http.429', reaction: 'retry', retryAfterMs: 7_000 }),
    ]);
  });

  it('asks for a new session at the end of this one', async () => {
    const { clock, ear } = await meet({}, [{ kind: 'expire', announced: true, when: { afterMs: 5_000 } }]);
    await clock.advance(6_000);
    expect(ear.entriesOf('model.closed')).toEqual([
      expect.objectContaining({ code: 1001, cause: 'session_expired', reaction: 'retry' }),
    ]);
  });

  it('finds a service that is there in name only', async () => {
    const { clock, ear } = await meet({}, [{ kind: 'stall', when: { afterMs: 1_000 } }]);
    await clock.advance(20_000);
    expect(ear.entriesOf('model.closed')).toEqual([
      expect.objectContaining({ code: null, cause: 'pong.missed', reaction: 'retry' }),
    ]);
    await clock.advance(2_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('hears the same through every kind of noise on the line', async () => {
    const greet = async (faults: readonly Fault[]) => {
      const world = await meet({}, faults);
      world.session.createReply(null);
      expect(await world.clock.runUntil(finished(world, 1), 10_000)).toBe(true);
      return world;
    };
    const clean = await greet([]);
    const noises = ['duplicate', 'unknownEvent', 'unknownField', 'malformed', 'binary'] as const;
    const noisy = await greet(noises.map((noise) => ({ kind: 'noise', noise, everyEvents: 2 })));
    expect(audioOf(noisy)).toEqual(audioOf(clean));
    const refused = noisy.ear.entriesOf('input.refused');
    expect(refused.map(({ kind }) => kind).toSorted()).toEqual(['binary', 'malformed']);
    expect(noisy.ear.entries.filter(({ type }) => type !== 'input.refused').map(({ type }) => type)).toEqual(
      clean.ear.entries.map(({ type }) => type),
    );
  });
});

describe('over real sockets', () => {
  let twin: OpenAiTwin | null = null;
  afterEach(async () => {
    await twin?.close();
    twin = null;
  });

  const modelOf = (url: string) =>
    createOpenAiModel({
      url,
      model: 'gpt-realtime-2.1',
      apiKey,
      clock: systemClock,
      random: Math.random,
      openSocket: openWebSocket,
    });
  const heard = (ear: Ear, type: string): Promise<void> =>
    new Promise((resolve) => {
      ear.react = (entry) => entry.type === type && resolve();
    });

  it('opens, greets and closes', async () => {
    twin = await startOpenAiTwin({ brain });
    const ear = new Ear();
    const session = modelOf(twin.url).open(plainRequest, ear);
    session.createReply(null);
    await heard(ear, 'reply.finished');
    expect(withoutRepetition(ear.entries.map(({ type }) => type))).toEqual([
      'model.opened',
      'reply.started',
      'reply.transcribed',
      'reply.finished',
    ]);
    const closed = heard(ear, 'model.closed');
    session.close();
    await closed;
    expect(ear.entriesOf('model.closed')[0]).toMatchObject({ code: 1000, cause: 'closed here' });
  });

  it('is told by status that it may not in', async () => {
    twin = await startOpenAiTwin({
      brain,
      faults: () => [{ kind: 'refuseUpgrade', status: 503, retryAfterSeconds: 2 }],
    });
    const ear = new Ear();
    const closed = heard(ear, 'model.closed');
    modelOf(twin.url).open(plainRequest, ear);
    await closed;
    expect(ear.entriesOf('model.closed')[0]).toMatchObject({
      code: 503,
      retryAfterMs: 2_000,
      reaction: 'retry',
    });
  });

  it('is refused for good where the key can be in no header', async () => {
    const ear = new Ear();
    const model = createOpenAiModel({
      url: 'ws://127.0.0.1:1/v1/realtime',
      model: 'm',
      apiKey: 'line\nbreak',
      clock: systemClock,
      random: Math.random,
      openSocket: openWebSocket,
    });
    model.open(plainRequest, ear);
    expect(ear.entriesOf('model.closed')[0]).toMatchObject({ cause: 'request.invalid', reaction: 'giveUp' });
  });

  it('probes the service', async () => {
    twin = await startOpenAiTwin({ brain });
    expect(await modelOf(twin.url).probe()).toBeGreaterThan(0);
    await expect(modelOf('ws://127.0.0.1:1/v1/realtime').probe()).rejects.toThrow('network.ECONNREFUSED');
  });
});
