/** The fallback file that the repository ships, run by the offline carrier while no process of ours answers. */
import { readFileSync } from 'node:fs';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addressOf, connectionOverrides, routes } from '../../../src/adapters/twilio/addresses.ts';
import { Signature } from '../../../src/adapters/twilio/signature.ts';
import { Tally } from '../../../src/adapters/twilio/tally.ts';
import { twilioWebhooks } from '../../../src/adapters/twilio/webhooks.ts';
import type { Answer } from '../../../src/runtime/ports/carrier.ts';
import { FixCallError } from '../../../src/runtime/ports/errors.ts';
import { seededRandom } from '../../../src/twin/random.ts';
import { ConnectFailure, type Exchange } from '../../../src/twin/twilio/http/http-message.ts';
import { parseTwiml } from '../../../src/twin/twilio/twiml/document.ts';
import { TwilioTwin } from '../../../src/twin/twilio/twin.ts';
import { VirtualClock } from '../../../src/twin/virtual-clock.ts';
import { RecordedDesk } from './recorded-desk.ts';

const publicUrl = 'https://calls.example.com';
const fallbackUrl = 'https://static.example.com/fallback.xml';
const number = '+15550100';
const authToken = 'the token';
const shipped = readFileSync('deploy/fallback.xml', 'utf8');

let clock: VirtualClock;
let desk: RecordedDesk;
let app: FastifyInstance;
let twin: TwilioTwin;
let isUp: boolean;
/** What the carrier asked for, in order: `METHOD path`. */
let asked: string[];

const exchange: Exchange = async ({ url, method, headers, body }) => {
  const { origin, pathname, search } = new URL(url);
  asked.push(`${method} ${pathname}`);
  if (origin !== publicUrl) {
    const allowed = method === 'GET';
    return { status: allowed ? 200 : 405, headers: { 'content-type': 'text/xml' }, body: shipped };
  }
  if (!isUp) throw new ConnectFailure('connection refused');
  const request = { method: 'POST', url: pathname + search, headers: { ...headers }, payload: body } as const;
  const answer = await clock.during(app.inject(request));
  return {
    status: answer.statusCode,
    headers: { 'content-type': String(answer.headers['content-type'] ?? '') },
    body: answer.body,
  };
};

beforeEach(async () => {
  clock = new VirtualClock();
  desk = new RecordedDesk();
  isUp = true;
  asked = [];
  app = Fastify();
  const signature = new Signature(authToken, () => publicUrl);
  const tally = new Tally(clock, () => undefined);
  const here = { publicUrl: () => publicUrl, instance: 'a-1', fallbackUrl };
  await app.register(twilioWebhooks({ desk, clock, tally, signature, ...here }));
  const openSocket = () => () => undefined;
  const ports = { clock, random: seededRandom(1), exchange, openSocket };
  twin = new TwilioTwin(ports, { accountSid: `AC${'1'.repeat(32)}`, authToken });
  twin.configureNumber(number, {
    voiceUrl: addressOf(publicUrl, routes.voice),
    voiceFallbackUrl: fallbackUrl,
    voiceFallbackMethod: 'GET',
    statusCallback: '',
  });
});

afterEach(async () => {
  twin.close();
  await app.close();
});

const place = () => twin.placeCall({ to: number, from: '+15550001' });
const unknownCall = async (): Promise<Answer> => {
  throw new FixCallError('call.unknown', '');
};

describe('the fallback file', () => {
  it('is TwiML as the carrier knows it, and asks where and as a call is asked for', () => {
    const { verbs, warnings } = parseTwiml(shipped, fallbackUrl);
    expect(warnings).toEqual([]);
    expect(verbs.map(({ name }) => name)).toEqual(['Pause', 'Redirect']);
    expect(verbs[1]?.attributes).toEqual({ method: 'POST' });
    expect(verbs[1]?.text).toBe(addressOf(publicUrl, routes.continue) + connectionOverrides);
  });
});

describe('while no process answers', () => {
  it('a call that comes in waits, and begins with the first process that is there again', async () => {
    desk.next = unknownCall;
    desk.answer = async () => ({ do: 'hangUp' });
    isUp = false;
    const call = place();
    await clock.advance(30_000);
    expect([call.hasEnded, desk.answered]).toEqual([false, []]);
    isUp = true;
    expect(await clock.runUntil(() => call.hasEnded, 10_000)).toBe(true);
    expect(desk.answered).toEqual([{ carrierCallId: call.sid, from: '+15550001', to: number }]);
  });

  it('a call that is under way waits, and goes on', async () => {
    desk.answer = async () => ({ do: 'wait', pauseMs: 1_000 });
    desk.next = async () => ({ do: 'hangUp' });
    const call = place();
    await clock.runUntil(() => desk.answered.length > 0, 10_000);
    isUp = false;
    await clock.advance(30_000);
    expect([call.hasEnded, desk.continued]).toEqual([false, []]);
    isUp = true;
    expect(await clock.runUntil(() => call.hasEnded, 10_000)).toBe(true);
    expect(desk.continued).toEqual([call.sid]);
  });
});

describe('while a process answers that takes no new calls', () => {
  it('a caller goes to the fallback once, and then waits here, for a bounded time', async () => {
    desk.next = unknownCall;
    desk.answer = async () => ({ do: 'decline' });
    const call = place();
    expect(await clock.runUntil(() => call.hasEnded, 600_000)).toBe(true);
    expect(asked.slice(0, 3)).toEqual(['POST /twilio/voice', 'GET /fallback.xml', 'POST /twilio/continue']);
    expect(asked.filter((request) => request.startsWith('GET'))).toHaveLength(1);
  });
});
