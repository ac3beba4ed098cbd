import { describe, expect, it } from 'vitest';
import type { TwinCall } from '../../../src/twin/twilio/call/call.ts';
import type { OutgoingPlan } from '../../../src/twin/twilio/call/call-order.ts';
import {
  accountSid,
  authToken,
  callerNumber,
  makeRig,
  origin,
  ourNumber,
  type Rig,
  type RigOptions,
} from './support/rig.ts';

const authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`;

function create(rig: Rig, form: [string, string][] = []): TwinCall {
  const parameters = new URLSearchParams([
    ['To', callerNumber],
    ['From', ourNumber],
    ['Twiml', '<Response><Pause length="42"/></Response>'],
    ...form,
  ]);
  const answer = rig.twin.rest({
    method: 'POST',
    url: `https://api.twilio.com/2010-04-01/Accounts/${accountSid}/Calls.json`,
    headers: { authorization },
    body: parameters.toString(),
  });
  expect(answer.status).toBe(201);
  return rig.twin.find(JSON.parse(answer.body).sid) as TwinCall;
}

const everyEvent: [string, string][] = [
  ['StatusCallback', `${origin}/status`],
  ...['initiated', 'ringing', 'answered', 'completed'].map((event): [string, string] => [
    'StatusCallbackEvent',
    event,
  ]),
];

const rigFor = (plan: OutgoingPlan, options: RigOptions = {}): Rig =>
  makeRig({ answerOutgoing: () => plan, ...options });

const statuses = (rig: Rig) => rig.application.to('/status').map(({ form }) => form.CallStatus);

describe('an outgoing call', () => {
  it('reports each status with the next sequence number', async () => {
    const rig = rigFor({ outcome: 'answered' });
    const call = create(rig, everyEvent);
    expect(call.status).toBe('queued');
    await rig.untilEnded(call);
    const forms = rig.application.to('/status').map(({ form }) => form);
    expect(forms.map(({ CallStatus, SequenceNumber }) => [CallStatus, SequenceNumber])).toEqual([
      ['initiated', '0'],
      ['ringing', '1'],
      ['in-progress', '2'],
      ['completed', '3'],
    ]);
    expect(forms[3]).toMatchObject({
      CallSid: call.sid,
      Direction: 'outbound-api',
      CallDuration: '42',
      Duration: '1',
      SipResponseCode: '200',
      CallbackSource: 'call-progress-events',
      Timestamp: expect.stringMatching(/^Thu, 01 Jan 2026 00:00:\d\d \+0000$/),
    });
    expect(forms[0]).not.toHaveProperty('CallDuration');
  });

  it('reports only its end where no events are named', async () => {
    const rig = rigFor({ outcome: 'answered' });
    await rig.untilEnded(create(rig, [['StatusCallback', `${origin}/status`]]));
    expect(statuses(rig)).toEqual(['completed']);
  });

  it('is made without callbacks where an event is named that there is not (21626)', async () => {
    const rig = rigFor({ outcome: 'answered' });
    const call = create(rig, [...everyEvent, ['StatusCallbackEvent', 'exploded']]);
    await rig.untilEnded(call);
    expect(statuses(rig)).toEqual([]);
    expect(call.notices.map(({ code }) => code)).toEqual([21626]);
  });

  it('is made without callbacks where their URL is none (21609)', async () => {
    const rig = rigFor({ outcome: 'answered' });
    const call = create(rig, [['StatusCallback', 'nowhere']]);
    await rig.untilEnded(call);
    expect(call.notices.map(({ code }) => code)).toEqual([21609]);
  });

  it.each([
    [{ outcome: 'busy' }, 'busy', '486'],
    [{ outcome: 'no-answer' }, 'no-answer', '487'],
    [{ outcome: 'failed' }, 'failed', '404'],
    [{ outcome: 'answered', ringMs: 90_000 }, 'no-answer', '487'],
  ] as const)('can come to nothing: %j', async (plan, status, sip) => {
    const rig = rigFor(plan);
    const call = create(rig, [...everyEvent, ['Timeout', '30']]);
    await rig.untilEnded(call);
    expect(await call.ended).toEqual({ reason: 'unanswered', status });
    expect(statuses(rig)).toEqual(['initiated', 'ringing', status]);
    expect(rig.application.to('/status').at(-1)?.form).toMatchObject({
      SipResponseCode: sip,
      CallDuration: '0',
    });
    expect(call.record.answeredAt).toBeNull();
  });

  it('rings as long as it may, and five seconds more', async () => {
    const rig = rigFor({ outcome: 'answered', ringMs: 600_000 });
    const call = create(rig, [['Timeout', '30']]);
    await rig.clock.advance(500 + 34_999);
    expect(call.status).toBe('ringing');
    await rig.clock.advance(2);
    expect(call.status).toBe('no-answer');
  });

  it('is ended by its own time limit', async () => {
    const rig = rigFor({ outcome: 'answered', ringMs: 0 });
    const call = create(rig, [['TimeLimit', '10']]);
    await rig.untilEnded(call);
    expect(await call.ended).toMatchObject({ reason: 'timeLimit' });
    expect((call.record.endedAt ?? 0) - (call.record.answeredAt ?? 0)).toBe(10_000);
  });

  it('speaks to whoever answers, over a stream', async () => {
    const script = [{ say: 'yes-please', after: { delayMs: 500 } }];
    const rig = rigFor({ outcome: 'answered', script });
    const call = create(rig, [['Twiml', '<Response/>']]);
    call.end('api');
    rig.application.on('/voice', '<Connect><Stream url="wss://media.example/twilio"/></Connect>');
    const second = create(rig, [['Url', `${origin}/voice`]]);
    await rig.clock.advance(6_000);
    expect(rig.application.to('/voice')[0]?.form).toMatchObject({ CallStatus: 'in-progress' });
    expect(second.events.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['streamStarted', 'callerSpoke', 'callerStopped']),
    );
    rig.twin.close();
  });

  it.each(['queued', 'initiated', 'ringing'] as const)('can be canceled while %s', async (status) => {
    const rig = rigFor({ outcome: 'answered' });
    create(rig);
    const call = create(rig, everyEvent);
    await rig.clock.runUntil(() => call.status === status, 10_000);
    rig.twin.rest({
      method: 'POST',
      url: `https://api.twilio.com/2010-04-01/Accounts/${accountSid}/Calls/${call.sid}.json`,
      headers: { authorization },
      body: 'Status=canceled',
    });
    expect(await call.ended).toEqual({ reason: 'api', status: 'canceled' });
    await rig.clock.advance(10_000);
    expect(statuses(rig).at(-1)).toBe('canceled');
    rig.twin.close();
  });

  it('waits its turn: one call a second, the rest is queued', async () => {
    const rig = rigFor({ outcome: 'answered' });
    const calls = [create(rig), create(rig), create(rig)];
    await rig.clock.advance(999);
    expect(calls.map(({ status }) => status)).toEqual(['ringing', 'queued', 'queued']);
    await rig.clock.advance(1_002);
    expect(calls.map(({ status }) => status !== 'queued')).toEqual([true, true, true]);
    rig.twin.close();
  });
});
