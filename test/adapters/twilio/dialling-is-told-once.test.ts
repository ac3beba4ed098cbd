import { afterEach, describe, expect, it } from 'vitest';
import type { Answer } from '../../../src/runtime/ports/carrier.ts';
import { FixCallError, RetryError } from '../../../src/runtime/ports/errors.ts';
import { readTwiml } from './read-twiml.ts';
import { callSid } from './stream-messages.ts';
import { callForm, type Form, never, publicUrl, WebhookStage } from './webhook-stage.ts';

let stage = new WebhookStage();
afterEach(async () => {
  await stage.app.close();
  expect(stage.clock.pendingTimers).toBe(0);
  stage = new WebhookStage();
});

const dialSid = `CA${'d'.repeat(32)}`;
const transfer: Answer = { do: 'transfer', number: '+15550177', ringMs: 30_000, apology: null };
const connect: Answer = { do: 'connect', callId: callSid, attempt: 2, token: 'token', pauseMs: 0 };
const inProgress = { ...callForm, CallStatus: 'in-progress' };
const dialed = (changes: Form = {}): Form => ({
  ...inProgress,
  DialCallStatus: 'busy',
  DialCallSid: dialSid,
  ...changes,
});

const verbsOf = ({ body }: { body: string }) => readTwiml(body).children.map(({ name }) => name);
/** Where the carrier asks again, as a path and query. */
function nextPath({ body }: { body: string }): string {
  const [pause, redirect] = readTwiml(body).children;
  expect(pause?.attributes).toEqual({ length: '1' });
  return (redirect?.text ?? '').replace(publicUrl, '').replace(/#.*/, '');
}
const outcomes = () =>
  stage.desk.reports.map(({ signal: { entry } }) => ('outcome' in entry ? entry.outcome : entry.type));
const keys = () => stage.desk.reports.map(({ key }) => key);

describe('the end of a dialling', () => {
  it.each(['busy', 'no-answer', 'failed', 'canceled'])(
    'that reached nobody is reported, and the carrier asks again in a second: %s',
    async (DialCallStatus) => {
      const response = await stage.post('/twilio/dialed', dialed({ DialCallStatus }));
      expect(stage.desk.reports).toEqual([
        {
          carrierCallId: callSid,
          signal: { entry: { type: 'transfer.finished', outcome: DialCallStatus } },
          key: expect.stringContaining(dialSid),
        },
      ]);
      expect(nextPath(response)).toBe(`/twilio/continue?waits=1&dialed=${DialCallStatus}&dial=${dialSid}`);
      expect(stage.desk.continued).toEqual([]);
    },
  );

  it.each(['completed', 'answered'])('that reached somebody ends the call: %s', async (DialCallStatus) => {
    expect(verbsOf(await stage.post('/twilio/dialed', dialed({ DialCallStatus })))).toEqual(['Hangup']);
    expect(outcomes()).toEqual(['completed']);
  });

  it('that nobody can name counts as failed, and leaves the caller on the line', async () => {
    const { DialCallStatus: _, DialCallSid: __, ...without } = dialed();
    expect(nextPath(await stage.post('/twilio/dialed', without))).toContain('dialed=failed');
    await stage.post('/twilio/dialed', dialed({ DialCallStatus: 'vanished', DialCallSid: 'x' }));
    expect(outcomes()).toEqual(['failed', 'failed']);
  });

  it('has one key however often it is told, and another one than the next dialling', async () => {
    const token = (value: string) => ({ 'i-twilio-idempotency-token': value });
    await stage.post('/twilio/dialed', dialed(), token('one'));
    await stage.post('/twilio/dialed', dialed(), token('two'));
    await stage.post('/twilio/dialed', dialed({ DialCallSid: `CA${'e'.repeat(32)}` }), token('three'));
    expect(keys()[1]).toBe(keys()[0]);
    expect(keys()[2]).not.toBe(keys()[0]);
  });

  it('is told from others by the token of the delivery where it has no id', async () => {
    const { DialCallSid: _, ...without } = dialed();
    for (const token of ['one', 'one', 'two']) {
      await stage.post('/twilio/dialed', without, { 'i-twilio-idempotency-token': token });
    }
    expect(keys()[1]).toBe(keys()[0]);
    expect(keys()[2]).not.toBe(keys()[0]);
  });

  it('of a caller who has hung up is the end of the call, whatever the far end did', async () => {
    for (const DialCallStatus of ['completed', 'canceled', 'no-answer']) {
      const form = dialed({ DialCallStatus, CallStatus: 'completed' });
      expect(verbsOf(await stage.post('/twilio/dialed', form))).toEqual(['Hangup']);
    }
    expect(outcomes()).toEqual(Array(3).fill('carrier.reported'));
  });

  it('of a call that is over and forgotten still ends it', async () => {
    stage.desk.takeReport = async () => {
      throw new FixCallError('call.unknown', '');
    };
    const response = await stage.post('/twilio/dialed', dialed({ DialCallStatus: 'completed' }));
    expect(verbsOf(response)).toEqual(['Hangup']);
  });

  it('is not lost with a report that fails: it is told again with the next request, by the same key', async () => {
    stage.desk.takeReport = async () => {
      throw new RetryError('journal.unavailable', '');
    };
    const path = nextPath(await stage.post('/twilio/dialed', dialed()));
    stage.desk.takeReport = async () => undefined;
    stage.desk.next = async () => connect;
    expect(verbsOf(await stage.post(path, inProgress))).toEqual(['Connect']);
    expect(outcomes()).toEqual(['busy', 'busy']);
    expect(keys()[1]).toBe(keys()[0]);
  });

  it('is answered within 3 s, also where it is told again', async () => {
    stage.desk.takeReport = never;
    const first = stage.post('/twilio/dialed', dialed());
    await stage.pass(3_000);
    const path = nextPath(await first);
    stage.desk.next = never;
    const second = stage.post(path, inProgress);
    await stage.pass(3_000);
    expect(nextPath(await second)).toBe(path.replace('waits=1', 'waits=2'));
  });
});

describe('a number that was dialled', () => {
  it('is not dialled again while the log of the call does not show it', async () => {
    stage.desk.next = async () => transfer;
    let path = nextPath(await stage.post('/twilio/dialed', dialed()));
    for (let asked = 0; asked < 3; asked++) path = nextPath(await stage.post(path, inProgress));
    expect(path).toBe(`/twilio/continue?waits=4&dialed=busy&dial=${dialSid}`);
    const last = await stage.post(path.replace('waits=4', 'waits=60'), inProgress);
    expect(verbsOf(last)).toEqual(['Say', 'Hangup']);
  });

  it('gives way to the conversation as soon as the log shows it', async () => {
    const path = nextPath(await stage.post('/twilio/dialed', dialed()));
    stage.desk.next = async () => connect;
    const response = await stage.post(path, inProgress);
    expect(verbsOf(response)).toEqual(['Connect']);
    expect(response.body).not.toContain('dialed');
  });

  it('is dialled where the call only had to wait for its instructions', async () => {
    stage.desk.next = async () => transfer;
    expect(verbsOf(await stage.post('/twilio/continue?waits=3', inProgress))).toEqual(['Dial']);
    for (const query of [
      'waits=3&dialed=busy',
      'waits=3&dial=x',
      'dialed=gone&dial=x',
      'dialed=busy&dial=%2F',
    ]) {
      expect(verbsOf(await stage.post(`/twilio/continue?${query}`, inProgress))).toEqual(['Dial']);
    }
  });

  it('is not dialled again where its end could not be told and the fallback is asked', async () => {
    stage.desk.next = async () => transfer;
    const form = { ...inProgress, ErrorCode: '11200', ErrorUrl: `${publicUrl}/twilio/dialed#rc=2` };
    const response = await stage.post('/twilio/fallback', form);
    expect(nextPath(response)).toContain('dialed=failed');
    expect(outcomes()).toEqual(['failed']);
    expect(stage.desk.continued).toEqual([]);
    const told = { ...form, DialCallStatus: 'completed', DialCallSid: dialSid };
    expect(verbsOf(await stage.post('/twilio/fallback', told))).toEqual(['Hangup']);
    expect(outcomes()).toEqual(['failed', 'completed']);
  });
});
