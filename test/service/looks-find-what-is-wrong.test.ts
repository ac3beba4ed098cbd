/** How each dependency is looked at, with real servers: what is found, and what a failed look says. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PublicServer } from '../../src/adapters/http/public-server.ts';
import { TwilioApi } from '../../src/adapters/twilio/api.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { InstanceRow } from '../../src/runtime/ports/journal.ts';
import { Dependency } from '../../src/service/health/dependency.ts';
import { createLooks, type Looks, type LooksOptions } from '../../src/service/health/looks.ts';
import { proofOf } from '../../src/service/health/reachability.ts';
import { account, freePort, Host, number } from './support/host.ts';

let host: Host;
beforeEach(() => {
  host = new Host();
});
afterEach(() => host.close());

interface Place {
  apiUrl?: string;
  publicUrl?: string | null;
  kind?: 'url' | 'tunnel';
  rows?: InstanceRow[];
  clockSkewMs?: number;
  probe?: () => Promise<number>;
}

function looksAt(place: Place): Looks {
  const { apiUrl = 'http://127.0.0.1:9', publicUrl = 'http://127.0.0.1:9', kind = 'url' } = place;
  const twilio = { ...account, apiUrl, phoneNumber: number, fallbackUrl: null };
  const options: LooksOptions = {
    configuration: {
      instance: 'alpha',
      openai: { apiKey: 'sk-offline', model: 'gpt-realtime', realtimeUrl: 'wss://model.example' },
      twilio,
      publicAddress: kind === 'url' ? { kind, url: publicUrl ?? '' } : { kind, authToken: 'token' },
    },
    model: { probe: place.probe ?? (async () => 120.4) },
    api: new TwilioApi(twilio, systemClock),
    journal: { instances: async () => place.rows ?? [] },
    publicUrl: () => publicUrl,
    clockSkewMs: () => place.clockSkewMs ?? 0,
  };
  return createLooks(options);
}

/** What the looks make of a dependency that is down at its first counted failure: its state, and the newest finding. */
async function lookAt(looks: Looks, name: keyof Looks, times = 1) {
  const { [name]: far } = looks;
  if ('nothing' in far) throw new Error(far.nothing);
  const dependency = new Dependency({ name, failuresUntilDown: 1, now: 0, onChange: () => undefined });
  for (let time = 0; time < times; time++) {
    try {
      dependency.succeed(await far.look(AbortSignal.timeout(5_000)), { at: 1, tookMs: 1 });
    } catch (error) {
      dependency.fail(error, far.weigh(error), { at: 1, tookMs: 1 });
    }
  }
  const { state, detail, lastError } = dependency;
  return { state, detail, code: lastError?.code, sentence: lastError?.sentence };
}

/** Whatever else may answer at an address. */
async function somebodyElse(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  host.onClose(() => new Promise((resolve) => server.close(resolve)));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The public server of an instance. */
async function instanceAt(port: number, key: string): Promise<PublicServer> {
  const server = await PublicServer.open({
    host: '127.0.0.1',
    port,
    clock: systemClock,
    routes: async () => undefined,
    onUpgrade: (_request, socket) => socket.destroy(),
    isLive: () => true,
    prove: (nonce) => proofOf(key, nonce),
    isReady: () => false,
    onError: () => undefined,
  });
  host.onClose(() => server.close());
  return server;
}

describe('a look at the model', () => {
  it('says which it is, where, and how long its session took to open', async () => {
    expect(await lookAt(looksAt({}), 'model')).toMatchObject({
      state: 'up',
      detail: 'gpt-realtime at wss://model.example, session open in 120 ms',
    });
  });
});

describe('a look at Twilio’s API', () => {
  it('finds it up, refused for wrong credentials, and away', async () => {
    const twilio = await host.twilio('https://calls.example.com');
    const looks = looksAt({ apiUrl: twilio.url });
    expect(await lookAt(looks, 'carrierApi')).toMatchObject({ state: 'up' });
    twilio.refuseRequests(1);
    expect(await lookAt(looks, 'carrierApi')).toMatchObject({ state: 'down', code: 'carrier.unavailable' });
    const stranger = await somebodyElse((_request, response) => response.writeHead(401).end());
    expect(await lookAt(looksAt({ apiUrl: stranger }), 'carrierApi')).toMatchObject({
      state: 'down',
      code: 'carrier.refused',
    });
    expect(await lookAt(looksAt({}), 'carrierApi')).toMatchObject({ code: 'carrier.unavailable' });
  });
});

describe('a look at the number', () => {
  it('finds that its calls come here, and at once that they go elsewhere', async () => {
    const twilio = await host.twilio('https://calls.example.com');
    const looks = looksAt({ apiUrl: twilio.url, publicUrl: 'https://calls.example.com' });
    expect(await lookAt(looks, 'webhooks')).toMatchObject({
      state: 'up',
      detail: 'the number’s calls come here',
    });
    twilio.configureNumber(number, { voiceUrl: 'https://elsewhere.example.com/twilio/voice' });
    expect(await lookAt(looks, 'webhooks')).toMatchObject({ state: 'down', code: 'webhooks.elsewhere' });
  });

  it('does not take an API that is away for a number that points elsewhere', async () => {
    const twilio = await host.twilio('https://calls.example.com');
    const looks = looksAt({ apiUrl: twilio.url, publicUrl: 'https://calls.example.com' });
    twilio.refuseRequests(5);
    expect(await lookAt(looks, 'webhooks', 5)).toMatchObject({
      state: 'unknown',
      code: 'carrier.unavailable',
    });
  });

  it('has nothing to compare with before there is an address', async () => {
    expect(await lookAt(looksAt({ publicUrl: null }), 'webhooks')).toMatchObject({ code: 'address.none' });
  });
});

describe('a look at the public address', () => {
  it('finds this service there, whichever instance answers, and gone afterwards', async () => {
    const server = await instanceAt(0, account.authToken);
    const looks = looksAt({ publicUrl: `http://127.0.0.1:${server.port}/` });
    expect(await lookAt(looks, 'publicAddress')).toMatchObject({ state: 'up' });
    await server.close();
    expect(await lookAt(looks, 'publicAddress')).toMatchObject({
      state: 'down',
      code: 'address.unreached',
      sentence: 'nothing answered at the public address: ECONNREFUSED',
    });
  });

  it.each<[string, RequestListener]>([
    ['another server', (_request, response) => response.end('{"ok":true}')],
    [
      'a redirect',
      (_request, response) => response.writeHead(302, { location: 'https://other.example' }).end(),
    ],
    ['an empty proof', (_request, response) => response.setHeader('holdfast-proof', '').end()],
    [
      'an old answer of ours, kept by a cache',
      (_request, response) => {
        response.setHeader('holdfast-proof', proofOf(account.authToken, '0'.repeat(32))).end();
      },
    ],
  ])('is not deceived by %s', async (_, answer) => {
    const publicUrl = await somebodyElse(answer);
    expect(await lookAt(looksAt({ publicUrl }), 'publicAddress')).toMatchObject({
      state: 'down',
      code: 'address.foreign',
    });
  });

  it('is not deceived by a Holdfast of another account', async () => {
    const server = await instanceAt(0, 'another token');
    const looks = looksAt({ publicUrl: `http://127.0.0.1:${server.port}` });
    expect(await lookAt(looks, 'publicAddress')).toMatchObject({ state: 'down', code: 'address.foreign' });
  });

  it('that was never reached from here says nothing: the network may not let a host reach itself', async () => {
    const publicUrl = `http://127.0.0.1:${await freePort()}`;
    const found = { state: 'unknown', code: 'address.unreached' };
    expect(await lookAt(looksAt({ publicUrl }), 'publicAddress', 5)).toMatchObject(found);
    expect(await lookAt(looksAt({ publicUrl, kind: 'tunnel' }), 'publicAddress')).toMatchObject({
      ...found,
      state: 'down',
    });
    expect(await lookAt(looksAt({ publicUrl: null }), 'publicAddress')).toMatchObject({
      code: 'address.none',
    });
  });
});

describe('a look at the other instances', () => {
  const row = (instance: string, changes: Partial<InstanceRow> = {}): InstanceRow => ({
    instance,
    pid: 1,
    host: 'here',
    ready: true,
    startedAt: 0,
    address: null,
    beatAgeMs: 200,
    isConnected: null,
    ...changes,
  });

  it.each<[string, Place, object]>([
    ['nobody else', { rows: [row('alpha')] }, { state: 'up', detail: 'alone on this journal' }],
    [
      'two of them',
      { rows: [row('alpha'), row('beta'), row('gamma', { ready: false })] },
      { state: 'up', detail: 'beta is ready, gamma is not ready' },
    ],
    [
      'one that is silent',
      { rows: [row('alpha'), row('beta', { beatAgeMs: 61_000 })] },
      { state: 'degraded', detail: 'beta has not beaten for 61 s' },
    ],
    [
      'a clock that is off',
      { rows: [row('alpha')], clockSkewMs: -700.4 },
      {
        state: 'degraded',
        detail:
          'this host’s clock is -700 ms from the journal’s: no call is adopted here; alone on this journal',
      },
    ],
  ])('finds %s', async (_, place, expected) => {
    expect(await lookAt(looksAt(place), 'cluster')).toMatchObject(expected);
  });
});
