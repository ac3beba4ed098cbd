import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TwilioApi } from '../../../src/adapters/twilio/api.ts';
import { pointsTo, TwilioNumber } from '../../../src/adapters/twilio/number.ts';
import { TwilioControl } from '../../../src/adapters/twilio/rest.ts';
import { type TwimlPlace, writeTwiml } from '../../../src/adapters/twilio/twiml.ts';
import { GiveUpError, RetryError } from '../../../src/runtime/ports/errors.ts';
import { VirtualClock } from '../../../src/twin/virtual-clock.ts';
import { FakeTwilio } from './fake-twilio.ts';
import { callSid } from './stream-messages.ts';

const accountSid = `AC${'5'.repeat(32)}`;
const authToken = 'secret';
const phoneNumber = '+15550002';
const here: TwimlPlace = { publicUrl: 'https://calls.example', instance: 'a-1', fallbackUrl: null };
const base = `/2010-04-01/Accounts/${accountSid}`;

let twilio: FakeTwilio;
let clock: VirtualClock;
let api: TwilioApi;
let control: TwilioControl;
beforeEach(async () => {
  twilio = await FakeTwilio.open();
  clock = new VirtualClock();
  api = new TwilioApi({ accountSid, authToken, apiUrl: `${twilio.url}/` }, clock);
  control = new TwilioControl(api, () => here);
});
afterEach(async () => {
  expect(clock.pendingTimers).toBe(0);
  await twilio.close();
});

const failureOf = async (work: Promise<unknown>): Promise<Error & { code?: string }> => {
  try {
    await work;
  } catch (error) {
    return error as Error;
  }
  throw new Error('It did not fail.');
};

describe('a call', () => {
  it('is ended by an authorized form', async () => {
    await control.endCall(callSid);
    expect(twilio.asked).toEqual([
      {
        method: 'POST',
        path: `${base}/Calls/${callSid}.json`,
        authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`,
        form: { Status: 'completed' },
      },
    ]);
  });

  it.each([
    [400, 21_220],
    [404, 20_404],
  ])('that is over already counts as ended: status %i, error %i', async (status, code) => {
    twilio.always(status, { code, message: 'x', status });
    await expect(control.endCall(callSid)).resolves.toBeUndefined();
  });

  it('is redirected by the TwiML of its next answer', async () => {
    const connect = { do: 'connect', callId: callSid, attempt: 2, token: 'token', pauseMs: 0 } as const;
    await control.redirectCall(callSid, connect);
    expect(twilio.asked).toMatchObject([
      { method: 'POST', path: `${base}/Calls/${callSid}.json`, form: { Twiml: writeTwiml(connect, here) } },
    ]);
    expect(Object.keys(twilio.asked[0]?.form ?? {})).toEqual(['Twiml']);
  });

  it.each([
    [400, 21_220],
    [404, 20_404],
    [400, 21_205],
  ])('that cannot be redirected is refused: status %i, error %i', async (status, code) => {
    twilio.always(status, { code, message: 'x', status });
    const error = await failureOf(control.redirectCall(callSid, { do: 'hangUp' }));
    expect(error).toBeInstanceOf(GiveUpError);
    expect(error).toMatchObject({ code: 'carrier.refused', twilioCode: code });
  });

  it('may be redirected later where the carrier is busy, or our address is not known yet', async () => {
    twilio.always(429, { code: 20_429 });
    const busy = await failureOf(control.redirectCall(callSid, { do: 'hangUp' }));
    expect(busy).toBeInstanceOf(RetryError);
    const nowhere = new TwilioControl(api, () => null);
    const failure = await failureOf(nowhere.redirectCall(callSid, { do: 'hangUp' }));
    expect(failure).toBeInstanceOf(RetryError);
    expect(failure.code).toBe('carrier.unavailable');
    expect(twilio.asked).toHaveLength(1);
  });

  it('has the state that the carrier says', async () => {
    twilio.always(200, { sid: callSid, status: 'in-progress' });
    await expect(control.fetchStatus(callSid)).resolves.toBe('in-progress');
    expect(twilio.asked).toMatchObject([{ method: 'GET', path: `${base}/Calls/${callSid}.json`, form: {} }]);
  });

  it('has no state where the carrier does not know it', async () => {
    twilio.always(404, { code: 20_404 });
    expect(await failureOf(control.fetchStatus(callSid))).toBeInstanceOf(GiveUpError);
  });
});

describe('a request', () => {
  it.each([400, 401, 403, 404])(
    'that is answered %i is given up, with the code that the carrier gave',
    async (status) => {
      twilio.always(status, { code: 20_003, message: `wrong ${authToken}`, status });
      const error = await failureOf(control.endCall(callSid));
      expect(error).toBeInstanceOf(GiveUpError);
      expect(error).toMatchObject({ code: 'carrier.refused', twilioCode: 20_003 });
      expect(error.message).toContain(String(status));
    },
  );

  it.each(['<html>', {}, { code: 'x' }])('that is refused with %j is given up too', async (body) => {
    twilio.always(400, body);
    const error = await failureOf(control.endCall(callSid));
    expect(error).toMatchObject({ code: 'carrier.refused', twilioCode: null });
  });

  it.each([408, 429, 500, 503])('that is answered %i may be tried again', async (status) => {
    twilio.always(status, { code: 20_429 });
    const error = await failureOf(control.endCall(callSid));
    expect(error).toBeInstanceOf(RetryError);
    expect(error.code).toBe('carrier.unavailable');
  });

  it.each(['<html>', {}, { status: 'gone' }])('that is answered with %j may be tried again', async (body) => {
    twilio.always(200, body);
    expect(await failureOf(control.fetchStatus(callSid))).toBeInstanceOf(RetryError);
  });

  it('that is answered with more than 1 MB may be tried again', async () => {
    twilio.always(200, { status: 'completed', more: 'x'.repeat(1_024 * 1_024) });
    const error = await failureOf(control.fetchStatus(callSid));
    expect(error).toBeInstanceOf(RetryError);
    expect(error.message).toContain('too much');
  });

  it('that is sent elsewhere is not followed with our secret', async () => {
    const elsewhere = await FakeTwilio.open();
    twilio.answer = (response) => response.writeHead(307, { location: elsewhere.url }).end();
    expect(await failureOf(control.endCall(callSid))).toBeInstanceOf(GiveUpError);
    expect(elsewhere.asked).toEqual([]);
    await elsewhere.close();
  });

  it('that is not answered within 5 s may be tried again', async () => {
    const { promise: arrived, resolve } = Promise.withResolvers<void>();
    twilio.answer = () => resolve();
    const failure = failureOf(control.fetchStatus(callSid));
    await arrived;
    await clock.advance(4_999);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(1);
    expect(await failure).toMatchObject({ code: 'carrier.unavailable' });
  });

  it('that stops in the middle of its answer may be tried again', async () => {
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    twilio.answer = (response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"status":', () => resolve());
    };
    const failure = failureOf(control.fetchStatus(callSid));
    await begun;
    await clock.advance(5_000);
    expect(await failure).toMatchObject({ code: 'carrier.unavailable' });
  });

  it('that finds nobody may be tried again', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const nobody = new TwilioApi({ accountSid, authToken, apiUrl: `http://127.0.0.1:${port}` }, clock);
    const error = await failureOf(new TwilioControl(nobody, () => here).endCall(callSid));
    expect(error).toBeInstanceOf(RetryError);
    expect(error.message).toContain('ECONNREFUSED');
    expect(error.message).not.toContain('127.0.0.1');
  });

  it('names no secret, number, id or address when it fails', async () => {
    const secrets = [accountSid, authToken, callSid, phoneNumber, '127.0.0.1'];
    for (const status of [200, 307, 400, 401, 429, 500]) {
      twilio.always(status, { code: 1, message: secrets.join(' ') });
      for (const work of [control.fetchStatus(callSid), new TwilioNumber(api, phoneNumber).readRouting()]) {
        const { message, stack } = await failureOf(work);
        for (const secret of secrets) expect(`${message} ${stack?.split('\n')[0]}`).not.toContain(secret);
      }
    }
  });
});

describe('the phone number', () => {
  const resource = {
    sid: `PN${'7'.repeat(32)}`,
    phone_number: phoneNumber,
    voice_url: 'https://before.example/voice',
    voice_method: 'GET',
    voice_fallback_url: null,
    voice_fallback_method: 'POST',
    status_callback: '',
    status_callback_method: 'POST',
    voice_application_sid: null,
    trunk_sid: null,
  };
  const before = {
    voice: { url: 'https://before.example/voice', method: 'GET' },
    fallback: { url: '', method: 'POST' },
    status: { url: '', method: 'POST' },
    applicationSid: '',
    trunkSid: '',
  };
  const listed = (...numbers: object[]) => {
    twilio.always(200, { incoming_phone_numbers: numbers });
    return new TwilioNumber(api, phoneNumber);
  };
  const place = { publicUrl: 'https://calls.example/', fallbackUrl: null };

  it('is found among those that only contain it', async () => {
    const number = listed(
      { ...resource, phone_number: `${phoneNumber}9`, voice_url: 'https://wrong/' },
      resource,
    );
    expect(await number.readRouting()).toEqual(before);
    expect(twilio.asked[0]).toMatchObject({
      method: 'GET',
      path: `${base}/IncomingPhoneNumbers.json?PhoneNumber=%2B15550002`,
    });
  });

  it('is refused where the account has none like it', async () => {
    const error = await failureOf(listed().readRouting());
    expect(error).toBeInstanceOf(GiveUpError);
    expect(error.message).not.toContain(phoneNumber);
  });

  it('is pointed here, and tells where it pointed before', async () => {
    expect(await listed(resource).pointHere(place)).toEqual(before);
    expect(twilio.asked[1]).toMatchObject({
      method: 'POST',
      path: `${base}/IncomingPhoneNumbers/${resource.sid}.json`,
      form: {
        VoiceUrl: 'https://calls.example/twilio/voice#ct=1000&rt=10000&rc=2&rp=all',
        VoiceMethod: 'POST',
        VoiceFallbackUrl: 'https://calls.example/twilio/fallback',
        VoiceFallbackMethod: 'POST',
        StatusCallback: 'https://calls.example/twilio/status#ct=1000&rt=4000&rc=2&rp=all',
        StatusCallbackMethod: 'POST',
      },
    });
    expect(Object.keys(twilio.asked[1]?.form ?? {})).toHaveLength(6);
  });

  it('falls back to an address outside this host where there is one', async () => {
    await listed(resource).pointHere({ ...place, fallbackUrl: 'https://static.example/' });
    expect(twilio.asked[1]?.form).toMatchObject({
      VoiceFallbackUrl: 'https://static.example/',
      VoiceFallbackMethod: 'GET',
    });
  });

  it('is taken from an application or a trunk, which would have its addresses ignored', async () => {
    const routing = await listed({ ...resource, voice_application_sid: 'AP1', trunk_sid: 'TK1' }).pointHere(
      place,
    );
    expect(routing).toMatchObject({ applicationSid: 'AP1', trunkSid: 'TK1' });
    expect(twilio.asked[1]?.form).toMatchObject({ VoiceApplicationSid: '', TrunkSid: '' });
  });

  it('points here when calls and their ends come here, whatever the overrides', () => {
    const here = {
      ...before,
      voice: { url: 'https://calls.example/twilio/voice#rc=2', method: 'POST' },
      status: { url: 'https://calls.example/twilio/status', method: 'POST' },
    };
    expect(pointsTo(here, 'https://Calls.example')).toBe(true);
    expect(pointsTo(before, 'https://calls.example')).toBe(false);
    expect(pointsTo({ ...here, status: before.status }, 'https://calls.example')).toBe(false);
    expect(pointsTo({ ...here, voice: { ...here.voice, method: 'GET' } }, 'https://calls.example')).toBe(
      false,
    );
    expect(pointsTo({ ...here, applicationSid: 'AP1' }, 'https://calls.example')).toBe(false);
    expect(pointsTo({ ...here, trunkSid: 'TK1' }, 'https://calls.example')).toBe(false);
  });
});
