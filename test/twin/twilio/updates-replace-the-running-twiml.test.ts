import { describe, expect, it } from 'vitest';
import { accountSid, authToken, makeRig, origin, type Rig, type RigOptions } from './support/rig.ts';

const authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`;

const update = (rig: Rig, sid: string, form: Record<string, string>) =>
  rig.twin.rest({
    method: 'POST',
    url: `https://api.twilio.com/2010-04-01/Accounts/${accountSid}/Calls/${sid}.json`,
    headers: { authorization },
    body: new URLSearchParams(form).toString(),
  });

async function streaming(options: RigOptions = {}) {
  const rig = makeRig(options);
  rig.application.on(
    '/voice',
    '<Connect action="/after"><Stream url="wss://media.example/twilio"/></Connect>',
  );
  rig.application.on('/after', '<Say>Should not matter.</Say>');
  rig.application.on('/new', '<Say>New.</Say>');
  return { rig, ...(await rig.placeUntilStreaming()) };
}

describe('an update during a stream', () => {
  it('stops the stream, closes its socket and runs the new TwiML', async () => {
    const { rig, call, stream } = await streaming();
    const answer = update(rig, call.sid, { Twiml: '<Response><Say>Transferred.</Say></Response>' });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ sid: call.sid, status: 'in-progress' });
    await rig.clock.advance(10);
    expect(stream.messages.at(-1)?.event).toBe('stop');
    expect(stream.closure?.code).toBe(1000);
    await rig.untilEnded(call);
    expect(call.events).toContainEqual({ event: 'announced', at: expect.any(Number), text: 'Transferred.' });
    expect(rig.application.to('/after')).toHaveLength(0);
    expect(await call.ended).toMatchObject({ reason: 'documentEnded' });
  });

  it('can bring another stream', async () => {
    const { rig, call, stream } = await streaming();
    update(rig, call.sid, {
      Twiml: '<Response><Connect><Stream url="wss://media.example/second"/></Connect></Response>',
    });
    await rig.clock.advance(2_000);
    expect(rig.application.streams).toHaveLength(2);
    expect(rig.application.streams[1]?.request.url).toBe('wss://media.example/second');
    expect(stream.closure?.code).toBe(1000);
    rig.twin.close();
  });

  it('fetches a URL, with its own fallback when that fails', async () => {
    const { rig, call } = await streaming();
    update(rig, call.sid, { Url: `${origin}/gone`, FallbackUrl: `${origin}/new`, Method: 'GET' });
    rig.application.on('/gone', { status: 500, headers: {}, body: '' });
    await rig.untilEnded(call);
    expect(rig.application.to('/gone')[0]?.method).toBe('GET');
    expect(rig.application.to('/new')[0]?.form).toMatchObject({ ErrorCode: '11200' });
    expect(call.events).toContainEqual({ event: 'announced', at: expect.any(Number), text: 'New.' });
  });

  it('can request the action of the interrupted verb too, whose answer controls nothing', async () => {
    const { rig, call } = await streaming({ requestsInterruptedAction: true });
    update(rig, call.sid, { Url: `${origin}/new` });
    await rig.untilEnded(call);
    expect(rig.application.to('/after').map(({ form }) => form)).toMatchObject([
      { CallStatus: 'in-progress' },
    ]);
    const said = call.events.flatMap((event) => (event.event === 'announced' ? [event.text] : []));
    expect(said).toEqual(['New.']);
  });

  it('is replaced by a later one that comes before it takes effect', async () => {
    const { rig, call } = await streaming();
    update(rig, call.sid, { Twiml: '<Response><Say>First.</Say></Response>' });
    await rig.clock.advance(100);
    update(rig, call.sid, { Twiml: '<Response><Say>Second.</Say></Response>' });
    await rig.untilEnded(call);
    const said = call.events.flatMap((event) => (event.event === 'announced' ? [event.text] : []));
    expect(said).toEqual(['Second.']);
  });

  it('does not wait for the answer to a request that it makes pointless', async () => {
    const { rig, call, stream } = await streaming();
    rig.application.on('/after', 'silent');
    stream.socket.close(1000);
    await rig.clock.advance(1_000);
    expect(rig.application.to('/after')).toHaveLength(1);
    update(rig, call.sid, { Twiml: '<Response><Say>New.</Say></Response>' });
    await rig.clock.advance(700);
    expect(call.events).toContainEqual({ event: 'announced', at: expect.any(Number), text: 'New.' });
    rig.twin.close();
  });

  it('does nothing where the caller hangs up before it takes effect', async () => {
    const { rig, call } = await streaming();
    update(rig, call.sid, { Twiml: '<Response><Say>First.</Say></Response>' });
    call.hangUp();
    await rig.untilEnded(call);
    expect(call.events.some(({ event }) => event === 'announced')).toBe(false);
    expect(rig.clock.pendingTimers).toBe(0);
  });

  it('runs the fallback of the number where its TwiML is none', async () => {
    const { rig, call } = await streaming({ number: { voiceFallbackUrl: `${origin}/new` } });
    update(rig, call.sid, { Twiml: '<Respo' });
    await rig.untilEnded(call);
    expect(rig.application.to('/new')[0]?.form).toMatchObject({ ErrorCode: '12100' });
    expect(rig.application.to('/new')[0]?.form).not.toHaveProperty('ErrorUrl');
  });

  it('rescues a call that is held after its stream was lost', async () => {
    const rig = makeRig({ policy: 'hold' });
    rig.application.on('/voice', '<Connect><Stream url="wss://media.example/twilio"/></Connect>');
    const { call, stream } = await rig.placeUntilStreaming();
    stream.socket.terminate();
    await rig.clock.advance(6_300);
    update(rig, call.sid, {
      Twiml: '<Response><Connect><Stream url="wss://media.example/twilio"/></Connect></Response>',
    });
    await rig.clock.advance(2_000);
    expect(rig.application.streams).toHaveLength(2);
    rig.twin.close();
  });
});

describe('ending a call by request', () => {
  it('stops the stream and reports the call as completed', async () => {
    const { rig, call, stream } = await streaming({ number: { statusCallback: `${origin}/status` } });
    expect(update(rig, call.sid, { Status: 'completed' }).status).toBe(200);
    await rig.clock.advance(10);
    expect(stream.of('stop')).toHaveLength(1);
    expect(await call.ended).toEqual({ reason: 'api', status: 'completed' });
    expect(rig.application.to('/status')).toHaveLength(1);
  });

  it.each<Record<string, string>>([
    { Status: 'completed' },
    { Status: 'canceled' },
    { Twiml: '<Response/>' },
  ])('and everything else is refused with 21220 once the call is over: %j', async (form) => {
    const { rig, call } = await streaming();
    call.hangUp();
    const answer = update(rig, call.sid, form);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toEqual({
      code: 21220,
      message: 'Call is not in-progress. Cannot redirect.',
      more_info: 'https://www.twilio.com/docs/errors/21220',
      status: 400,
    });
  });

  it('cannot cancel a call that was answered', async () => {
    const { rig, call } = await streaming();
    expect(JSON.parse(update(rig, call.sid, { Status: 'canceled' }).body)).toMatchObject({ code: 21220 });
    expect(call.status).toBe('in-progress');
  });

  it('changes nothing where the request says nothing', async () => {
    const { rig, call, stream } = await streaming();
    expect(update(rig, call.sid, {}).status).toBe(200);
    await rig.clock.advance(1_000);
    expect(stream.closure).toBeNull();
  });
});
