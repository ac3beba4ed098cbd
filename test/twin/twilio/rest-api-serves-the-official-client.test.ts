import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTwilioTwin, type TwinServer } from '../../../src/twin/twilio/server.ts';
import { officialClient } from './support/official-client.ts';
import { type RealServer, startRealServer } from './support/real-server.ts';
import { accountSid, authToken, callerNumber, ourNumber } from './support/rig.ts';

let application: RealServer;
let twin: TwinServer;
let base: string;

beforeEach(async () => {
  application = await startRealServer();
  application.answers.set('/voice', '<Pause length="60"/>');
  base = `http://127.0.0.1:${application.port}`;
  twin = await startTwilioTwin({
    accountSid,
    authToken,
    callsPerSecond: 1_000,
    delays: { dialMs: 0, updateMs: 0 },
    numbers: { [ourNumber]: { voiceUrl: `${base}/voice`, friendlyName: 'Front desk' } },
    answerOutgoing: () => ({ outcome: 'answered', ringMs: 0 }),
  });
});

afterEach(async () => {
  await twin.close();
  await application.close();
});

const create = (extra = {}) =>
  officialClient(twin.url).calls.create({
    to: callerNumber,
    from: ourNumber,
    url: `${base}/voice`,
    ...extra,
  });

const untilInProgress = async (sid: string): Promise<void> => {
  await expect.poll(() => twin.find(sid)?.status).toBe('in-progress');
};

const refusal = async (request: Promise<unknown>): Promise<object> => {
  const error = await request.then(
    () => new Error('It was not refused.'),
    (reason: Error) => reason,
  );
  return { ...error, message: error.message };
};

describe('the official REST client', () => {
  it('creates a call and gets a resource that it can parse', async () => {
    const call = await create();
    expect(call).toMatchObject({
      accountSid,
      apiVersion: '2010-04-01',
      direction: 'outbound-api',
      from: ourNumber,
      status: 'queued',
      to: callerNumber,
    });
    expect(call.sid).toMatch(/^CA[0-9a-f]{32}$/);
    expect(call.dateCreated).toBeInstanceOf(Date);
    await untilInProgress(call.sid);
    await expect.poll(() => application.requests.filter(({ path }) => path === '/voice').length).toBe(1);
    expect(application.requests[0]?.form).toMatchObject({
      CallStatus: 'in-progress',
      Direction: 'outbound-api',
    });
  });

  it('fetches, updates and ends a call', async () => {
    const client = officialClient(twin.url);
    const { sid } = await create();
    await untilInProgress(sid);
    expect((await client.calls(sid).fetch()).status).toBe('in-progress');
    const updated = await client.calls(sid).update({ twiml: '<Response><Pause length="50"/></Response>' });
    expect(updated.status).toBe('in-progress');
    const ended = await client.calls(sid).update({ status: 'completed' });
    expect(ended.status).toBe('completed');
    expect(ended.endTime).toBeInstanceOf(Date);
    expect(ended.duration).toMatch(/^\d+$/);
    expect(await twin.find(sid)?.ended).toMatchObject({ reason: 'api' });
  });

  it('lists calls by status, page by page', async () => {
    const client = officialClient(twin.url);
    for (let made = 0; made < 5; made += 1) await create();
    const { sid } = await create();
    await untilInProgress(sid);
    await client.calls(sid).update({ status: 'completed' });
    expect(await client.calls.list({ pageSize: 2 })).toHaveLength(6);
    const completed = await client.calls.list({ status: 'completed' });
    expect(completed.map((call) => call.sid)).toEqual([sid]);
    const first = await client.calls.page({ pageSize: 4 });
    const second = await first.nextPage();
    expect([first.instances.length, second?.instances.length]).toEqual([4, 2]);
    expect(second?.previousPageUrl).toContain('Page=0');
    expect(second?.nextPageUrl).toBeUndefined();
  });

  it('understands that a call is over (21220)', async () => {
    const client = officialClient(twin.url);
    const { sid } = await create();
    await untilInProgress(sid);
    await client.calls(sid).update({ status: 'completed' });
    expect(await refusal(client.calls(sid).update({ twiml: '<Response/>' }))).toMatchObject({
      code: 21220,
      status: 400,
      message: 'Call is not in-progress. Cannot redirect.',
      moreInfo: 'https://www.twilio.com/docs/errors/21220',
    });
  });

  it('understands that a call is not answered yet (21220), and cancels it', async () => {
    const client = officialClient(twin.url);
    twin.configureNumber(ourNumber, { voiceUrl: `${base}/voice` });
    const calls = [await create(), await create()];
    const { sid } = calls[1] as { sid: string };
    if (twin.find(sid)?.status !== 'in-progress') {
      expect(await refusal(client.calls(sid).update({ url: `${base}/voice` }))).toMatchObject({
        code: 21220,
      });
    }
  });

  it.each([
    [{ to: 'nobody' }, 21211],
    [{ from: '+15559999' }, 21210],
    [{ url: 'nowhere' }, 21205],
    [{ url: undefined }, 21205],
    [{ url: undefined, twiml: `<Response>${' '.repeat(4_000)}</Response>` }, 32018],
  ])('understands a call that cannot be made: %j', async (extra, code) => {
    expect(await refusal(create(extra))).toMatchObject({ code, status: 400 });
  });

  it('understands that it may not ask (20003)', async () => {
    const intruder = officialClient(twin.url, 'wrong');
    expect(await refusal(intruder.calls.list())).toMatchObject({ code: 20003, status: 401 });
  });

  it('understands that there is no such thing (20404)', async () => {
    const client = officialClient(twin.url);
    const unknown = `CA${'0'.repeat(32)}`;
    for (const request of [
      client.calls(unknown).fetch(),
      client.calls(unknown).update({ status: 'completed' }),
      client.incomingPhoneNumbers('PN0').fetch(),
      client.incomingPhoneNumbers('PN0').update({ voiceUrl: base }),
      client.messages.list(),
      client.calls.get(unknown).streams('MZ0').update({ status: 'stopped' }),
    ]) {
      expect(await refusal(request)).toMatchObject({ code: 20404, status: 404 });
    }
  });

  it('understands that it asks too often (20429), for as many requests as the twin was told', async () => {
    const client = officialClient(twin.url);
    twin.refuseRequests(2);
    expect(await refusal(create())).toMatchObject({ code: 20429, status: 429 });
    expect(await refusal(client.calls.list())).toMatchObject({ code: 20429 });
    expect(await client.calls.list()).toEqual([]);
  });

  it('finds, fetches and configures a phone number', async () => {
    const client = officialClient(twin.url);
    const [number] = await client.incomingPhoneNumbers.list({ phoneNumber: ourNumber });
    expect(number).toMatchObject({
      phoneNumber: ourNumber,
      friendlyName: 'Front desk',
      voiceUrl: `${base}/voice`,
    });
    const sid = number?.sid as string;
    await client.incomingPhoneNumbers(sid).update({
      voiceUrl: `${base}/other`,
      voiceMethod: 'GET',
      voiceFallbackUrl: `${base}/fallback`,
      statusCallback: `${base}/status`,
    });
    expect(await client.incomingPhoneNumbers(sid).fetch()).toMatchObject({
      voiceUrl: `${base}/other`,
      voiceMethod: 'GET',
      voiceFallbackUrl: `${base}/fallback`,
      voiceFallbackMethod: 'POST',
      statusCallback: `${base}/status`,
    });
    expect(await client.incomingPhoneNumbers.list({ friendlyName: 'Nobody' })).toEqual([]);
  });

  it('uses the new configuration from the next call on', async () => {
    const client = officialClient(twin.url);
    const [number] = await client.incomingPhoneNumbers.list({ phoneNumber: ourNumber });
    await client.incomingPhoneNumbers(number?.sid as string).update({ voiceUrl: `${base}/second` });
    application.answers.set('/second', '<Hangup/>');
    const call = twin.placeCall({ to: ourNumber, from: callerNumber });
    expect(await call.ended).toMatchObject({ reason: 'hangUpVerb' });
  });

  it('records a call and stops a one-way stream', async () => {
    const client = officialClient(twin.url);
    const { sid } = await create();
    await untilInProgress(sid);
    const recording = await client.calls(sid).recordings.create({ recordingChannels: 'dual' });
    expect(recording).toMatchObject({ callSid: sid, channels: 2, status: 'in-progress' });
    expect(recording.sid).toMatch(/^RE[0-9a-f]{32}$/);
    const paused = await client.calls(sid).recordings('Twilio.CURRENT').update({ status: 'paused' });
    expect(paused).toMatchObject({ sid: recording.sid, status: 'paused' });
    expect(await client.calls(sid).recordings.list()).toHaveLength(1);
    const stream = await client.calls(sid).streams.create({ url: 'wss://a.example', name: 'fork' });
    expect(stream).toMatchObject({ callSid: sid, name: 'fork', status: 'in-progress' });
    expect((await client.calls(sid).streams(stream.sid).update({ status: 'stopped' })).status).toBe(
      'stopped',
    );
    await client.calls(sid).update({ status: 'completed' });
    expect(await refusal(client.calls(sid).recordings.create())).toMatchObject({ code: 21220 });
    expect(await refusal(client.calls(sid).streams.create({ url: 'wss://a.example' }))).toMatchObject({
      code: 21220,
    });
  });

  it('signs its requests with an API key where the twin knows it', async () => {
    await twin.close();
    twin = await startTwilioTwin({ accountSid, authToken, apiKeys: [{ sid: 'SK1', secret: 's' }] });
    const authorization = `Basic ${Buffer.from('SK1:s').toString('base64')}`;
    const url = `${twin.url}/2010-04-01/Accounts/${accountSid}/Calls.json`;
    expect((await fetch(url, { headers: { authorization } })).status).toBe(200);
    expect((await fetch(url, { headers: { authorization: 'Bearer x' } })).status).toBe(401);
    expect((await fetch(url)).status).toBe(401);
  });

  it('cannot send more than a megabyte', async () => {
    const response = await fetch(`${twin.url}/x`, { method: 'POST', body: 'x'.repeat(1_100_000) }).catch(
      () => null,
    );
    expect(response?.status ?? 413).toBe(413);
  });
});
