import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FixCallError, GiveUpError, RetryError } from '../../../src/runtime/ports/errors.ts';
import { readTwiml } from './read-twiml.ts';
import { callSid } from './stream-messages.ts';
import { callForm, never, publicUrl, WebhookStage } from './webhook-stage.ts';

let stage = new WebhookStage();
afterEach(async () => {
  await stage.app.close();
  expect(stage.clock.pendingTimers).toBe(0);
  stage = new WebhookStage();
});

const connect = { do: 'connect', callId: callSid, attempt: 1, token: 'token', pauseMs: 0 } as const;
const verbsOf = (body: string) => readTwiml(body).children.map(({ name }) => name);
const redirectOf = (body: string) =>
  readTwiml(body).children.find(({ name }) => name === 'Redirect')?.text ?? null;
const inProgress = { ...callForm, CallStatus: 'in-progress' };
const unknownCall = async () => {
  throw new FixCallError('call.unknown', '');
};

describe('a webhook for a call that comes in', () => {
  it('is handed to the desk, and answered with the TwiML of its answer', async () => {
    stage.desk.answer = async () => connect;
    const response = await stage.post('/twilio/voice');
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toBe('text/xml; charset=utf-8');
    expect(verbsOf(response.body)).toEqual(['Connect']);
    expect(stage.desk.answered).toEqual([{ carrierCallId: callSid, from: '+15550001', to: '+15550002' }]);
  });

  it('may come as signed JSON', async () => {
    stage.desk.answer = async () => connect;
    const response = await stage.postJson('/twilio/voice', JSON.stringify({ CallSid: callSid }));
    expect(verbsOf(response.body)).toEqual(['Connect']);
    expect(stage.desk.answered).toEqual([{ carrierCallId: callSid, from: '', to: '' }]);
  });

  it('is declined when the desk takes longer than 8 s, though the desk answers later', async () => {
    stage.desk.answer = never;
    const response = stage.post('/twilio/voice');
    await stage.pass(7_999);
    expect(stage.clock.pendingTimers).toBe(1);
    await stage.pass(1);
    expect(verbsOf((await response).body)).toEqual(['Say', 'Hangup']);
    expect(stage.tally.countOf('desk.late')).toBe(1);
  });

  it('is declined when the desk fails', async () => {
    stage.desk.answer = async () => {
      throw new RetryError('journal.unavailable', '');
    };
    expect(verbsOf((await stage.post('/twilio/voice')).body)).toEqual(['Say', 'Hangup']);
    expect(stage.tally.countOf('desk.failed')).toBe(1);
  });

  it('is declined by the fallback where one is configured', async () => {
    stage = new WebhookStage({ fallbackUrl: 'https://static.example/' });
    stage.desk.answer = async () => ({ do: 'decline' });
    expect(redirectOf((await stage.post('/twilio/voice')).body)).toBe('https://static.example/');
  });

  it('creates no call when the caller has hung up before', async () => {
    const response = await stage.post('/twilio/voice', { ...callForm, CallStatus: 'canceled' });
    expect(verbsOf(response.body)).toEqual(['Hangup']);
    expect(stage.desk.answered).toEqual([]);
  });

  it('is answered where the carrier gives a state that nobody knows yet', async () => {
    stage.desk.answer = async () => connect;
    const response = await stage.post('/twilio/voice', { ...callForm, CallStatus: 'parked' });
    expect(verbsOf(response.body)).toEqual(['Connect']);
  });

  it('gets 503 when the public address is lost meanwhile', async () => {
    stage = new WebhookStage({ publicUrl: () => null });
    expect((await stage.post('/twilio/voice')).statusCode).toBe(503);
  });

  it('gets 500 and no word of why when no TwiML can be written', async () => {
    stage = new WebhookStage({ instance: 'i'.repeat(5_000) });
    stage.desk.answer = async () => connect;
    const response = await stage.post('/twilio/voice');
    expect([response.statusCode, response.body]).toEqual([500, '']);
  });
});

describe.each(['/twilio/continue', '/twilio/fallback'])('a webhook at %s', (path) => {
  it('asks what to do next with the call', async () => {
    stage.desk.next = async () => connect;
    expect(verbsOf((await stage.post(path, inProgress)).body)).toEqual(['Connect']);
    expect(stage.desk.continued).toEqual([callSid]);
    expect(stage.desk.answered).toEqual([]);
  });

  it('tells which stream the call comes from, where its address does', async () => {
    const queries = ['', '?attempt=2', '?waits=3&attempt=2&spared=1', '?attempt=0', '?attempt=x&spared=1'];
    for (const query of queries) await stage.post(`${path}${query}`, inProgress);
    const [known, spared] = [0, 1].map((times) => ({ attempt: 2, spared: times }));
    expect(stage.desk.left).toEqual([null, known, spared, null, null]);
  });

  it('is one request however often it is delivered, and another one than the next', async () => {
    for (const token of ['one', 'one', 'two']) {
      await stage.post(path, inProgress, { 'i-twilio-idempotency-token': token });
    }
    await stage.post(path, inProgress);
    await stage.post(path, inProgress);
    const [first, again, ...others] = stage.desk.keys;
    expect(again).toBe(first);
    expect(new Set([first, ...others]).size).toBe(4);
  });

  it('begins a call that nobody has heard of', async () => {
    stage.desk.next = unknownCall;
    stage.desk.answer = async () => connect;
    expect(verbsOf((await stage.post(path, inProgress)).body)).toEqual(['Connect']);
    expect(stage.desk.answered).toEqual([{ carrierCallId: callSid, from: '+15550001', to: '+15550002' }]);
  });

  it('has the carrier ask again when the desk takes longer than 3 s, before the carrier gives up', async () => {
    stage.desk.next = never;
    const response = stage.post(path, inProgress);
    await stage.pass(2_999);
    expect(stage.clock.pendingTimers).toBe(1);
    await stage.pass(1);
    const { body } = await response;
    expect(redirectOf(body)).toBe(`${publicUrl}/twilio/continue?waits=1#ct=1000&rt=4000&rc=2&rp=all`);
  });

  it('has the carrier ask again when the desk may know later', async () => {
    stage.desk.next = async () => {
      throw new RetryError('journal.unavailable', '');
    };
    expect(verbsOf((await stage.post(path, inProgress)).body)).toEqual(['Pause', 'Redirect']);
  });

  it('has the carrier ask again at once, twice in a row, where another process may know', async () => {
    stage.desk.isElsewhere = true;
    stage.desk.next = async () => {
      throw new RetryError('journal.unavailable', '');
    };
    const verbs: unknown[] = [];
    for (const query of ['', '?waits=1', '?waits=2'])
      verbs.push(verbsOf((await stage.post(path + query, inProgress)).body));
    expect(verbs).toEqual([['Redirect'], ['Redirect'], ['Pause', 'Redirect']]);
  });

  it('says sorry when the desk will never know', async () => {
    stage.desk.next = async () => {
      throw new GiveUpError('log.invalid', '');
    };
    expect(verbsOf((await stage.post(path, inProgress)).body)).toEqual(['Say', 'Hangup']);
    expect(stage.tally.countOf('desk.failed')).toBe(1);
  });

  it('reports the end of a call that is over, and answers with a hang-up', async () => {
    stage.desk.next = async () => connect;
    const response = await stage.post(path, { ...callForm, CallStatus: 'completed' });
    expect(verbsOf(response.body)).toEqual(['Hangup']);
    expect(stage.desk.continued).toEqual([]);
    expect(stage.desk.reports).toEqual([
      {
        carrierCallId: callSid,
        signal: { entry: { type: 'carrier.reported', status: 'completed', source: 'webhook' } },
        key: expect.stringContaining(callSid),
      },
    ]);
  });

  it('answers with a hang-up for a call that is over though its end cannot be reported', async () => {
    stage.desk.takeReport = unknownCall;
    const response = await stage.post(path, { ...callForm, CallStatus: 'no-answer' });
    expect(verbsOf(response.body)).toEqual(['Hangup']);
    expect(stage.desk.answered).toEqual([]);
  });
});

describe('a call that is told to ask again', () => {
  it('asks 60 times in a row and then hears an apology', async () => {
    stage.desk.next = async () => ({ do: 'wait', pauseMs: 1_000 });
    let path = '/twilio/continue';
    for (let asked = 0; asked < 60; asked++) {
      const redirect = redirectOf((await stage.post(path, inProgress)).body) ?? '';
      path = redirect.replace(publicUrl, '').replace(/#.*/, '');
    }
    expect(path).toBe('/twilio/continue?waits=60');
    expect(verbsOf((await stage.post(path, inProgress)).body)).toEqual(['Say', 'Hangup']);
    expect(stage.tally.countOf('webhook.waitedOut')).toBe(1);
  });

  it('counts from the start again where the number of times is not one', async () => {
    stage.desk.next = async () => ({ do: 'wait', pauseMs: 1_000 });
    const { body } = await stage.post('/twilio/continue?waits=-7', inProgress);
    expect(redirectOf(body)).toContain('?waits=1#');
  });
});

describe('a new call that is put off', () => {
  const pathIn = (body: string): string => (redirectOf(body) ?? '').replace(publicUrl, '').replace(/#.*/, '');

  beforeEach(() => {
    stage.desk.next = unknownCall;
    stage.desk.answer = async () =>
      stage.desk.mayComeAgain.at(-1) ? { do: 'decline', againAfterMs: 1_000 } : { do: 'decline' };
  });

  it('comes in again 15 times in a row and is then declined', async () => {
    let path = '/twilio/voice';
    for (let asked = 0; asked < 15; asked++) path = pathIn((await stage.post(path)).body);
    expect(path).toBe('/twilio/voice?waits=15');
    expect(verbsOf((await stage.post(path)).body)).toEqual(['Say', 'Hangup']);
    expect(stage.desk.mayComeAgain.filter((may) => may)).toHaveLength(15);
  });

  it('stays with what it waits for where it came from a fallback, which would else have it come in for ever', async () => {
    let path = '/twilio/fallback';
    for (let asked = 0; asked < 15; asked++) path = pathIn((await stage.post(path, inProgress)).body);
    expect(path).toBe('/twilio/continue?waits=15');
    expect(verbsOf((await stage.post(path, inProgress)).body)).toEqual(['Say', 'Hangup']);
  });

  it('is not put off once more where its caller was put through meanwhile', async () => {
    await stage.post('/twilio/continue?waits=1&dialed=no-answer&dial=CA2', inProgress);
    expect(stage.desk.mayComeAgain).toEqual([false]);
  });
});

describe('the fallback', () => {
  const fallbackUrl = 'https://static.example/';

  it('outside this host is not sent a call back that it sent here, but asks again here until it is given up', async () => {
    stage = new WebhookStage({ fallbackUrl });
    stage.desk.next = unknownCall;
    stage.desk.answer = async () => ({ do: 'decline' });
    const { body } = await stage.post('/twilio/continue', inProgress);
    expect(redirectOf(body)).toContain(`${publicUrl}/twilio/continue?waits=1#`);
    const last = await stage.post('/twilio/continue?waits=60', inProgress);
    expect(verbsOf(last.body)).toEqual(['Say', 'Hangup']);
  });

  it('is no reason to keep a caller waiting where there is none', async () => {
    stage.desk.next = unknownCall;
    stage.desk.answer = async () => ({ do: 'decline' });
    expect(verbsOf((await stage.post('/twilio/continue', inProgress)).body)).toEqual(['Say', 'Hangup']);
  });

  it('is counted and logged, for something of ours could not be fetched or run', async () => {
    await stage.post('/twilio/fallback', { ...inProgress, ErrorCode: '11200', ErrorUrl: publicUrl });
    expect(stage.tally.countOf('webhook.fallback')).toBe(1);
    expect(stage.lines).toHaveLength(1);
  });
});
