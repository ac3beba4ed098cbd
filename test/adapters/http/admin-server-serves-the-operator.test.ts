import { createServer, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AdminAccess, type AdminAccessOptions } from '../../../src/adapters/http/admin-access.ts';
import type { AdminServer, AdminServerOptions } from '../../../src/adapters/http/admin-server.ts';
import { VirtualClock } from '../../../src/twin/virtual-clock.ts';
import { Admin } from './support/admin.ts';

let admin: Admin;
beforeEach(() => {
  admin = new Admin();
});
afterEach(() => admin.close());

const open = (options: Partial<AdminServerOptions> = {}): Promise<AdminServer> => admin.open(options);
const get = (_: AdminServer, path: string, headers: Record<string, string> = {}) => admin.get(path, headers);
const accessOf = (options: Omit<AdminAccessOptions, 'localName' | 'clock'>): AdminAccess =>
  new AdminAccess({ ...options, localName: 'ann', clock: new VirtualClock() });

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('the health page', () => {
  it('shows the report, with 200 where all is well and 503 where it is not', async () => {
    let healthy = true;
    const server = await open({ health: () => ({ healthy, journal: 'up' }) });
    const good = await get(server, '/health');
    expect([good.status, JSON.parse(good.body)]).toEqual([200, { healthy: true, journal: 'up' }]);
    expect(good.headers['cache-control']).toBe('no-store');
    healthy = false;
    const bad = await get(server, '/health');
    expect([bad.status, JSON.parse(bad.body)]).toEqual([503, { healthy: false, journal: 'up' }]);
  });

  it('says 500 and nothing more when the report cannot be made', async () => {
    const server = await open({
      health: () => {
        throw new Error('secret');
      },
    });
    const response = await get(server, '/health');
    expect([response.status, response.body]).toEqual([500, '']);
    expect(admin.errors).toEqual([new Error('secret')]);
  });

  it('stands where nothing of the carrier’s is', async () => {
    const server = await open();
    for (const path of ['/live', '/ready', '/twilio/voice'])
      expect((await get(server, path)).status).toBe(404);
  });
});

describe('the admin server on loopback', () => {
  it('is open to what was sent to it directly', async () => {
    const server = await open({ token: null });
    for (const host of ['127.0.0.1', 'localhost:8081', '[::1]:8081', '127.9.9.9']) {
      expect((await get(server, '/health', { host })).status).toBe(200);
    }
  });

  const throughProxy: Record<string, string>[] = [
    { 'x-forwarded-for': '1.2.3.4' },
    { 'x-forwarded-host': 'somewhere' },
    { 'x-forwarded-proto': 'https' },
    { forwarded: 'for=1.2.3.4' },
    { via: '1.1 proxy' },
    { 'ngrok-skip-browser-warning': '1' },
    { 'ngrok-trace-id': 'x' },
    { host: 'rebound.example' },
    { host: 'calls.example:8081' },
    { host: '127.0.0.1.evil.example' },
  ];
  it.each(throughProxy)(
    'refuses with 403 what came through a proxy or to another name: %j',
    async (headers) => {
      const server = await open();
      expect((await get(server, '/health', headers)).status).toBe(403);
      expect((await get(server, '/health', { ...headers, ...bearer('wrong') })).status).toBe(403);
      expect(admin.refused).toEqual(['forbidden', 'forbidden']);
      expect((await get(server, '/health', { ...headers, ...bearer('secret') })).status).toBe(200);
    },
  );

  it.each(throughProxy)('lets nobody in by a token where none is set: %j', async (headers) => {
    const server = await open({ token: '' });
    for (const token of ['', 'null', 'undefined']) {
      expect((await get(server, '/health', { ...headers, ...bearer(token) })).status).toBe(403);
    }
  });

  it('lets nobody in by an empty token where none is set', () => {
    for (const token of [null, '']) {
      const access = accessOf({ host: '127.0.0.1', token, publicUrl: () => null });
      expect(access.judge({ authorization: 'Bearer ' })).toBe('forbidden');
    }
  });

  it('refuses what was sent to the public address, with a token or without', async () => {
    const server = await open();
    const publicly: Record<string, string>[] = [
      { host: 'calls.example' },
      { host: 'CALLS.example' },
      { host: '127.0.0.1', 'x-forwarded-host': 'calls.example' },
      { host: '127.0.0.1', 'x-forwarded-host': 'inner, calls.example' },
    ];
    for (const headers of publicly) {
      expect((await get(server, '/health', { ...headers, ...bearer('secret') })).status).toBe(403);
    }
  });

  it('refuses what was sent to no name at all', () => {
    const access = accessOf({ host: '127.0.0.1', token: null, publicUrl: () => null });
    for (const host of [undefined, '', ':', 'a b']) expect(access.judge({ host })).toBe('forbidden');
    expect(access.judge({ host: 'localhost' })).toBe('admitted');
  });

  it('is open while the public address is not known', async () => {
    const server = await open({ publicUrl: () => null });
    expect((await get(server, '/health')).status).toBe(200);
  });
});

describe('the admin server off loopback', () => {
  it('needs the token, whoever asks', async () => {
    const server = await open({ host: '0.0.0.0' });
    const without = await get(server, '/health');
    expect([without.status, without.headers['www-authenticate']]).toEqual([401, 'Bearer']);
    expect((await get(server, '/health', bearer('Secret'))).status).toBe(401);
    expect((await get(server, '/health', { authorization: 'secret' })).status).toBe(401);
    expect((await get(server, '/health', bearer('secret'))).status).toBe(200);
    expect((await get(server, '/nowhere')).status).toBe(401);
    expect(admin.refused).toEqual(['unauthorized', 'unauthorized', 'unauthorized', 'unauthorized']);
  });

  it.each([null, ''])('is not opened without a token', async (token) => {
    await expect(open({ host: '0.0.0.0', token })).rejects.toMatchObject({ code: 'configuration.invalid' });
  });

  it('admits nothing but the very token', () => {
    const access = accessOf({ host: '0.0.0.0', token: 'secret', publicUrl: () => null });
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.constantFrom('secret', 'Bearer', 'bearer secret')),
        (authorization) => {
          expect(access.judge({ authorization })).toBe('unauthorized');
        },
      ),
    );
    expect(access.judge({ authorization: 'Bearer secret' })).toBe('admitted');
  });
});

describe('the port of the admin server', () => {
  const listenOn = (port: number): Promise<Server> => {
    const server = createServer();
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => resolve(server));
    });
  };
  const portOf = (server: Server) => (server.address() as AddressInfo).port;

  /** Takes `count` ports in a row, wherever so many are free. */
  async function take(count: number): Promise<{ ports: number[]; release: () => Promise<void> }> {
    const first = await listenOn(0);
    const next = Array.from({ length: count - 1 }, (_, index) => listenOn(portOf(first) + index + 1));
    const outcomes = await Promise.allSettled(next);
    const taken = [first, ...outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))];
    const release = async () => {
      for (const server of taken) await new Promise((resolve) => server.close(resolve));
    };
    if (taken.length === count) return { ports: taken.map(portOf), release };
    await release();
    return take(count);
  }

  it('is the next free one where it is taken', async () => {
    const { ports, release } = await take(3);
    const server = await open({ port: ports[0]! });
    expect(server.port).toBeGreaterThan(ports[2]!);
    expect((await get(server, '/health')).status).toBe(200);
    await release();
  });

  it('is given up after 20 tries', async () => {
    const { ports, release } = await take(20);
    await expect(open({ port: ports[0]! })).rejects.toThrow(/EADDRINUSE/);
    await release();
  });

  it('is not looked for beyond the last one there is', async () => {
    const blocker = createServer();
    const blocked = new Promise<boolean>((resolve) => {
      blocker.once('error', () => resolve(false));
      blocker.listen(65_535, '127.0.0.1', () => resolve(true));
    });
    await blocked;
    await expect(open({ port: 65_535 })).rejects.toThrow(/EADDRINUSE/);
    blocker.close();
  });

  it('fails at once for another reason than being taken', async () => {
    const listened = vi.spyOn(Server.prototype, 'listen');
    await expect(open({ host: '192.0.2.1' })).rejects.toThrow(/EADDRNOTAVAIL|EACCES|ENETUNREACH/);
    expect(listened).toHaveBeenCalledOnce();
    listened.mockRestore();
  });
});

it('serves metrics as the text that a scraper reads, under the same access', async () => {
  const server = await open({ host: '127.0.0.1', token: null });
  const answer = await get(server, '/metrics');
  expect(answer).toMatchObject({ status: 200, body: 'holdfast_calls_live 0\n' });
  expect(answer.headers['content-type']).toContain('version=0.0.4');
  const proxied = await get(server, '/metrics', { 'x-forwarded-for': '203.0.113.1' });
  expect(proxied.status).toBe(403);
});
