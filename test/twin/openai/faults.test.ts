import { describe, expect, test } from 'vitest';
import { type Fault, faultsInOrder, inBandReasons, readFaults } from '../../../src/twin/openai/faults.ts';
import { connect, connectPhone, open, speak, voice, type World } from './client.ts';
import { orderBreaches } from './order.ts';

const withFaults = (...faults: Fault[]): Promise<World> => connectPhone({ faults: faultsInOrder([faults]) });

async function ask(world: World, waitMs = 5_000): Promise<void> {
  world.client.send({ type: 'response.create' });
  await world.clock.advance(waitMs);
}

describe('a refusal', () => {
  test.each([
    ['invalid_api_key', 3000],
    ['beta_api_shape_disabled', 4000],
    ['missing_model', 4000],
    ['invalid_intent', 4000],
    ['model_not_found', 4004],
    ['insufficient_quota', 1013],
  ] as const)('in band for %s comes as an error and close code %d', async (reason, code) => {
    const { client } = await connect({ faults: faultsInOrder([[{ kind: 'refuseInBand', reason }]]) });
    const type = reason === 'insufficient_quota' ? reason : 'invalid_request_error';
    expect(client.errors).toMatchObject([{ type, code: reason, param: null, event_id: null }]);
    expect(client.closures).toEqual([{ code, reason: `${type}.${reason}` }]);
    expect(inBandReasons).toContain(reason);
  });

  test.each([
    [401, undefined, null],
    [403, undefined, null],
    [429, 2, 2_000],
    [503, 0.5, 500],
    [500, undefined, null],
  ])('by status %d comes instead of the upgrade', async (status, retryAfterSeconds, retryAfterMs) => {
    const { client } = await connect({
      faults: faultsInOrder([[{ kind: 'refuseUpgrade', status, retryAfterSeconds }]]),
    });
    expect(client.refusal).toMatchObject({ kind: 'http', status, retryAfterMs });
    expect(client.socket).toBeNull();
  });

  test('befalls the connections that the plan names and no other', async () => {
    const { clock, client, twin } = await connect({
      faults: faultsInOrder(
        [[], [{ kind: 'refuseUpgrade', status: 503 }]],
        [{ kind: 'refuseInBand', reason: 'model_not_found' }],
      ),
    });
    const others = [open(twin), open(twin), open(twin)];
    await clock.advance(10);
    expect(client.types()).toEqual(['session.created']);
    expect(others[0]?.refusal?.status).toBe(503);
    expect(others[1]?.closures[0]?.code).toBe(4004);
    expect(others[2]?.closures[0]?.code).toBe(4004);
    expect(twin.attempts.map(({ outcome }) => outcome)).toEqual([
      'accepted',
      'refused',
      'refusedInBand',
      'refusedInBand',
    ]);
  });
});

describe('a slow upgrade', () => {
  const faults = faultsInOrder([[{ kind: 'slowUpgrade', delayMs: 5_000 }]]);

  test('lets the client wait', async () => {
    const { clock, client } = await connect({ faults });
    await clock.advance(4_890);
    expect(client.socket).toBeNull();
    await clock.advance(20);
    expect(client.types()).toEqual(['session.created']);
  });

  test('can take longer than the client waits', async () => {
    const { clock, client, session } = await connect({ faults, handshakeTimeoutMs: 2_000 });
    await clock.advance(10_000);
    expect(client.refusal?.kind).toBe('timeout');
    expect(client.events).toEqual([]);
    expect(session).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('the end of a connection', () => {
  test('comes without a close frame after a time', async () => {
    const { clock, client, session } = await withFaults({ kind: 'drop', when: { afterMs: 3_000 } });
    await clock.advance(2_880);
    expect(client.closures).toEqual([]);
    await clock.advance(20);
    expect(client.closures).toEqual([{ code: 1006, reason: '' }]);
    expect(session.closure).toEqual({ code: 1006, reason: '' });
  });

  test('comes at the moment of an event, with nothing after that event', async () => {
    const world = await withFaults({ kind: 'drop', when: { sent: 'input_audio_buffer.speech_started' } });
    speak(world.client);
    await world.clock.advance(5_000);
    expect(world.client.types().at(-1)).toBe('input_audio_buffer.speech_started');
    expect(world.client.closures).toMatchObject([{ code: 1006 }]);
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('comes in the middle of a response', async () => {
    const world = await withFaults({ kind: 'drop', when: { sent: 'response.output_audio.delta', count: 3 } });
    await ask(world);
    expect(world.client.of('response.output_audio.delta')).toHaveLength(3);
    expect(world.client.of('response.done')).toEqual([]);
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('comes when the client has sent something', async () => {
    const world = await withFaults({ kind: 'drop', when: { received: 'response.cancel' } });
    await ask(world, 10);
    world.client.send({ type: 'response.cancel' });
    await world.clock.advance(100);
    expect(world.client.closures).toMatchObject([{ code: 1006 }]);
  });

  test.each([1001, 1011, 1012])('comes with close code %d', async (code) => {
    const world = await withFaults({ kind: 'close', code, reason: 'because', when: { afterMs: 500 } });
    await world.clock.advance(1_000);
    expect(world.client.closures).toEqual([{ code, reason: 'because' }]);
  });

  test.each([
    [true, 1],
    [false, 0],
  ])('comes as at the maximum of a session, announced: %s', async (announced, errors) => {
    const world = await withFaults({ kind: 'expire', announced, when: { sent: 'response.created' } });
    await ask(world, 100);
    expect(world.client.errors).toHaveLength(errors);
    expect(world.client.closures).toMatchObject([{ code: 1001 }]);
    expect(world.clock.pendingTimers).toBe(0);
  });
});

describe('a stalled connection', () => {
  test('sends nothing, answers no ping and stays open', async () => {
    const world = await withFaults({
      kind: 'stall',
      when: { sent: 'response.output_audio.delta', count: 2 },
    });
    const { clock, client, session } = world;
    client.socket?.ping();
    await clock.advance(10);
    expect(client.pongs).toBe(1);
    await ask(world, 0);
    await clock.advance(10_000);
    const count = client.events.length;
    client.socket?.ping();
    client.append(voice(1_000));
    client.send({ type: 'response.create' });
    await clock.advance(10_000);
    expect(client.of('response.output_audio.delta')).toHaveLength(2);
    expect(client.events).toHaveLength(count);
    expect(client.pongs).toBe(1);
    expect(session.appendedBytes).toBe(0);
    expect(client.closures).toEqual([]);
  });

  test('leaves no timer when its session ends, though nobody closes it', async () => {
    const when = { sent: 'response.created' } as const;
    const world = await withFaults({ kind: 'stall', when }, { kind: 'expire', announced: true, when });
    await ask(world, 100);
    expect(world.client.closures).toEqual([]);
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('does not close with its session', async () => {
    const { clock, client } = await connect({
      sessionMaximumMs: 10_000,
      faults: faultsInOrder([[{ kind: 'stall', when: { afterMs: 1 } }]]),
    });
    await clock.advance(20_000);
    expect(client.closures).toEqual([]);
  });

  test('is closed by the client only after the wait for an answer', async () => {
    const { clock, client, session } = await withFaults({ kind: 'stall', when: { afterMs: 1 } });
    await clock.advance(10);
    client.socket?.close(1000);
    await clock.advance(29_000);
    expect(client.closures).toEqual([]);
    await clock.advance(2_000);
    expect(client.closures).toMatchObject([{ code: 1006 }]);
    expect(session.closure?.code).toBe(1006);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a response that goes wrong', () => {
  test.each(['server_error', 'rate_limit_exceeded', 'insufficient_quota'] as const)(
    'fails with %s in its end, not in an error event',
    async (outcome) => {
      const world = await withFaults({ kind: 'response', outcome });
      await ask(world);
      const { status, status_details, output, usage } = world.client.last('response.done').response;
      expect(status).toBe('failed');
      expect(status_details).toMatchObject({ type: 'failed', error: { type: outcome, code: null } });
      expect([output, usage]).toEqual([[], null]);
      expect(world.client.errors).toEqual([]);
      await ask(world);
      expect(world.client.last('response.done').response.status).toBe('completed');
    },
  );

  test('is the one that the fault names', async () => {
    const world = await withFaults(
      { kind: 'response', outcome: 'server_error', which: 2 },
      { kind: 'response', outcome: 'empty', which: 3 },
    );
    for (let count = 0; count < 4; count += 1) await ask(world);
    expect(
      world.client.of('response.done').map(({ response }) => [response.status, response.output.length]),
    ).toEqual([
      ['completed', 1],
      ['failed', 0],
      ['completed', 0],
      ['completed', 1],
    ]);
  });

  test('is every one of a poisoned session', async () => {
    const world = await withFaults({ kind: 'response', outcome: 'server_error', which: 'every' });
    for (let count = 0; count < 5; count += 1) await ask(world);
    expect(world.client.of('response.done').map(({ response }) => response.status)).toEqual(
      new Array(5).fill('failed'),
    );
  });

  test('never starts', async () => {
    const world = await withFaults({ kind: 'response', outcome: 'not_created' });
    speak(world.client);
    await world.clock.advance(60_000);
    expect(world.client.of('response.created')).toEqual([]);
    await ask(world);
    expect(world.client.last('response.done').response.status).toBe('completed');
  });

  test('starts and says nothing until it is cancelled', async () => {
    const world = await withFaults({ kind: 'response', outcome: 'stuck' });
    await ask(world, 60_000);
    expect(world.client.types().at(-1)).toBe('response.created');
    world.client.send({ type: 'response.cancel' });
    await world.clock.advance(0);
    expect(world.client.last('response.done').response.status).toBe('cancelled');
  });

  test('has text where audio was asked for', async () => {
    const world = await withFaults({ kind: 'response', outcome: 'text_only' });
    await ask(world);
    expect(world.client.of('response.output_audio.delta')).toEqual([]);
    const { status, output, output_modalities } = world.client.last('response.done').response;
    expect([status, output[0].content[0].type, output_modalities]).toEqual([
      'completed',
      'output_text',
      ['audio'],
    ]);
    expect(orderBreaches(world.client.events)).toEqual([]);
  });

  test('is stopped by the content filter', async () => {
    const world = await withFaults({ kind: 'response', outcome: 'content_filter' });
    await ask(world);
    const { status, status_details } = world.client.last('response.done').response;
    expect([status, status_details]).toEqual([
      'incomplete',
      { type: 'incomplete', reason: 'content_filter' },
    ]);
  });
});

describe('noise on the way to the client', () => {
  const noisy = (noise: Extract<Fault, { kind: 'noise' }>['noise']): Promise<World> =>
    withFaults({ kind: 'noise', noise, everyEvents: 2 });

  test('repeats events', async () => {
    const { client } = await noisy('duplicate');
    expect(client.events.map(({ type }) => type)).toEqual([
      'session.created',
      'session.updated',
      'session.updated',
    ]);
    expect(client.events[1]).toEqual(client.events[2]);
  });

  test('brings events that nobody knows', async () => {
    const { client } = await noisy('unknownEvent');
    expect(client.events.map(({ type }) => type)).toEqual([
      'session.created',
      'session.mood_changed',
      'session.updated',
    ]);
  });

  test('brings fields that nobody knows', async () => {
    const { client } = await noisy('unknownField');
    expect(client.events[0]).not.toHaveProperty('unheard_of');
    expect(client.events[1]).toHaveProperty('unheard_of');
  });

  test('brings messages that are no JSON', async () => {
    const { client } = await noisy('malformed');
    expect(client.messages).toHaveLength(3);
    expect(() => JSON.parse(String(client.messages[1]))).toThrow();
    expect(client.types()).toEqual(['session.created', 'session.updated']);
  });

  test('brings messages of bytes', async () => {
    const { client } = await noisy('binary');
    expect(client.messages[1]).toBeInstanceOf(Uint8Array);
  });
});

test('a fault of the upgrade has no effect on a session that is there', async () => {
  const world = await connectPhone();
  world.session.inject({ kind: 'refuseUpgrade', status: 503 });
  await ask(world);
  expect(world.client.last('response.done').response.status).toBe('completed');
});

test('a client that reads nothing is dropped when too much waits for it', async () => {
  const { FaultInjector } = await import('../../../src/twin/openai/connection/fault-injector.ts');
  const { VirtualClock } = await import('../../../src/twin/virtual-clock.ts');
  const done: string[] = [];
  const line = {
    send: () => done.push('sent'),
    ping: () => done.push('pinged'),
    close: () => done.push('closed'),
    terminate: () => done.push('dropped'),
    bufferedBytes: () => 17 * 1024 * 1024,
  };
  const { socket } = new FaultInjector(new VirtualClock(), line, {
    stall: () => undefined,
    expire: () => undefined,
  });
  socket.send('x');
  socket.ping();
  socket.terminate();
  expect(done).toEqual(['dropped', 'pinged', 'dropped']);
  expect(socket.bufferedBytes()).toBe(17 * 1024 * 1024);
});

test('faults are read from JSON, and wrong ones refused', () => {
  const faults: Fault[] = [
    { kind: 'slowUpgrade', delayMs: 10 },
    { kind: 'drop', when: { sent: 'response.created', count: 2 } },
    { kind: 'close', code: 1011, when: { received: 'response.cancel' } },
    { kind: 'stall', when: { afterMs: 5 } },
    { kind: 'expire', announced: true, when: { afterMs: 5 } },
    { kind: 'response', outcome: 'stuck', which: 'every' },
    { kind: 'noise', noise: 'binary', everyEvents: 3 },
    { kind: 'lateDeltas', count: 2 },
    { kind: 'refuseInBand', reason: 'model_not_found' },
    { kind: 'refuseUpgrade', status: 429, retryAfterSeconds: 1 },
  ];
  expect(readFaults(JSON.parse(JSON.stringify(faults)))).toEqual(faults);
  expect(() => readFaults([{ kind: 'explode' }])).toThrow();
  expect(() => readFaults([{ kind: 'drop' }])).toThrow();
});
