/** The two servers of a running process: what strangers get, what is logged of it, and what is closed again. */
import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { fastClock, freePort, get, Host, until } from './support/host.ts';

let host: Host;
beforeEach(() => {
  host = new Host();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await host.close();
});

const getFrom = (port: number, headers: Record<string, string>): Promise<number> =>
  new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path: '/health', headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });

describe('a stranger', () => {
  it('gets 403 for an unsigned webhook, and no call is begun', async () => {
    const { service } = host.service({});
    await service.start();
    const { publicPort } = service.addresses;
    const answer = await fetch(`http://127.0.0.1:${publicPort}/twilio/voice`, {
      method: 'POST',
      body: new URLSearchParams({ CallSid: `CA${'1'.repeat(32)}`, From: '+15550123', To: '+15550100' }),
    });
    expect(answer.status).toBe(403);
    expect(await service.journal.list({})).toEqual([]);
    const metrics = await get(service.addresses.adminPort, '/metrics');
    expect(metrics?.body).toContain('holdfast_edge_events_total{event="webhook.unsigned"} 1');
  });

  it('gets 403 for an unsigned media stream', async () => {
    const { service } = host.service({});
    await service.start();
    const webSocket = new WebSocket(`ws://127.0.0.1:${service.addresses.publicPort}/twilio/media/one`);
    const error = await new Promise<Error>((resolve) => webSocket.once('error', resolve));
    expect(error.message).toContain('403');
  });

  it('gets nothing of the admin port through a proxy or under another name', async () => {
    const openai = await host.openai();
    const { service } = host.service({ OPENAI_REALTIME_URL: openai.url });
    await service.start();
    const { adminPort } = service.addresses;
    expect(await getFrom(adminPort, {})).toBe(200);
    expect(await getFrom(adminPort, { 'x-forwarded-for': '203.0.113.7' })).toBe(403);
    expect(await getFrom(adminPort, { host: 'calls.example.com' })).toBe(403);
  });
});

describe('an admin address that this machine does not have', () => {
  it('ends the start with advice, and the public port is free again', async () => {
    const { service, outcome } = host.service({
      ADMIN_HOST: '192.0.2.1',
      ADMIN_PORT: String(await freePort()),
      ADMIN_TOKEN: 'a-token-of-some-length',
    });
    expect(await service.start()).toBe('failed');
    await service.stopped;
    expect(outcome('http')?.detail).toMatch(/^this machine has no such address: 192\.0\.2\.1:\d+$/);
    expect(() => service.addresses).toThrow('publicServer is not there yet');
  });
});

describe('a process without an address of its own', () => {
  it('opens a tunnel, tries again where it does not open, and closes it in the end', async () => {
    const closed = vi.fn(async () => undefined);
    let tries = 0;
    vi.doMock('@ngrok/ngrok', () => ({
      default: {
        forward: async ({ authtoken }: { authtoken: string }) => {
          tries += 1;
          if (tries === 1) throw new Error(`${authtoken} is not known`);
          return { url: () => 'https://tunnel.example.com', close: closed };
        },
      },
    }));
    const { service, outcome } = host.service(
      { PUBLIC_URL: '', NGROK_AUTHTOKEN: 'ngrok-token', TWILIO_PHONE_NUMBER: '+15550100' },
      fastClock(10),
    );
    expect(await service.start()).toBe('running');
    expect(outcome('publicAddress')).toMatchObject({
      outcome: 'failed',
      detail: 'the tunnel did not open: … is not known',
    });
    expect(outcome('webhooks')?.detail).toBe('there is no public address yet');
    expect(service.publicUrl).toBeNull();
    await until(() => outcome('publicAddress')?.outcome === 'passed');
    expect(outcome('publicAddress')?.detail).toBe('https://tunnel.example.com (ngrok)');
    expect(service.publicUrl).toBe('https://tunnel.example.com');
    service.stop('enough');
    await service.stopped;
    expect(closed).toHaveBeenCalledTimes(1);
    vi.doUnmock('@ngrok/ngrok');
  });
});
