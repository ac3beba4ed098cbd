import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, createServer, type Socket as TcpSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  closingGraceMs,
  PublicServer,
  type PublicServerOptions,
} from '../../../src/adapters/http/public-server.ts';
import { VirtualClock } from '../../../src/twin/virtual-clock.ts';

let clock: VirtualClock;
let servers: PublicServer[];
let sockets: TcpSocket[];
let errors: unknown[];
beforeEach(() => {
  clock = new VirtualClock();
  servers = [];
  sockets = [];
  errors = [];
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) await server.close();
  expect(clock.pendingTimers).toBe(0);
});

const destroy = (_request: IncomingMessage, socket: Duplex) => socket.destroy();

async function open(options: Partial<PublicServerOptions> = {}): Promise<PublicServer> {
  const server = await PublicServer.open({
    host: '127.0.0.1',
    port: 0,
    clock,
    routes: async () => undefined,
    onUpgrade: destroy,
    isLive: () => true,
    prove: (nonce) => `proof of ${nonce}`,
    isReady: () => true,
    onError: (error) => errors.push(error),
    ...options,
  });
  servers.push(server);
  return server;
}

const get = (server: PublicServer, path: string, init: RequestInit = {}) =>
  fetch(`http://127.0.0.1:${server.port}${path}`, {
    ...init,
    headers: { connection: 'close', ...init.headers },
  });

/** A connection that speaks HTTP by hand. */
async function dial(server: PublicServer, text: string): Promise<TcpSocket> {
  const socket = connect(server.port, '127.0.0.1').setEncoding('utf8');
  sockets.push(socket);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

const request = (path: string, ...headers: string[]) =>
  [`GET ${path} HTTP/1.1`, 'Host: x', ...headers, '', ''].join('\r\n');
const upgrade = ['Connection: Upgrade', 'Upgrade: websocket'];
const waitForTimer = () => vi.waitFor(() => expect(clock.pendingTimers).toBe(1));

describe('the public server', () => {
  it('tells a balancer with its readiness how it stands, and nobody else', async () => {
    let load = '0.50';
    const standing = () => ({ 'holdfast-admission': 'open', 'holdfast-load': load });
    const server = await open({ standing, isReady: () => false });
    load = '0.75';
    const ready = await get(server, '/ready');
    expect([ready.status, ready.headers.get('holdfast-load')]).toEqual([503, '0.75']);
    for (const path of ['/live', '/elsewhere'])
      expect((await get(server, path)).headers.has('holdfast-load')).toBe(false);
  });

  it('says whether the process lives and is ready', async () => {
    let ready = false;
    const server = await open({ isReady: () => ready });
    expect((await get(server, '/live')).status).toBe(200);
    expect((await get(server, '/ready')).status).toBe(503);
    ready = true;
    const response = await get(server, '/ready');
    expect([response.status, await response.json()]).toEqual([200, { ok: true }]);
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it('proves that it is this service by a nonce, and signs nothing else', async () => {
    const server = await open();
    const proofFor = async (query: string) =>
      (await get(server, `/live${query}`)).headers.get('holdfast-proof');
    const nonce = '0123456789abcdef'.repeat(2);
    expect(await proofFor(`?nonce=${nonce}`)).toBe(`proof of ${nonce}`);
    const others = [
      '',
      '?nonce=',
      `?nonce=${nonce}0`,
      `?nonce=${nonce.slice(1)}G`,
      `?nonce=${nonce}&nonce=1`,
    ];
    for (const query of others) expect(await proofFor(query)).toBeNull();
  });

  it('serves what the plugin serves, and nothing else', async () => {
    const routes = async (app: FastifyInstance) => {
      app.post('/twilio/voice', async () => 'voice');
    };
    const server = await open({ routes });
    const response = await get(server, '/twilio/voice', { method: 'POST' });
    expect(await response.text()).toBe('voice');
    for (const [method, path] of [
      ['GET', '/twilio/voice'],
      ['GET', '/'],
      ['GET', '/health'],
      ['GET', '/metrics'],
      ['POST', '/live'],
      ['GET', '/%2e%2e/%00'],
      ['TRACE', '/live'],
    ] as const) {
      const { status, body } = await rawRequest(server, method, path);
      expect([method, path, status]).toEqual([method, path, 404]);
      expect(body).toBe('');
    }
  });

  async function rawRequest(server: PublicServer, method: string, path: string) {
    const socket = await dial(server, `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    let text = '';
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    await once(socket, 'close');
    const [head = '', body = ''] = text.split('\r\n\r\n');
    expect(head.toLowerCase()).not.toContain('x-powered-by');
    return { status: Number(head.split(' ')[1]), body };
  }

  it('tells a stranger nothing about an error of its own', async () => {
    const routes = async (app: FastifyInstance) => {
      app.get('/broken', async () => {
        throw new Error('secret');
      });
      app.get('/odd', async () => {
        throw Object.assign(new Error('secret'), { statusCode: 599 });
      });
    };
    const server = await open({ routes });
    for (const path of ['/broken', '/odd']) {
      const response = await get(server, path);
      expect([response.status, await response.text()]).toEqual([500, '']);
    }
    expect(errors).toHaveLength(2);
  });

  it('refuses a request that is too large or no HTTP, and goes on', async () => {
    const routes = async (app: FastifyInstance) => {
      app.post('/body', async () => 'taken');
    };
    const server = await open({ routes });
    const headers = { 'content-type': 'application/json' };
    const large = { method: 'POST', headers, body: JSON.stringify('x'.repeat(64 * 1_024)) };
    const response = await get(server, '/body', large);
    expect([response.status, await response.text()]).toEqual([413, '']);
    const socket = await dial(server, '\x16\x03\x01 this is not HTTP\r\n\r\n');
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 400/);
    expect((await get(server, '/live')).status).toBe(200);
    expect(errors).toEqual([]);
  });

  it('hands a WebSocket upgrade on, and answers a request that offers another protocol as it is', async () => {
    const upgraded: (string | undefined)[] = [];
    const server = await open({
      onUpgrade: (incoming, socket) => {
        upgraded.push(incoming.url);
        socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n');
      },
    });
    const socket = await dial(server, request('/twilio/media/a', ...upgrade));
    expect(String((await once(socket, 'data'))[0])).toMatch(/ 101 /);
    const other = await dial(server, request('/live', 'Connection: Upgrade', 'Upgrade: h2c'));
    expect(String((await once(other, 'data'))[0])).toMatch(/ 200 /);
    expect(upgraded).toEqual(['/twilio/media/a']);
  });

  it('may share its port with another process on Linux', async () => {
    const one = await open();
    const other = open({ port: one.port });
    if (process.platform === 'linux') expect((await other).port).toBe(one.port);
    else await expect(other).rejects.toThrow(/EADDRINUSE/);
  });

  it('fails where it cannot listen', async () => {
    await expect(open({ host: '192.0.2.1' })).rejects.toThrow(/EADDRNOTAVAIL|EACCES|ENETUNREACH/);
  });
});

describe('the public server, when it stops listening', () => {
  it('takes no connection, and serves what is open with the advice to go elsewhere', async () => {
    const server = await open();
    const socket = await dial(server, 'GET /live HTTP/1.1\r\n');
    await clock.advance(0);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const stopped = server.stopListening();
    await expect(get(server, '/live')).rejects.toThrow();
    socket.write('Host: x\r\n\r\n');
    const [answer] = await once(socket, 'data');
    expect(answer).toMatch(/^HTTP\/1\.1 200/);
    expect(answer).toMatch(/\r\nconnection: close\r\n/i);
    await stopped;
  });

  it('may listen again at its port, as often as it likes', async () => {
    const server = await open();
    const { port } = server;
    await server.listenAgain();
    for (let time = 0; time < 3; time += 1) {
      const kept = await dial(server, 'GET /live HTTP/1.1\r\n');
      await clock.advance(0);
      void server.stopListening();
      await expect(get(server, '/live')).rejects.toThrow();
      await server.listenAgain();
      expect(server.port).toBe(port);
      expect((await get(server, '/live')).status).toBe(200);
      kept.destroy();
    }
    void server.stopListening();
    const again = server.listenAgain();
    // What was asked for last holds, though it is not open yet.
    const stopped = server.stopListening();
    await again;
    await stopped;
    await expect(get(server, '/live')).rejects.toThrow();
    await server.close();
    await server.listenAgain();
    await expect(get(server, '/live')).rejects.toThrow();
  });

  it('stays closed where its port is taken meanwhile, and can be asked once more', async () => {
    const server = await open();
    await server.stopListening();
    const other = createServer().listen(server.port, '127.0.0.1');
    await once(other, 'listening');
    await expect(server.listenAgain()).rejects.toThrow('EADDRINUSE');
    await new Promise((resolve) => other.close(resolve));
    await server.listenAgain();
    expect((await get(server, '/live')).status).toBe(200);
  });

  it('waits for the owners of upgraded sockets, however long they take', async () => {
    const { promise: upgraded, resolve } = Promise.withResolvers<Duplex>();
    const server = await open({ onUpgrade: (_request, socket) => resolve(socket) });
    await dial(server, request('/twilio/media/a', ...upgrade));
    const owned = await upgraded;
    let isClosed = false;
    const closed = server.close().then(() => {
      isClosed = true;
    });
    await clock.advance(closingGraceMs * 10);
    await new Promise((done) => setImmediate(done));
    expect(isClosed).toBe(false);
    expect(owned.destroyed).toBe(false);
    owned.destroy();
    await closed;
  });

  it('cuts off a request that does not come to its end within the grace', async () => {
    const server = await open();
    const socket = await dial(server, 'GET /live HTTP/1.1\r\n');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const closed = server.close();
    await waitForTimer();
    await clock.advance(closingGraceMs - 1);
    expect(socket.destroyed).toBe(false);
    await clock.advance(1);
    await closed;
    await vi.waitFor(() => expect(socket.destroyed).toBe(true));
  });

  it('may be closed twice', async () => {
    const server = await open();
    await Promise.all([server.stopListening(), server.close(), server.close()]);
  });
});
