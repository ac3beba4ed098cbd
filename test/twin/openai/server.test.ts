import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { openWebSocket } from '../../../src/platform/websocket.ts';
import type { SocketClosure, SocketRefusal } from '../../../src/runtime/ports/socket.ts';
import type { FaultPlan } from '../../../src/twin/openai/faults.ts';
import { faultsInOrder } from '../../../src/twin/openai/faults.ts';
import { type OpenAiTwin, type OpenAiTwinOptions, startOpenAiTwin } from '../../../src/twin/openai/server.ts';
import type { RealtimeMessage } from '../../support/realtime-message.ts';
import { smallScript } from './client.ts';

const twins: OpenAiTwin[] = [];

afterEach(async () => {
  await Promise.all(twins.splice(0).map((twin) => twin.close()));
});

async function start(options: Partial<OpenAiTwinOptions> = {}): Promise<OpenAiTwin> {
  const twin = await startOpenAiTwin({ brain: smallScript, ...options });
  twins.push(twin);
  return twin;
}

const urlOf = (twin: OpenAiTwin): string => `${twin.url}?model=gpt-realtime-2.1`;
const withKey = { headers: { authorization: 'Bearer k' } };

async function connect(twin: OpenAiTwin): Promise<{ socket: WebSocket; created: RealtimeMessage }> {
  const socket = new WebSocket(urlOf(twin), withKey);
  const [data] = await once(socket, 'message');
  return { socket, created: JSON.parse(String(data)) };
}

async function refusalFrom(faults: FaultPlan): Promise<SocketRefusal> {
  const twin = await start({ faults });
  return new Promise((resolve, reject) => {
    openWebSocket(
      { url: urlOf(twin), headers: withKey.headers, handshakeTimeoutMs: 200, maxMessageBytes: 1e6 },
      {
        onOpen: () => reject(new Error('opened')),
        onRefused: resolve,
        onMessage: () => undefined,
        onClose: () => undefined,
      },
    );
  });
}

describe('the offline service on a port', () => {
  test('listens on the loopback address and greets its clients', async () => {
    const twin = await start();
    expect(twin.url).toBe(`ws://127.0.0.1:${twin.port}/v1/realtime`);
    const { socket, created } = await connect(twin);
    expect(created.type).toBe('session.created');
    expect(twin.sessions.map(({ id }) => id)).toEqual([created.session.id]);
    expect(twin.attempts).toHaveLength(1);
    socket.close(1000, 'bye');
    await once(socket, 'close');
    expect(twin.sessions[0]?.closure).toEqual({ code: 1000, reason: 'bye' });
  });

  test('selects the subprotocol of browsers', async () => {
    const twin = await start();
    const socket = new WebSocket(urlOf(twin), ['realtime', 'openai-insecure-api-key.ek_1']);
    await once(socket, 'open');
    expect(socket.protocol).toBe('realtime');
  });

  test('selects no other subprotocol', async () => {
    const twin = await start();
    const socket = new WebSocket(urlOf(twin), ['other'], withKey);
    const [error] = await once(socket, 'error');
    expect(String(error)).toContain('subprotocol');
  });

  test('speaks nothing but WebSocket', async () => {
    const twin = await start();
    const response = await fetch(`http://127.0.0.1:${twin.port}/v1/realtime`);
    expect(response.status).toBe(426);
  });

  test('refuses by status, body and Retry-After', async () => {
    const refusal = await refusalFrom(
      faultsInOrder([[{ kind: 'refuseUpgrade', status: 429, retryAfterSeconds: 3 }]]),
    );
    expect(refusal).toMatchObject({ kind: 'http', status: 429, retryAfterMs: 3_000 });
    expect(JSON.parse(refusal.detail).error.message).toContain('Too many requests');
  });

  test('refuses by status without Retry-After', async () => {
    const refusal = await refusalFrom(faultsInOrder([[{ kind: 'refuseUpgrade', status: 403 }]]));
    expect(refusal).toMatchObject({ kind: 'http', status: 403, retryAfterMs: null });
  });

  test('can be slower than its clients wait', async () => {
    const refusal = await refusalFrom(faultsInOrder([[{ kind: 'slowUpgrade', delayMs: 400 }]]));
    expect(refusal.kind).toBe('timeout');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(twins[0]?.sessions).toEqual([]);
  });

  test('refuses in band after the handshake', async () => {
    const twin = await start({ faults: () => [{ kind: 'refuseInBand', reason: 'insufficient_quota' }] });
    const socket = new WebSocket(urlOf(twin), withKey);
    const [data] = await once(socket, 'message');
    const [code, reason] = await once(socket, 'close');
    expect(JSON.parse(String(data)).error.code).toBe('insufficient_quota');
    expect([code, String(reason)]).toEqual([1013, 'insufficient_quota.insufficient_quota']);
  });

  test('answers pings, and none once it is stalled', async () => {
    const twin = await start();
    const { socket } = await connect(twin);
    socket.ping();
    await once(socket, 'pong');
    twin.sessions[0]?.inject({ kind: 'stall', when: { afterMs: 0 } });
    await new Promise((resolve) => setTimeout(resolve, 20));
    let answers = 0;
    socket.on('pong', () => {
      answers += 1;
    });
    socket.on('message', () => {
      answers += 1;
    });
    socket.ping();
    socket.send('{"type":"response.create"}');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(answers).toBe(0);
    expect(socket.readyState).toBe(WebSocket.OPEN);
  });

  test('drops a connection without a close frame', async () => {
    const twin = await start();
    const { socket } = await connect(twin);
    twin.sessions[0]?.inject({ kind: 'drop', when: { afterMs: 0 } });
    const [code] = await once(socket, 'close');
    expect(code).toBe(1006);
  });

  test('answers bytes with an error and sends bytes as noise', async () => {
    const twin = await start();
    const { socket } = await connect(twin);
    twin.sessions[0]?.inject({ kind: 'noise', noise: 'binary', everyEvents: 1 });
    const messages: boolean[] = [];
    socket.on('message', (_data, isBinary) => messages.push(isBinary));
    socket.send(Uint8Array.of(1, 2, 3));
    while (messages.length < 2) await once(socket, 'message');
    expect(messages).toEqual([true, false]);
  });

  test('drops everybody and lets go of the port when it closes', async () => {
    const twin = await start();
    const { socket } = await connect(twin);
    const closed = once(socket, 'close');
    const { port } = twin;
    await twin.close();
    expect((await closed)[0]).toBe(1006);
    const next = await start({ port });
    expect(next.port).toBe(port);
    const closures: SocketClosure[] = [];
    expect(closures).toEqual([]);
  });

  test('says so when its port is taken', async () => {
    const twin = await start();
    await expect(startOpenAiTwin({ brain: smallScript, port: twin.port })).rejects.toThrow('EADDRINUSE');
  });
});
