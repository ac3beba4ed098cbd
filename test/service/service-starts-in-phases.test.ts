/** The start of a process on real sockets and a real file: its phases, what each of them finds, what it says of it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { Service } from '../../src/service/service.ts';
import { fastClock, freePort, get, Host, leave, number, occupy, until } from './support/host.ts';

let host: Host;
beforeEach(() => {
  host = new Host();
});
afterEach(() => host.close());

describe('a start', () => {
  it('goes through its phases in order, and each says what it found', async () => {
    const openai = await host.openai();
    const twilio = await host.twilio('https://calls.example.com');
    const { service, facts, outcome } = host.service({
      OPENAI_REALTIME_URL: openai.url,
      TWILIO_API_URL: twilio.url,
      TWILIO_PHONE_NUMBER: number,
    });
    expect(await service.start()).toBe('running');
    expect(facts.map((fact) => ('phase' in fact ? `${fact.phase} ${fact.type}` : fact.type))).toEqual([
      'configuration phase.passed',
      'journal phase.passed',
      'model phase.passed',
      'http phase.passed',
      'publicAddress phase.passed',
      'webhooks phase.passed',
    ]);
    const { publicPort, adminPort } = service.addresses;
    expect(outcome('configuration')?.detail).toContain('front-desk.ts');
    expect(outcome('journal')?.detail).toBe(`sqlite:${host.journalPath}`);
    expect(outcome('model')?.detail).toMatch(/^gpt-realtime-2\.1 at ws:.* session open in \d+ ms$/);
    expect(outcome('http')?.detail).toBe(
      `http://127.0.0.1:${publicPort}, console http://127.0.0.1:${adminPort}`,
    );
    expect(outcome('publicAddress')?.detail).toBe('https://calls.example.com');
    expect(outcome('webhooks')?.detail).toBe('the number’s calls come here');
    expect(service.publicUrl).toBe('https://calls.example.com');
    expect(service.open).toEqual({ calls: 0, parts: 0 });
  });

  it('is shown on the health page, to nobody but the admin port', async () => {
    const openai = await host.openai();
    const { service } = host.service({ OPENAI_REALTIME_URL: openai.url, INSTANCE_ID: 'alpha' });
    await service.start();
    const { publicPort, adminPort } = service.addresses;
    const health = await get(adminPort, '/health');
    expect(health?.status).toBe(200);
    expect(JSON.parse(health?.body ?? '')).toMatchObject({
      healthy: true,
      ready: true,
      state: 'running',
      instance: 'alpha',
      publicUrl: 'https://calls.example.com',
      liveCalls: 0,
      clockSkewMs: 0,
      phases: { model: { outcome: 'passed' } },
    });
    expect(health?.body).not.toContain('offline-auth-token');
    expect((await get(publicPort, '/health'))?.status).toBe(404);
    expect((await get(publicPort, '/live'))?.status).toBe(200);
    expect((await get(publicPort, '/ready'))?.status).toBe(200);
  });

  it('knows a configured public address before it listens', async () => {
    const known: (string | null)[] = [];
    const service: Service = new Service({
      environment: host.environment(),
      clock: systemClock,
      onChange: (_, fact) => {
        if (fact?.type === 'phase.passed' && fact.phase === 'journal') known.push(service.publicUrl);
      },
    });
    host.onClose(async () => {
      service.stop('the test is over');
      await service.stopped;
    });
    await service.start();
    expect(known).toEqual(['https://calls.example.com']);
  });

  it('tells the other processes at once that it is ready', async () => {
    const isKnown = async (): Promise<boolean> =>
      (await service.journal.instances()).some(({ ready }) => ready);
    // Its beats are a minute apart.
    const { service } = host.service({}, fastClock(1 / 60));
    await service.start();
    await until(isKnown);
  });

  it('needs no phone number, and says that its addresses were not looked at', async () => {
    const { service, outcome } = host.service({});
    await service.start();
    expect(outcome('webhooks')).toMatchObject({
      outcome: 'passed',
      detail: expect.stringContaining('not checked'),
    });
  });
});

describe('a model that is down', () => {
  it('keeps no process from starting, and is found once it is there', async () => {
    const port = await freePort();
    const url = `ws://127.0.0.1:${port}/v1/realtime`;
    const { service, outcome, facts } = host.service({ OPENAI_REALTIME_URL: url }, fastClock(10));
    expect(await service.start()).toBe('running');
    expect(outcome('model')).toMatchObject({
      outcome: 'failed',
      advice: expect.stringContaining('OPENAI_API_KEY'),
    });
    expect((await get(service.addresses.publicPort, '/ready'))?.status).toBe(200);
    const health = await get(service.addresses.adminPort, '/health');
    expect(health?.status).toBe(503);
    expect(JSON.parse(health?.body ?? '')).toMatchObject({ healthy: false, ready: true });

    await host.openai(port);
    await until(() => outcome('model')?.outcome === 'passed');
    await until(async () => (await get(service.addresses.adminPort, '/health'))?.status === 200);
    const outcomes = () => facts.filter((fact) => 'phase' in fact).length;
    const seen = outcomes();
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(outcomes()).toBe(seen);
  });

  it('that answers nothing at all is not waited for', async () => {
    const silent = createServer(() => undefined);
    silent.on('upgrade', (_request, socket) => host.onClose(() => socket.destroy()));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    host.onClose(() => new Promise((resolve) => silent.close(resolve)));
    const address = silent.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const { service, outcome } = host.service(
      { OPENAI_REALTIME_URL: `ws://127.0.0.1:${port}/v1/realtime` },
      fastClock(10),
    );
    expect(await service.start()).toBe('running');
    expect(outcome('model')?.outcome).toBe('pending');
    await until(() => outcome('model')?.outcome === 'failed');
  });
});

describe('a port that is taken', () => {
  it('ends the start, with advice, and leaves nothing open', async () => {
    const { port, server } = await occupy(0);
    host.onClose(() => leave(server));
    const { service, outcome, state } = host.service({ PORT: String(port) });
    expect(await service.start()).toBe('failed');
    await service.stopped;
    expect(state()).toBe('aborted');
    expect(outcome('http')).toMatchObject({
      outcome: 'failed',
      detail: `the port is taken: 127.0.0.1:${port}`,
      advice: expect.stringContaining('PORT'),
    });
    await expect(service.journal.list({})).rejects.toMatchObject({ code: 'journal.closed' });
  });

  it('gives way to the next one where it is the admin port', async () => {
    const { port, server } = await occupy(0);
    host.onClose(() => leave(server));
    const { service } = host.service({ ADMIN_PORT: String(port) });
    expect(await service.start()).toBe('running');
    const { adminPort } = service.addresses;
    expect(adminPort).toBeGreaterThan(port);
    expect((await get(adminPort, '/health'))?.status).toBe(503);
  });
});

describe('a journal that is none', () => {
  it.each([
    ['garbage', Buffer.from('this is no journal, but something of somebody. '.repeat(200))],
    ['half a page', Buffer.from('SQLite format 3\0half')],
  ])('ends the start, names the file and leaves it as it was: %s', async (_, content) => {
    mkdirSync(dirname(host.journalPath), { recursive: true });
    writeFileSync(host.journalPath, content);
    const { service, outcome, facts } = host.service({});
    expect(await service.start()).toBe('failed');
    await service.stopped;
    expect(outcome('journal')).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining(host.journalPath),
      advice: expect.stringContaining('JOURNAL_URL'),
    });
    expect(facts).toHaveLength(3);
    expect(readFileSync(host.journalPath).equals(content)).toBe(true);
  });
});

describe('a configuration', () => {
  it('that is wrong ends the start before anything is opened', async () => {
    const { service, outcome } = host.service({ TWILIO_AUTH_TOKEN: '', PORT: 'eighty' });
    expect(await service.start()).toBe('failed');
    await service.stopped;
    const detail = outcome('configuration')?.detail ?? '';
    expect(detail).toContain('TWILIO_AUTH_TOKEN is missing');
    expect(detail).toContain('PORT must be a port number');
    expect(() => service.journal).toThrow('journal is not there yet');
  });

  it('whose agent does not parse ends the start with the line that is wrong', async () => {
    const agent = join(host.folder, 'agent.ts');
    writeFileSync(agent, 'export default {\n  name: "a",\n  instructions: "b",\n  greeting: 7,\n};\n');
    const { service, outcome } = host.service({ AGENT: agent });
    expect(await service.start()).toBe('failed');
    expect(outcome('configuration')?.detail).toContain('agent.ts:4: greeting');
  });
});

describe('a number', () => {
  it('that points elsewhere is told, with what to do, and looked at again', async () => {
    const twilio = await host.twilio('https://elsewhere.example.com');
    const changes = { TWILIO_API_URL: twilio.url, TWILIO_PHONE_NUMBER: number };
    const { service, outcome } = host.service(changes, fastClock(10));
    expect(await service.start()).toBe('running');
    expect(outcome('webhooks')).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('points elsewhere'),
      advice: expect.stringContaining('npx holdfast number point-here'),
    });
    twilio.configureNumber(number, {
      voiceUrl: 'https://calls.example.com/twilio/voice',
      statusCallback: 'https://calls.example.com/twilio/status',
    });
    await until(() => outcome('webhooks')?.outcome === 'passed');
  });

  it('that cannot be looked at keeps no process from starting', async () => {
    const { service, outcome } = host.service({ TWILIO_PHONE_NUMBER: number });
    expect(await service.start()).toBe('running');
    expect(outcome('webhooks')).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining("Twilio's REST API did not answer"),
    });
  });
});
