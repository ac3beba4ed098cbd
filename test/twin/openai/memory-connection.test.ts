import { describe, expect, test } from 'vitest';
import { connect, connectPhone, open, smallScript } from './client.ts';

describe('a connection in memory', () => {
  test('takes its time in both directions', async () => {
    const { clock, client } = await connect({ delayMs: 40 });
    expect(client.types()).toEqual(['session.created']);
    client.send({ type: 'response.cancel' });
    await clock.advance(79);
    expect(client.errors).toEqual([]);
    await clock.advance(1);
    expect(client.errors).toHaveLength(1);
  });

  test('opens after the way there and back', async () => {
    const { clock, twin } = await connect({ delayMs: 40 });
    const client = open(twin);
    await clock.advance(79);
    expect(client.socket).toBeNull();
    await clock.advance(1);
    expect(client.socket).not.toBeNull();
    expect(client.events).toHaveLength(1);
  });

  test('keeps the order of messages', async () => {
    const { clock, client, session } = await connect({ delayMs: 5 });
    for (let count = 0; count < 50; count += 1)
      client.send({ type: 'response.cancel', event_id: `${count}` });
    await clock.advance(20);
    expect(session.received.map(({ event_id }) => event_id)).toEqual(
      Array.from({ length: 50 }, (_, index) => `${index}`),
    );
  });

  test('closes with a handshake, once at each end', async () => {
    const { clock, client, session } = await connect({ delayMs: 10 });
    client.socket?.close(1000, 'done');
    client.socket?.close(1000, 'again');
    client.send({ type: 'response.create' });
    await clock.advance(15);
    expect(session.closure).toEqual({ code: 1000, reason: 'done' });
    expect(client.closures).toEqual([]);
    await clock.advance(10);
    expect(client.closures).toEqual([{ code: 1000, reason: 'done' }]);
    expect(session.received).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('can be dropped by either end', async () => {
    const first = await connect({ delayMs: 10 });
    first.client.socket?.terminate();
    first.client.socket?.terminate();
    first.client.socket?.ping();
    await first.clock.advance(10);
    expect(first.client.closures).toEqual([{ code: 1006, reason: '' }]);
    expect(first.session.closure?.code).toBe(1006);
    expect(first.clock.pendingTimers).toBe(0);
    const second = await connect({ delayMs: 10 });
    second.twin.close();
    second.twin.close();
    await second.clock.advance(20);
    expect(second.client.closures).toEqual([{ code: 1006, reason: '' }]);
    expect(second.clock.pendingTimers).toBe(0);
  });

  test('closed by both ends at once ends once at each', async () => {
    const { clock, client, session } = await connect({ delayMs: 10 });
    session.inject({ kind: 'close', code: 1012, when: { afterMs: 5 } });
    await clock.advance(5);
    client.socket?.close(1000);
    await clock.advance(100);
    expect(client.closures).toMatchObject([{ code: 1012 }]);
    expect(session.closure?.code).toBe(1000);
    expect(clock.pendingTimers).toBe(0);
  });

  test('delivers nothing after the end', async () => {
    const { clock, client } = await connectPhone({ delayMs: 10 });
    client.send({ type: 'response.create' });
    await clock.advance(500);
    client.socket?.terminate();
    const count = client.events.length;
    await clock.advance(5_000);
    expect(client.events).toHaveLength(count);
  });

  test('answers pings while it is open', async () => {
    const { clock, client } = await connect({ delayMs: 10 });
    client.socket?.ping();
    await clock.advance(19);
    expect(client.pongs).toBe(0);
    await clock.advance(1);
    expect(client.pongs).toBe(1);
    expect(client.socket?.bufferedBytes()).toBe(0);
    client.socket?.ping();
    client.socket?.terminate();
    await clock.advance(20);
    expect(client.pongs).toBe(1);
  });

  test('takes no pong once it is closing', async () => {
    const { clock, client } = await connect({ delayMs: 10 });
    client.socket?.ping();
    await clock.advance(15);
    client.socket?.close(1000);
    await clock.advance(100);
    expect(client.pongs).toBe(0);
  });

  test('is closed by the end that gets too large a message', async () => {
    const { clock, client } = await connect({ maxMessageBytes: 500 });
    await clock.advance(10);
    expect(client.closures).toMatchObject([{ code: 1009 }]);
    expect(client.events).toEqual([]);
  });

  test.each([1, 15, 25, 45])('is given up after %d ms without a word', async (afterMs) => {
    const { clock, twin } = await connect({ delayMs: 20 });
    const words: string[] = [];
    const note = (word: string) => (): void => void words.push(word);
    const giveUp = twin.openSocket(
      {
        url: 'ws://twin/v1/realtime?model=gpt-realtime',
        headers: { authorization: 'Bearer k' },
        handshakeTimeoutMs: 1_000,
        maxMessageBytes: 1e6,
      },
      {
        onOpen: note('open'),
        onRefused: note('refused'),
        onMessage: note('message'),
        onClose: note('close'),
      },
    );
    await clock.advance(afterMs);
    const before = [...words];
    giveUp();
    giveUp();
    await clock.advance(5_000);
    if (afterMs < 40) {
      expect(words).toEqual([]);
      expect(twin.sessions.filter(({ closure, connection }) => connection > 0 && closure === null)).toEqual(
        [],
      );
    } else {
      expect(words).toEqual(before);
      expect(words).toEqual(['open', 'message']);
    }
  });

  test('is refused with a timeout where the answer takes too long', async () => {
    const { clock, client, twin } = await connect({ delayMs: 90, handshakeTimeoutMs: 100 });
    await clock.advance(1_000);
    expect(client.refusal).toMatchObject({ kind: 'timeout', status: null });
    expect(client.closures).toEqual([]);
    expect(twin.sessions[0]?.closure?.code).toBe(1006);
  });

  test('keeps so many ended sessions as it is told', async () => {
    const { clock, twin } = await connect({ keptSessions: 2, brain: smallScript });
    for (let count = 0; count < 5; count += 1) {
      const client = open(twin);
      await clock.advance(10);
      client.socket?.terminate();
      await clock.advance(10);
    }
    open(twin);
    await clock.advance(10);
    expect(twin.sessions.map(({ connection }) => connection)).toEqual([0, 4, 5, 6]);
    expect(new Set(twin.sessions.map(({ id }) => id)).size).toBe(4);
  });
});
