/** A process that is silent in the journal may hold its calls all the same: it is asked itself. */

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { InstanceRow } from '../../src/runtime/ports/journal.ts';
import { addressOfAdmin, hasCalls } from '../../src/service/sibling-question.ts';

const asker = { host: 'here', token: 'the-token' };
let server: Server | undefined;

afterEach(() => {
  server?.close();
  server?.closeAllConnections();
});

async function answering(body: string, status = 200): Promise<{ row: InstanceRow; seen: string[] }> {
  const seen: string[] = [];
  server = createServer((request, response) => {
    seen.push(`${request.url} ${request.headers.authorization}`);
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { row: rowAt(addressOfAdmin('127.0.0.1', port)), seen };
}

const rowAt = (address: string | null, host = 'here'): InstanceRow => ({
  instance: 'one',
  pid: 1,
  host,
  ready: true,
  startedAt: 0,
  address,
  beatAgeMs: 9_000,
  isConnected: null,
});

describe('a silent process', () => {
  it('holds calls where it says so, in good health or not', async () => {
    const { row, seen } = await answering(JSON.stringify({ instance: 'one', liveCalls: 2 }), 503);
    expect(await hasCalls(row, asker)).toBe(true);
    expect(seen).toEqual(['/health Bearer the-token']);
  });

  it.each([
    ['says that it has none', JSON.stringify({ instance: 'one', liveCalls: 0 })],
    ['is another one by now', JSON.stringify({ instance: 'two', liveCalls: 2 })],
    ['says something else', '<html>'],
  ])('holds none where it %s', async (_, body) => {
    expect(await hasCalls((await answering(body)).row, asker)).toBe(false);
  });

  it('holds none where nothing answers, or nothing can be asked', async () => {
    const { row } = await answering(JSON.stringify({ instance: 'one', liveCalls: 2 }));
    expect(await hasCalls({ ...row, host: 'elsewhere' }, asker)).toBe(false);
    expect(await hasCalls(rowAt(null), asker)).toBe(false);
    expect(await hasCalls(rowAt('http://127.0.0.1:1'), asker)).toBe(false);
  });

  it('holds none where it takes the question and does not answer, as one that is frozen', async () => {
    server = createServer(() => undefined);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await hasCalls(rowAt(`http://127.0.0.1:${port}`), asker)).toBe(false);
  });

  it('is asked on loopback where it listens everywhere', () => {
    expect(addressOfAdmin('::1', 90)).toBe('http://[::1]:90');
    expect(addressOfAdmin('0.0.0.0', 90)).toBe('http://127.0.0.1:90');
    expect(addressOfAdmin('0.0.0.0', undefined)).toBeNull();
  });

  it('of another host is not even asked: the token would travel in the clear', async () => {
    const { row, seen } = await answering(JSON.stringify({ instance: 'one', liveCalls: 2 }));
    await hasCalls({ ...row, host: 'elsewhere' }, asker);
    expect(seen).toEqual([]);
  });
});
