/** The health of a service on real servers: the page, readiness and new calls while what it depends on fails and comes back. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort, get, Host, number, until } from './support/host.ts';

let host: Host;
beforeEach(() => {
  host = new Host();
});
afterEach(() => host.close());

interface Report {
  healthy: boolean;
  summary: string;
  ready: boolean;
  admitting: boolean;
  declineCause: string | null;
  budgets: object;
  dependencies: Record<string, { state: string; needed: boolean; found: string; lastError: object | null }>;
}

/** A service with both halves of the twin that is reached at its own public address. */
async function wholeService() {
  const port = await freePort();
  const openaiPort = await freePort();
  const publicUrl = `http://127.0.0.1:${port}`;
  const openai = await host.openai(openaiPort);
  const twilio = await host.twilio(publicUrl);
  const { service } = host.service({
    PORT: String(port),
    PUBLIC_URL: publicUrl,
    OPENAI_REALTIME_URL: openai.url,
    TWILIO_API_URL: twilio.url,
    TWILIO_PHONE_NUMBER: number,
    INSTANCE_ID: 'alpha',
  });
  await service.start();
  const health = async () => {
    const answer = await get(service.addresses.adminPort, '/health');
    const report = JSON.parse(answer?.body ?? '{}') as Report;
    return { status: answer?.status, body: answer?.body ?? '', report };
  };
  return { service, port, openai, openaiPort, twilio, health };
}

/** The causes for which calls were declined, each with how many. */
async function declinedBy(adminPort: number): Promise<string[]> {
  const text = (await get(adminPort, '/metrics'))?.body ?? '';
  const counts = text.matchAll(/^holdfast_calls_declined_total\{cause="(\w+)"\} (\d+)/gm);
  return [...counts].map(([, cause, count]) => `${cause} ${count}`).filter((count) => !count.endsWith(' 0'));
}

describe('a service of which all is well', () => {
  it('has looked at everything within seconds, and says so in words', async () => {
    const { health, port } = await wholeService();
    await until(async () =>
      Object.values((await health()).report.dependencies).every(({ state }) => state === 'up'),
    );
    const { status, body, report } = await health();
    expect(status).toBe(200);
    expect(report).toMatchObject({
      healthy: true,
      summary: 'All is well. New calls are taken.',
      ready: true,
      admitting: true,
      declineCause: null,
    });
    expect(Object.keys(report.dependencies)).toEqual([
      'journal',
      'model',
      'carrierApi',
      'webhooks',
      'publicAddress',
      'cluster',
    ]);
    expect(report.budgets).toMatchObject({
      audio: { limit: 50, exceeded: false, since: null },
      eventLoop: { limit: 100, exceeded: false },
      memory: { unit: 'MB', limit: expect.any(Number), exceeded: false },
      quality: { limit: 30, exceeded: false },
    });
    expect(report.dependencies.publicAddress?.found).toBe(`http://127.0.0.1:${port} leads to this service`);
    expect(report.dependencies.cluster?.found).toBe('alone on this journal');
    expect(body).not.toMatch(/sk-offline|offline-auth-token/);
    expect(body.split('\n').length).toBeGreaterThan(50);
  });
});

describe('a service whose model is gone', () => {
  it('stays ready, is not healthy, declines new calls with words, and takes them again', async () => {
    const { service, health, port, openai, openaiPort, twilio } = await wholeService();
    const { adminPort } = service.addresses;
    await openai.close();
    for (let look = 0; look < 3; look++) await service.health?.look('model').catch(() => undefined);
    const { status, report } = await health();
    expect(status).toBe(503);
    expect(report).toMatchObject({ healthy: false, ready: true, admitting: false, declineCause: 'model' });
    expect(report.summary).toContain('New calls are declined: the model cannot be reached.');
    expect((await get(port, '/ready'))?.status).toBe(200);

    const declined = twilio.placeCall({ to: number, from: '+15550123' });
    await declined.ended;
    expect(declined.events.filter(({ event }) => event === 'announced')).toMatchObject([
      { text: expect.stringContaining('all lines are busy') },
    ]);
    expect(declined.events.map(({ event }) => event)).not.toContain('streamOpening');
    expect(await declinedBy(adminPort)).toEqual(['model 1']);
    expect(service.open.calls).toBe(0);

    await host.openai(openaiPort);
    await service.health?.look('model');
    expect((await health()).report).toMatchObject({ healthy: true, admitting: true });
    const taken = twilio.placeCall({ to: number, from: '+15550124' });
    await until(() => taken.events.some(({ event }) => event === 'streamStarted'));
    const { found } = (await health()).report.dependencies.model ?? {};
    expect(found).toMatch(/^a call’s session was open in \d+ ms$/);
    taken.hangUp();
    await taken.ended;
  });
});

describe('a service that stops', () => {
  it('looks at nothing any more', async () => {
    const { service, twilio } = await wholeService();
    const { health } = service;
    expect(await health?.look('carrierApi')).toBe('it answered a request with our credentials');
    twilio.refuseRequests(1);
    service.stop('enough');
    await service.stopped;
    await expect(health?.look('carrierApi')).rejects.toMatchObject({ code: 'look.stopped' });
  });
});
