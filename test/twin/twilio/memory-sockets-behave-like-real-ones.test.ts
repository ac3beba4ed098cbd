import { describe, expect, it } from 'vitest';
import type { Socket, SocketClosure } from '../../../src/runtime/ports/socket.ts';
import type { FaultSocket } from '../../../src/twin/twilio/stream/fault-socket.ts';
import { memorySockets } from '../../../src/twin/twilio/stream/memory-socket.ts';
import { VirtualClock } from '../../../src/twin/virtual-clock.ts';

interface End {
  messages: unknown[];
  closures: SocketClosure[];
  pongs: number;
}

const makeEnd = (): End => ({ messages: [], closures: [], pongs: 0 });

const handlersOf = (end: End) => ({
  onMessage: (data: unknown) => end.messages.push(data),
  onClose: (closure: SocketClosure) => end.closures.push(closure),
  onPong: () => {
    end.pongs += 1;
  },
});

async function connectPair() {
  const clock = new VirtualClock();
  const near = makeEnd();
  const far = makeEnd();
  const sockets: { server?: Socket; client?: FaultSocket } = {};
  const open = memorySockets(clock, 5, (_request, accept) => {
    sockets.server = accept(handlersOf(far));
    return undefined;
  });
  open(
    { url: 'wss://x', headers: {}, handshakeTimeoutMs: 1, maxMessageBytes: 1 },
    {
      ...handlersOf(near),
      onOpen: (socket) => {
        sockets.client = socket;
      },
      onRefused: () => undefined,
    },
  );
  await clock.advance(5);
  return { clock, near, far, server: sockets.server as Socket, client: sockets.client as FaultSocket };
}

describe('a pair of sockets in memory', () => {
  it('delivers in order after the latency, both ways', async () => {
    const { clock, near, far, server, client } = await connectPair();
    client.send('a');
    client.send('b');
    server.sendBinary?.(new Uint8Array([1]));
    await clock.advance(4);
    expect(far.messages).toEqual([]);
    await clock.advance(1);
    expect([far.messages, near.messages]).toEqual([['a', 'b'], [new Uint8Array([1])]]);
    expect([client.bufferedBytes(), server.bufferedBytes()]).toEqual([0, 0]);
  });

  it('closes both ends once with the same code, and sends nothing after it', async () => {
    const { clock, near, far, server, client } = await connectPair();
    client.send('before');
    client.close(1000, 'done');
    client.close(1001);
    client.send('after');
    client.ping();
    server.send('crossing');
    await clock.advance(20);
    server.send('too late');
    server.close(1002);
    client.terminate();
    await clock.advance(40_000);
    expect(far.messages).toEqual(['before']);
    expect(near.messages).toEqual(['crossing']);
    expect([near.closures, far.closures]).toEqual([
      [{ code: 1000, reason: 'done' }],
      [{ code: 1000, reason: 'done' }],
    ]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('shows the far side 1006 when one end is dropped', async () => {
    const { clock, near, far, server } = await connectPair();
    server.terminate();
    server.terminate();
    await clock.advance(20);
    expect([near.closures, far.closures].map((closures) => closures.map(({ code }) => code))).toEqual([
      [1006],
      [1006],
    ]);
  });

  it('answers pings while it is open', async () => {
    const { clock, near, far, server, client } = await connectPair();
    server.ping();
    client.ping();
    await clock.advance(20);
    expect([near.pongs, far.pongs]).toEqual([1, 1]);
    client.ping();
    client.terminate();
    await clock.advance(20);
    expect(near.pongs).toBe(1);
  });

  it('lets nothing through once it is frozen, and ends a close that nobody answers after 30 s', async () => {
    const { clock, near, far, server, client } = await connectPair();
    server.send('under way');
    client.freeze?.();
    server.ping();
    server.close(1000);
    await clock.advance(29_000);
    expect([near.messages, far.closures, far.pongs]).toEqual([[], [], 0]);
    await clock.advance(2_000);
    expect([near.closures, far.closures]).toEqual([[], [{ code: 1006, reason: '' }]]);
  });

  it('can be given up while it opens, or refused', async () => {
    const clock = new VirtualClock();
    const calls: string[] = [];
    const refusal = { kind: 'http', status: 404, retryAfterMs: null, detail: '' } as const;
    const open = memorySockets(clock, 5, () => refusal);
    const request = { url: 'wss://x', headers: {}, handshakeTimeoutMs: 1, maxMessageBytes: 1 };
    const handlers = {
      ...handlersOf(makeEnd()),
      onOpen: () => calls.push('open'),
      onRefused: () => calls.push('refused'),
    };
    open(request, handlers)();
    open(request, handlers);
    await clock.advance(10);
    expect(calls).toEqual(['refused']);
  });
});
