import twilio from 'twilio';
import { describe, expect, it } from 'vitest';
import { readTarget } from '../../../src/twin/twilio/webhooks/connection-overrides.ts';
import { plain, xml } from './support/application.ts';
import { accountSid, authToken, callerNumber, makeRig, origin, ourNumber } from './support/rig.ts';

const fallback = { voiceFallbackUrl: `${origin}/fallback` };

describe('the webhook of an incoming call', () => {
  it('is a signed form with the fields of Twilio', async () => {
    const rig = makeRig();
    rig.application.on('/voice', '<Hangup/>');
    const call = rig.place();
    await rig.untilEnded(call);
    const [request] = rig.application.to('/voice');
    expect(request?.method).toBe('POST');
    expect(request?.headers['content-type']).toContain('application/x-www-form-urlencoded');
    expect(request?.headers['i-twilio-idempotency-token']).toMatch(/^[0-9a-f]{32}$/);
    expect(request?.form).toMatchObject({
      AccountSid: accountSid,
      ApiVersion: '2010-04-01',
      CallSid: call.sid,
      CallStatus: 'ringing',
      Direction: 'inbound',
      From: callerNumber,
      Caller: callerNumber,
      To: ourNumber,
      Called: ourNumber,
      FromCity: '',
      ToCountry: 'US',
    });
    const signature = request?.headers['x-twilio-signature'] as string;
    expect(twilio.validateRequest(authToken, signature, `${origin}/voice`, request?.form ?? {})).toBe(true);
  });

  it('carries its fields in the query where the number says GET, and signs that URL', async () => {
    const rig = makeRig({ number: { voiceUrl: `${origin}/voice?a=b`, voiceMethod: 'GET' } });
    rig.application.on('/voice', '<Hangup/>');
    await rig.untilEnded(rig.place());
    const [request] = rig.application.to('/voice');
    expect(request).toMatchObject({ method: 'GET', body: '' });
    expect(new URL(request?.url ?? '').searchParams.get('a')).toBe('b');
    expect(new URL(request?.url ?? '').searchParams.get('CallStatus')).toBe('ringing');
    const signature = request?.headers['x-twilio-signature'] as string;
    expect(twilio.validateRequest(authToken, signature, request?.url ?? '', {})).toBe(true);
  });

  it('says in-progress in later requests of the same call', async () => {
    const rig = makeRig();
    rig.application.on('/voice', '<Pause length="1"/><Redirect>next</Redirect>');
    rig.application.on('/next', '<Hangup/>');
    await rig.untilEnded(rig.place());
    expect(rig.application.to('/next')[0]?.form).toMatchObject({ CallStatus: 'in-progress' });
  });

  it('is tried once more when no connection comes about, with the same token', async () => {
    const rig = makeRig();
    let attempts = 0;
    rig.application.on('/voice', () => {
      attempts += 1;
      return attempts === 1 ? 'unreachable' : '<Hangup/>';
    });
    const call = rig.place();
    await rig.untilEnded(call);
    const tokens = rig.application.to('/voice').map(({ headers }) => headers['i-twilio-idempotency-token']);
    expect(tokens).toHaveLength(2);
    expect(new Set(tokens).size).toBe(1);
    expect(call.webhooks).toMatchObject([{ attempts: 2, outcome: { kind: 'answered' } }]);
  });

  it.each([
    ['no connection', 'unreachable', '11205', 2],
    ['an error status', plain(502), '11200', 1],
    ['another content type', plain(200, '<Response/>'), '12300', 1],
    ['no XML', xml('<Say>'), '12100', 1],
    ['another root element', { ...xml(''), body: '<Answer/>' }, '12100', 1],
    ['more than 64 kB', xml(`<Say>${'a'.repeat(65_536)}</Say>`), '11750', 1],
    ['a redirect that leads nowhere', { ...plain(302), headers: {} }, '11216', 1],
    ['a status that is no redirect', { ...plain(305), headers: { location: '/x' } }, '11216', 1],
  ] as const)('goes to the fallback after %s', async (_what, answer, code, attempts) => {
    const rig = makeRig({ number: fallback });
    rig.application.on('/voice', answer);
    rig.application.on('/fallback', '<Say>Sorry.</Say>');
    const call = rig.place();
    await rig.untilEnded(call);
    expect(rig.application.to('/voice')).toHaveLength(attempts);
    expect(rig.application.to('/fallback').map(({ form }) => form)).toMatchObject([
      { ErrorCode: code, ErrorUrl: `${origin}/voice`, CallSid: call.sid },
    ]);
    expect(call.notices).toMatchObject([{ code: Number(code), level: 'error' }]);
    expect(call.events).toContainEqual({ event: 'announced', at: expect.any(Number), text: 'Sorry.' });
  });

  it('is given up after 15 seconds without an answer', async () => {
    const rig = makeRig({ number: fallback });
    rig.application.on('/voice', 'silent');
    rig.application.on('/fallback', '<Hangup/>');
    const call = rig.place();
    await rig.clock.advance(14_999);
    expect(rig.application.to('/fallback')).toHaveLength(0);
    await rig.clock.advance(2);
    expect(rig.application.to('/fallback')[0]?.form).toMatchObject({ ErrorCode: '11200' });
    await rig.untilEnded(call);
  });

  it('without a fallback ends in an announcement and a hang-up', async () => {
    const rig = makeRig();
    rig.application.on('/voice', plain(500));
    const call = rig.place();
    await rig.untilEnded(call);
    expect(await call.ended).toEqual({ reason: 'applicationError', status: 'completed' });
    expect(call.events.some(({ event }) => event === 'announced')).toBe(true);
  });

  it('ends the same way when the fallback fails as well', async () => {
    const rig = makeRig({ number: fallback });
    rig.application.on('/voice', plain(500));
    rig.application.on('/fallback', plain(503));
    const call = rig.place();
    await rig.untilEnded(call);
    expect(await call.ended).toMatchObject({ reason: 'applicationError' });
    expect(call.notices.map(({ code }) => code)).toEqual([11200, 11200]);
  });

  it('falls back at any point of the call', async () => {
    const rig = makeRig({ number: fallback });
    rig.application.on('/voice', '<Pause/><Redirect>/gone</Redirect>');
    rig.application.on('/gone', plain(404));
    rig.application.on('/fallback', '<Hangup/>');
    const call = rig.place();
    await rig.untilEnded(call);
    expect(rig.application.to('/fallback')[0]?.form).toMatchObject({
      ErrorCode: '11200',
      ErrorUrl: `${origin}/gone`,
      CallStatus: 'in-progress',
    });
    expect(await call.ended).toMatchObject({ reason: 'hangUpVerb' });
  });

  it('follows HTTP redirects, as GET after 302, as it was after 307', async () => {
    const rig = makeRig();
    rig.application.on('/voice', { ...plain(307), headers: { location: '/second' } });
    rig.application.on('/second', { ...plain(302), headers: { location: '/third' } });
    rig.application.on('/third', '<Hangup/>');
    const call = rig.place();
    await rig.untilEnded(call);
    expect(rig.application.requests.map(({ method, path }) => [method, path])).toEqual([
      ['POST', '/voice'],
      ['POST', '/second'],
      ['GET', '/third'],
    ]);
    expect(call.webhooks[0]?.outcome).toMatchObject({ kind: 'answered' });
  });

  it('gives up a loop of HTTP redirects with 11215', async () => {
    const rig = makeRig();
    rig.application.on('/voice', { ...plain(302), headers: { location: '/voice' } });
    const call = rig.place();
    await rig.untilEnded(call);
    expect(call.notices).toMatchObject([{ code: 11215 }]);
  });

  it('reports a URL that is none', async () => {
    const rig = makeRig({ number: { voiceUrl: 'not a url' } });
    const call = rig.place();
    await rig.untilEnded(call);
    expect(call.notices).toMatchObject([{ code: 11100 }]);
  });

  it.each(['same', 'fresh'] as const)(
    'can be delivered twice at once, with %s tokens',
    async (duplicateWebhooks) => {
      const rig = makeRig();
      rig.application.on('/voice', '<Hangup/>');
      const call = rig.place({ faults: { duplicateWebhooks } });
      await rig.untilEnded(call);
      const tokens = rig.application.to('/voice').map(({ headers }) => headers['i-twilio-idempotency-token']);
      expect(tokens).toHaveLength(2);
      expect(new Set(tokens).size).toBe(duplicateWebhooks === 'same' ? 1 : 2);
      expect(call.webhooks).toHaveLength(2);
    },
  );
});

describe('the fragment of a webhook URL', () => {
  it('is neither sent nor signed, and shortens the time until the fallback', async () => {
    const rig = makeRig({ number: { ...fallback, voiceUrl: `${origin}/voice?x=1#rt=1000&rc=0` } });
    rig.application.on('/voice', 'silent');
    rig.application.on('/fallback', '<Hangup/>');
    const call = rig.place();
    await rig.clock.advance(1_001);
    const [request] = rig.application.to('/voice');
    expect(request?.url).toBe(`${origin}/voice?x=1`);
    const signature = request?.headers['x-twilio-signature'] as string;
    expect(twilio.validateRequest(authToken, signature, `${origin}/voice?x=1`, request?.form ?? {})).toBe(
      true,
    );
    expect(rig.application.to('/fallback')[0]?.form).toMatchObject({ ErrorUrl: `${origin}/voice?x=1` });
    await rig.untilEnded(call);
  });

  it.each([
    ['rc=2&rp=5xx', plain(503), 3],
    ['rc=2&rp=5xx', plain(404), 1],
    ['rc=2&rp=4xx', plain(404), 3],
    ['rc=2&rp=4xx', plain(503), 1],
    ['rc=2&rp=all', plain(404), 3],
    ['rc=2&rp=all', plain(503), 3],
    ['rc=2', 'unreachable', 3],
    ['rc=2&rp=5xx', 'unreachable', 1],
    ['rc=0', 'unreachable', 1],
    ['rc=2&rt=1000&rp=rt', 'silent', 3],
    ['rc=2&rt=1000', 'silent', 1],
    ['rc=5&rt=1000&tt=2500&rp=all', 'silent', 3],
  ] as const)('%s makes attempts accordingly', async (fragment, answer, attempts) => {
    const rig = makeRig({ number: { voiceUrl: `${origin}/voice#${fragment}` } });
    rig.application.on('/voice', answer);
    await rig.untilEnded(rig.place());
    expect(rig.application.to('/voice')).toHaveLength(attempts);
  });

  it('bounds all attempts together', async () => {
    const fragment = 'rc=5&rt=1000&tt=2500&rp=all';
    const rig = makeRig({ number: { ...fallback, voiceUrl: `${origin}/voice#${fragment}` } });
    rig.application.on('/voice', 'silent');
    rig.application.on('/fallback', '<Hangup/>');
    rig.place();
    await rig.clock.advance(2_499);
    expect(rig.application.to('/fallback')).toHaveLength(0);
    await rig.clock.advance(2);
    expect(rig.application.to('/fallback')).toHaveLength(1);
  });

  it('is read within the ranges of Twilio', () => {
    expect(readTarget('https://a.example/x#ct=1&rt=99999&tt=99999&rc=9&rp=ct,rt,nonsense&e=ashburn')).toEqual(
      {
        url: 'https://a.example/x',
        limits: {
          connectTimeoutMs: 100,
          readTimeoutMs: 15_000,
          totalTimeoutMs: 15_000,
          retries: 5,
          policies: new Set(['ct', 'rt']),
        },
      },
    );
    expect(readTarget('http://a.example')?.limits).toEqual({
      connectTimeoutMs: 5_000,
      readTimeoutMs: 15_000,
      totalTimeoutMs: 15_000,
      retries: 1,
      policies: new Set(['ct']),
    });
    expect(readTarget('ftp://a.example')).toBeNull();
    expect(readTarget('/relative')).toBeNull();
  });
});
