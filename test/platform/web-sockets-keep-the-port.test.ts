/** `ws` behind the `Socket` port: what is opened, what is accepted, what is refused, and one end of each. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { openWebSocket, wrapWebSocket } from '../../src/platform/websocket.ts';
import type { Socket, SocketClosure, SocketHandlers, SocketRefusal } from '../../src/runtime/ports/socket.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  return `ws://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/`;
}

/** A server that accepts everything; `onSocket` has the far side. */
async function accepting(onSocket: (webSocket: WebSocket, connection: Duplex) => void): Promise<string> {
  const server = createServer();
  const webSockets = new WebSocketServer({ server });
  webSockets.on('connection', (webSocket, { socket }) => {
    webSocket.on('error', () => undefined);
    onSocket(webSocket, socket);
  });
  const url = await listen(server);
  cleanups.push(() => {
    for (const client of webSockets.clients) client.terminate();
  });
  return url;
}

/** Without a listener for upgrades Node.js answers them as any request. */
const refusing = (listener: RequestListener): Promise<string> => listen(createServer(listener));

interface Heard {
  messages: (string | Uint8Array)[];
  closures: SocketClosure[];
  refusals: SocketRefusal[];
  pongs: number;
  opened: Promise<Socket>;
  closed: Promise<SocketClosure>;
  refused: Promise<SocketRefusal>;
  giveUp(): void;
}

function open(url: string, changes: { maxMessageBytes?: number; handshakeTimeoutMs?: number } = {}): Heard {
  const opened = Promise.withResolvers<Socket>();
  const closed = Promise.withResolvers<SocketClosure>();
  const refused = Promise.withResolvers<SocketRefusal>();
  const heard: Heard = {
    messages: [],
    closures: [],
    refusals: [],
    pongs: 0,
    opened: opened.promise,
    closed: closed.promise,
    refused: refused.promise,
    giveUp: () => undefined,
  };
  heard.giveUp = openWebSocket(
    { url, headers: { 'x-test': 'yes' }, handshakeTimeoutMs: 5_000, maxMessageBytes: 1_000, ...changes },
    {
      onOpen: opened.resolve,
      onMessage: (data) => heard.messages.push(data),
      onPong: () => {
        heard.pongs += 1;
      },
      onClose: (closure) => {
        heard.closures.push(closure);
        closed.resolve(closure);
      },
      onRefused: (refusal) => {
        heard.refusals.push(refusal);
        refused.resolve(refusal);
      },
    },
  );
  return heard;
}

describe('a socket that we open', () => {
  it('carries text and bytes both ways, and no message is lost that comes with the handshake', async () => {
    const received: string[] = [];
    const url = await accepting((webSocket) => {
      webSocket.on('message', (data, isBinary) => received.push(`${isBinary ? 'bytes' : 'text'} ${data}`));
      webSocket.send('welcome');
      webSocket.send(Buffer.from('raw'));
    });
    const heard = open(url);
    const socket = await heard.opened;
    socket.send('hello');
    socket.sendBinary?.(Buffer.from('bytes'));
    socket.ping();
    while (received.length < 2 || heard.pongs < 1 || heard.messages.length < 2) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(received).toEqual(['text hello', 'bytes bytes']);
    expect(heard.messages[0]).toBe('welcome');
    expect(Buffer.from(heard.messages[1] as Uint8Array).toString()).toBe('raw');
    expect(socket.bufferedBytes()).toBe(0);
  });

  it('is closed with a code and a reason, which are told once, and sends nothing after that', async () => {
    const received: string[] = [];
    const url = await accepting((webSocket) =>
      webSocket.on('message', (data) => received.push(String(data))),
    );
    const heard = open(url);
    const socket = await heard.opened;
    socket.close(1000, 'done');
    socket.send('too late');
    socket.sendBinary?.(Buffer.from('too late'));
    socket.ping();
    expect(socket.bufferedBytes()).toBe(0);
    expect(await heard.closed).toEqual({ code: 1000, reason: 'done' });
    socket.close(1000);
    socket.terminate();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(heard.closures).toHaveLength(1);
    expect(received).toEqual([]);
  });

  it.each([
    ['ordinary', 'hello'],
    ['not ASCII, and so for ws', 'grüezi'],
  ])('answers what came with a close frame before it closes: %s', async (_, text) => {
    const received: string[] = [];
    const told = Promise.withResolvers<void>();
    const url = await accepting((webSocket, connection) => {
      webSocket.on('message', (data) => received.push(String(data)));
      webSocket.on('close', () => told.resolve());
      // Both in one piece, as an eager far side has them.
      connection.cork();
      webSocket.send(text);
      webSocket.close(1000);
      connection.uncork();
    });
    let socket: Socket | null = null;
    openWebSocket(
      { url, headers: {}, handshakeTimeoutMs: 5_000, maxMessageBytes: 1_000 },
      {
        onOpen: (opened) => {
          socket = opened;
        },
        onRefused: () => undefined,
        onClose: () => undefined,
        onMessage: (data) => socket?.send(`${data}, too`),
      },
    );
    await told.promise;
    expect(received).toEqual([`${text}, too`]);
  });

  it('that is dropped by either side ends with 1006', async () => {
    const url = await accepting((webSocket) => webSocket.on('message', () => webSocket.terminate()));
    const byUs = open(url);
    (await byUs.opened).terminate();
    expect((await byUs.closed).code).toBe(1006);
    const byThem = open(url);
    (await byThem.opened).send('drop me');
    expect((await byThem.closed).code).toBe(1006);
  });

  it.each([
    ['is too large', 1009, (webSocket: WebSocket) => webSocket.send('x'.repeat(2_000))],
    [
      'is no text though it says so',
      1007,
      (webSocket: WebSocket) => webSocket.send(Buffer.from([0xc3, 0x28]), { binary: false }),
    ],
  ])('ends where a message %s: both sides learn of %i', async (_, code, send) => {
    const told = Promise.withResolvers<number>();
    const url = await accepting((webSocket) => {
      webSocket.on('close', told.resolve);
      send(webSocket);
    });
    const heard = open(url);
    expect((await heard.closed).code).toBe(code);
    expect(await told.promise).toBe(code);
    expect(heard.messages).toEqual([]);
    expect(heard.closures).toHaveLength(1);
  });

  it('that is given up while it opens tells nothing any more', async () => {
    const url = await accepting(() => undefined);
    const heard = open(url);
    heard.giveUp();
    heard.giveUp();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([heard.refusals, heard.closures]).toEqual([[], []]);
    await expect(Promise.race([heard.opened, Promise.resolve('never')])).resolves.toBe('never');
  });

  it('is not ended by giving up once it is open', async () => {
    const heard = open(await accepting(() => undefined));
    await heard.opened;
    heard.giveUp();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(heard.closures).toEqual([]);
  });
});

describe('a socket that never opens', () => {
  it('tells the status and the beginning of the body', async () => {
    const url = await refusing((_request, response) => {
      response.writeHead(401, { 'content-type': 'text/plain' });
      response.end(`no key ${'x'.repeat(10_000)}`);
    });
    const heard = open(url);
    const refusal = await heard.refused;
    expect(refusal).toMatchObject({ kind: 'http', status: 401, retryAfterMs: null });
    expect(refusal.detail).toHaveLength(2_000);
    expect(refusal.detail).toMatch(/^no key x/);
    expect(heard.closures).toEqual([]);
  });

  it('does not wait for a body without end', async () => {
    const url = await refusing((_request, response) => {
      response.writeHead(503);
      const writing = setInterval(() => response.write('y'.repeat(500)), 1);
      response.on('close', () => clearInterval(writing));
    });
    expect(await open(url).refused).toMatchObject({ kind: 'http', status: 503 });
  });

  it.each([
    ['2', 2_000],
    ['-3', 0],
    ['soon', null],
    ['Tue, 01 Jan 2999 00:00:00 GMT', expect.closeTo(Date.UTC(2999, 0, 1) - Date.now(), -6)],
    [new Date(0).toUTCString(), 0],
  ])('tells how long to wait, where that is said: %s', async (header, expected) => {
    const url = await refusing((_request, response) => {
      response.writeHead(429, { 'retry-after': header });
      response.end();
    });
    expect((await open(url).refused).retryAfterMs).toEqual(expected);
  });

  it('tells that nobody listens', async () => {
    const heard = open('ws://127.0.0.1:1/');
    expect(await heard.refused).toMatchObject({ kind: 'network', status: null });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(heard.refusals).toHaveLength(1);
  });

  it('tells that nothing came in time', async () => {
    const server = createTcpServer((socket) => {
      cleanups.push(() => socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => new Promise((resolve) => server.close(resolve)));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const heard = open(`ws://127.0.0.1:${port}/`, { handshakeTimeoutMs: 50 });
    expect(await heard.refused).toMatchObject({ kind: 'timeout' });
  });
});

describe('a socket that we accept', () => {
  it('is the same behind the port, whatever form its bytes come in', async () => {
    const received: (string | Uint8Array)[] = [];
    const closed = Promise.withResolvers<SocketClosure>();
    const url = await accepting((webSocket, connection) => {
      webSocket.binaryType = 'fragments';
      const handlers: SocketHandlers = {
        onMessage: (data) => {
          received.push(data);
          webSocket.binaryType = 'arraybuffer';
          if (received.length === 2) socket.close(4_000, 'enough');
        },
        onClose: closed.resolve,
      };
      const socket = wrapWebSocket(webSocket, handlers, connection);
    });
    const heard = open(url);
    const socket = await heard.opened;
    socket.sendBinary?.(Buffer.from('first'));
    socket.sendBinary?.(Buffer.from('second'));
    expect(await heard.closed).toEqual({ code: 4_000, reason: 'enough' });
    await closed.promise;
    expect(received.map((data) => Buffer.from(data as Uint8Array).toString())).toEqual(['first', 'second']);
  });

  it('sends what is sent in one turn in one write, and nothing later than that turn', async () => {
    const written: number[] = [];
    const url = await accepting((webSocket, connection) => {
      const handlers: SocketHandlers = { onMessage: () => undefined, onClose: () => undefined };
      const socket = wrapWebSocket(webSocket, handlers, connection);
      for (const text of ['one', 'two', 'three']) socket.send(text);
      written.push(socket.bufferedBytes());
      setImmediate(() => written.push(socket.bufferedBytes()));
    });
    const heard = open(url);
    await heard.opened;
    await expect.poll(() => heard.messages).toEqual(['one', 'two', 'three']);
    const framedBytes = 'one'.length + 'two'.length + 'three'.length + 3 * 2;
    expect(written).toEqual([framedBytes, 0]);
  });

  it('sends what was sent before it is closed in the same turn', async () => {
    const url = await accepting((webSocket, connection) => {
      const handlers: SocketHandlers = { onMessage: () => undefined, onClose: () => undefined };
      const socket = wrapWebSocket(webSocket, handlers, connection);
      socket.send('last');
      socket.close(4_000, 'enough');
    });
    const heard = open(url);
    expect(await heard.closed).toEqual({ code: 4_000, reason: 'enough' });
    expect(heard.messages).toEqual(['last']);
  });
});
