import { describe, expect, test } from 'vitest';
import { connect, connectPhone, silence, speak, type World } from './client.ts';
import { orderBreaches } from './order.ts';
import { shapeBreaches } from './shapes.ts';

const triggered = 'input_audio_buffer.timeout_triggered';

/** A phone that was greeted with two seconds of speech; returns when the response was done. */
async function greeted(idleTimeoutMs: number | null = 6_000): Promise<World & { doneAt: number }> {
  const world = await connectPhone({}, { type: 'server_vad', idle_timeout_ms: idleTimeoutMs });
  world.client.append(silence(8_000));
  world.client.send({ type: 'response.create' });
  await world.clock.runUntil(() => world.client.of('response.done').length === 1, 10_000);
  return { ...world, doneAt: world.clock.monotonic() };
}

describe('a caller who says nothing', () => {
  test('is asked after the timeout, counted from when the speech has played', async () => {
    const { clock, client, doneAt } = await greeted();
    await clock.runUntil(() => client.of(triggered).length === 1, 60_000);
    expect(clock.monotonic() - doneAt).toBe(6_000 + 2_000);
    await clock.advance(5_000);
    const from = client.types().indexOf(triggered);
    expect(client.types().slice(from, from + 5)).toEqual([
      triggered,
      'input_audio_buffer.committed',
      'conversation.item.added',
      'conversation.item.done',
      'response.created',
    ]);
    expect(client.last(triggered)).toMatchObject({ audio_start_ms: 2_000, audio_end_ms: 8_000 });
    expect(client.last('response.done').response.output[0].content[0].transcript).toBe(
      'Are you still there?',
    );
    expect(client.last('conversation.item.input_audio_transcription.completed').transcript).toBe('');
    expect(orderBreaches(client.events)).toEqual([]);
    expect(shapeBreaches(client.events)).toEqual([]);
  });

  test('is asked once per response, and again after the next', async () => {
    const { clock, client } = await greeted();
    await clock.advance(9_000);
    expect(client.of(triggered)).toHaveLength(1);
    await clock.advance(20_000);
    expect(client.of(triggered).length).toBeGreaterThan(1);
  });

  test('does not count as having taken a turn of the script', async () => {
    const { clock, client } = await greeted();
    await clock.advance(12_000);
    speak(client);
    await clock.advance(5_000);
    expect(client.last('response.done').response.output[0].content[0].transcript).toContain('foggy');
  });

  test('is not asked once they speak', async () => {
    const { clock, client } = await greeted();
    await clock.advance(3_000);
    speak(client, 1_000, 100);
    await clock.advance(60_000);
    expect(client.of(triggered)).toEqual([]);
  });

  test('is not asked once they have spoken, though nobody answered', async () => {
    const { clock, client } = await greeted();
    client.send({
      type: 'session.update',
      session: {
        type: 'realtime',
        audio: { input: { turn_detection: { type: 'server_vad', create_response: false } } },
      },
    });
    speak(client);
    await clock.advance(60_000);
    expect(client.of('input_audio_buffer.committed')).toHaveLength(1);
    expect(client.of(triggered)).toEqual([]);
  });

  test('is not asked while a response runs', async () => {
    const { clock, client, session } = await greeted();
    session.inject({ kind: 'response', outcome: 'stuck' });
    client.send({ type: 'response.create' });
    await clock.advance(60_000);
    expect(client.of(triggered)).toEqual([]);
  });

  test.each([[null], [{ type: 'server_vad', idle_timeout_ms: null }], [{ type: 'semantic_vad' }]])(
    'is not asked with turn detection %j',
    async (detection) => {
      const { clock, client } = await greeted();
      client.send({
        type: 'session.update',
        session: { type: 'realtime', audio: { input: { turn_detection: detection } } },
      });
      await clock.advance(60_000);
      expect(client.of(triggered)).toEqual([]);
    },
  );

  test('is not asked where no timeout is set', async () => {
    const { clock, client } = await greeted(null);
    await clock.advance(60_000);
    expect(client.of(triggered)).toEqual([]);
  });
});

describe('a session', () => {
  test('says when it expires, and expires then with an error and close code 1001', async () => {
    const { clock, client, session } = await connect({ sessionMaximumMs: 120_000 });
    const startedAt = clock.now() - 100;
    expect(client.last('session.created').session.expires_at).toBe(Math.floor((startedAt + 120_000) / 1_000));
    await clock.advance(119_890);
    expect(client.errors).toEqual([]);
    await clock.advance(20);
    expect(client.errors).toEqual([
      {
        type: 'invalid_request_error',
        code: 'session_expired',
        message: 'Your session hit the maximum duration of 2 minutes.',
        param: null,
        event_id: null,
      },
    ]);
    expect(client.closures).toEqual([
      { code: 1001, reason: 'Your session hit the maximum duration of 2 minutes.' },
    ]);
    expect(session.closure?.code).toBe(1001);
  });

  test('lasts an hour by default', async () => {
    const { clock, client } = await connect();
    expect(client.last('session.created').session.expires_at).toBe(
      Math.floor((clock.now() - 100 + 3_600_000) / 1_000),
    );
    await clock.advance(3_600_000);
    expect(client.errors[0]?.message).toBe('Your session hit the maximum duration of 60 minutes.');
  });

  test('leaves no timer when its connection is dropped, whatever it waits for', async () => {
    const { clock, client, session } = await connectPhone({}, { type: 'server_vad', idle_timeout_ms: 5_000 });
    client.send({ type: 'response.create' });
    await clock.advance(3_000);
    speak(client);
    client.send({ type: 'response.create', response: { conversation: 'none' } });
    await clock.advance(100);
    session.inject({ kind: 'drop', when: { afterMs: 60_000 } });
    expect(clock.pendingTimers).toBeGreaterThan(4);
    client.socket?.terminate();
    await clock.advance(1);
    expect(clock.pendingTimers).toBe(0);
  });

  test('that waits for its caller leaves no timer when its connection is dropped', async () => {
    const { clock, client } = await connectPhone({}, { type: 'server_vad', idle_timeout_ms: 5_000 });
    client.send({ type: 'response.create' });
    await clock.advance(3_000);
    expect(clock.pendingTimers).toBe(2);
    client.socket?.terminate();
    await clock.advance(1);
    expect(clock.pendingTimers).toBe(0);
  });

  test('stops everything at its end, and hears nothing more', async () => {
    const { clock, client, session } = await connectPhone({ delayMs: 30 });
    await clock.advance(100);
    speak(client);
    await clock.advance(500);
    session.inject({ kind: 'expire', announced: false, when: { afterMs: 0 } });
    const { appendedBytes } = session;
    client.append(silence(1_000));
    await clock.advance(200);
    const count = client.events.length;
    expect(session.appendedBytes).toBe(appendedBytes);
    expect(client.errors).toEqual([]);
    expect(client.closures).toMatchObject([{ code: 1001 }]);
    await clock.advance(10_000);
    expect(client.events).toHaveLength(count);
    expect(clock.pendingTimers).toBe(0);
  });
});
