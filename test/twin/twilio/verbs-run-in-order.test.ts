import { describe, expect, it } from 'vitest';
import { announcementFrame } from '../../../src/twin/twilio/call/announcement.ts';
import type { CallPlan } from '../../../src/twin/twilio/call/call-order.ts';
import { makeRig, origin } from './support/rig.ts';

async function run(twiml: string, plan: CallPlan = {}, others: Record<string, string> = {}) {
  const rig = makeRig();
  rig.application.on('/voice', twiml);
  for (const [path, answer] of Object.entries(others)) rig.application.on(path, answer);
  const call = rig.place(plan);
  const startedAt = rig.clock.monotonic();
  await rig.clock.runUntil(() => call.hasEnded, 3_600_000);
  const tookMs = rig.clock.monotonic() - startedAt;
  const verbs = call.events.flatMap((event) => (event.event === 'verbStarted' ? [event.verb] : []));
  return { ...rig, call, tookMs, verbs, ended: await call.ended };
}

describe('verbs', () => {
  it('run in order, and the call ends where they run out', async () => {
    const { verbs, ended } = await run(
      '<Say>Hello</Say><Pause/><Play>a.mp3</Play><Record/><Start><Stream url="wss://x"/></Start><Stop/>',
    );
    expect(verbs).toEqual(['Say', 'Pause', 'Play', 'Record', 'Start', 'Stop']);
    expect(ended).toEqual({ reason: 'documentEnded', status: 'completed' });
  });

  it('end the call at once where there are none', async () => {
    const { ended, tookMs } = await run('');
    expect(ended).toMatchObject({ reason: 'documentEnded' });
    expect(tookMs).toBe(0);
  });

  it.each([
    ['<Pause/>', 1_000],
    ['<Pause length="7"/>', 7_000],
    ['<Pause length="soon"/>', 1_000],
    ['<Say>123456789012345</Say>', 1_000],
    ['<Say loop="3">123456789012345</Say>', 3_000],
    ['<Play>a.mp3</Play>', 2_000],
    ['<Play digits="1w2"/>', 1_100],
    ['<Gather timeout="2"><Say>123456789012345</Say><Pause/></Gather>', 4_000],
    ['<Gather/>', 5_000],
  ])('take their time: %s', async (twiml, durationMs) => {
    expect((await run(twiml)).tookMs).toBe(durationMs);
  });

  it('say for ever with loop 0, until the caller hangs up', async () => {
    const rig = makeRig();
    rig.application.on('/voice', '<Say loop="0">Hello</Say>');
    const call = rig.place();
    await rig.clock.advance(120_000);
    expect(call.status).toBe('in-progress');
    call.hangUp();
    await rig.untilEnded(call);
  });

  it('are heard as a tone while Twilio itself speaks, and as nothing in a pause', async () => {
    const { call } = await run('<Pause/><Say>123456789012345</Say><Pause/>');
    const heard = call.heard();
    expect(heard).toHaveLength(1);
    expect(heard[0]?.bytes.length).toBeGreaterThanOrEqual(7_840);
    expect(heard[0]?.bytes.length).toBeLessThanOrEqual(8_000);
    expect([...(heard[0]?.bytes.subarray(0, 160) ?? [])]).toEqual([...announcementFrame]);
    expect(call.events).toContainEqual({
      event: 'announced',
      at: expect.any(Number),
      text: '123456789012345',
    });
  });

  it('lead elsewhere by Redirect, relative to where they came from', async () => {
    const { application, ended } = await run(
      '<Redirect method="GET">deep/next?x=1#rc=2</Redirect><Say>unreached</Say>',
      {},
      { '/deep/next': '<Redirect>../last</Redirect>', '/last': '<Hangup/>' },
    );
    expect(application.requests.map(({ method, path }) => [method, path])).toEqual([
      ['POST', '/voice'],
      ['GET', '/deep/next'],
      ['POST', '/last'],
    ]);
    expect(ended).toMatchObject({ reason: 'hangUpVerb' });
  });

  it('lead back to themselves by an empty Redirect', async () => {
    const rig = makeRig();
    let served = 0;
    rig.application.on('/voice', () => {
      served += 1;
      return served < 3 ? '<Pause/><Redirect/>' : '<Hangup/>';
    });
    await rig.untilEnded(rig.place());
    expect(served).toBe(3);
  });

  it('end in an error when redirects follow each other without end (11215)', async () => {
    const { application, call, ended } = await run('<Redirect>/voice</Redirect>');
    expect(call.notices.map(({ code }) => code)).toEqual([11215]);
    expect(ended).toMatchObject({ reason: 'applicationError' });
    expect(application.to('/voice')).toHaveLength(51);
  });

  it('may redirect for as long as something happens in between', async () => {
    const rig = makeRig();
    rig.application.on('/voice', '<Pause/><Redirect>/voice</Redirect>');
    const call = rig.place();
    await rig.clock.advance(300_000);
    expect(call.status).toBe('in-progress');
    expect(call.notices).toEqual([]);
    rig.twin.close();
  });

  it.each([
    ['<Reject reason="busy"/>', 'busy'],
    ['<Reject/>', 'no-answer'],
  ])('refuse the call before it is answered: %s', async (twiml, status) => {
    const { call, ended } = await run(twiml);
    expect(ended).toEqual({ reason: 'rejected', status });
    expect(call.record.answeredAt).toBeNull();
  });

  it('cannot refuse a call that was answered', async () => {
    expect((await run('<Pause/><Reject/>')).ended).toEqual({ reason: 'rejected', status: 'completed' });
  });

  it('record a warning 12200 for what TwiML does not have, and go on', async () => {
    const { call, verbs } = await run('<Whisper>x</Whisper><Say tone="low">Hello</Say>');
    expect(verbs).toEqual(['Say']);
    expect(call.notices.map(({ code, level }) => [code, level])).toEqual([
      [12200, 'warning'],
      [12200, 'warning'],
    ]);
  });

  it('go on after a Connect without a stream', async () => {
    expect((await run('<Connect/><Say>next</Say>')).verbs).toEqual(['Connect', 'Say']);
  });
});

describe('Dial', () => {
  const twiml = '<Dial action="/dialled" timeout="20"><Number>+15550003</Number></Dial><Say>unreached</Say>';
  const others = { '/dialled': '<Hangup/>' };

  it.each([
    [{ outcome: 'answered', ringMs: 1_000, talkMs: 42_000 }, 'completed', '42', 43_000],
    [{ outcome: 'busy', ringMs: 500 }, 'busy', undefined, 500],
    [{ outcome: 'no-answer', ringMs: 60_000 }, 'no-answer', undefined, 20_000],
    [{ outcome: 'answered', ringMs: 60_000, talkMs: 1 }, 'no-answer', undefined, 20_000],
    [{ outcome: 'failed' }, 'failed', undefined, 2_000],
  ] as const)('ends as the script has it: %j', async (dial, status, duration, tookMs) => {
    const result = await run(twiml, { dials: [dial] }, others);
    expect(result.application.to('/dialled').map(({ form }) => form)).toMatchObject([
      { DialCallStatus: status, DialCallSid: expect.stringMatching(/^CA[0-9a-f]{32}$/) },
    ]);
    expect(result.application.to('/dialled')[0]?.form.DialCallDuration).toBe(duration);
    expect(result.tookMs).toBe(tookMs);
    expect(result.call.events).toContainEqual({
      event: 'dialEnded',
      at: expect.any(Number),
      number: '+15550003',
      status,
    });
  });

  it('goes on with the next verb without an action, and takes its number as text too', async () => {
    const { call, verbs } = await run('<Dial timeout="x">+15550004</Dial><Say>next</Say>');
    expect(verbs).toEqual(['Dial', 'Say']);
    expect(call.events).toContainEqual(expect.objectContaining({ event: 'dialEnded', number: '+15550004' }));
  });

  it('follows one plan after the other, and the last one from then on', async () => {
    const dials = [{ outcome: 'busy' }, { outcome: 'failed' }] as const;
    const { call } = await run('<Dial>1</Dial><Dial>2</Dial><Dial>3</Dial>', { dials });
    const statuses = call.events.flatMap((event) => (event.event === 'dialEnded' ? [event.status] : []));
    expect(statuses).toEqual(['busy', 'failed', 'failed']);
  });

  it('is interrupted when the caller hangs up', async () => {
    const rig = makeRig({ requestsActionAfterHangUp: true });
    rig.application.on('/voice', twiml);
    const call = rig.place();
    await rig.clock.advance(5_000);
    call.hangUp();
    await rig.clock.advance(10);
    expect(rig.application.to('/dialled').map(({ form }) => form)).toMatchObject([
      { DialCallStatus: 'completed', CallStatus: 'completed' },
    ]);
  });
});

describe('the end of a call', () => {
  it('comes at the time limit of four hours at the latest', async () => {
    const rig = makeRig();
    rig.application.on('/voice', '<Pause length="100000"/>');
    const call = rig.place();
    await rig.clock.advance(4 * 3_600_000 - 1);
    expect(call.hasEnded).toBe(false);
    await rig.clock.advance(2);
    expect(await call.ended).toEqual({ reason: 'timeLimit', status: 'completed' });
    expect(rig.clock.pendingTimers).toBe(0);
  });

  it('interrupts a request whose answer nobody needs any more', async () => {
    const rig = makeRig({ number: { statusCallback: `${origin}/status` } });
    rig.application.on('/voice', 'silent');
    const call = rig.place();
    await rig.clock.advance(1_000);
    call.hangUp();
    expect(await call.ended).toEqual({ reason: 'callerHungUp', status: 'no-answer' });
    await rig.clock.advance(10);
    expect(rig.application.to('/status').map(({ form }) => form)).toMatchObject([
      { CallStatus: 'no-answer' },
    ]);
    call.hangUp();
    call.end('api');
    expect(call.events.filter(({ event }) => event === 'callEnded')).toHaveLength(1);
  });

  it('leaves no timer, whatever was under way', async () => {
    for (const afterMs of [0, 10, 365, 366, 400, 460, 500, 2_000]) {
      const rig = makeRig();
      rig.application.on('/voice', '<Connect><Stream url="wss://media.example/twilio"/></Connect>');
      const call = rig.place();
      await rig.clock.advance(afterMs);
      call.hangUp();
      await rig.clock.advance(100);
      expect(rig.clock.pendingTimers).toBe(0);
    }
  });
});
