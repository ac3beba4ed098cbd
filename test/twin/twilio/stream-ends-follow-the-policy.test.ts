import { describe, expect, it } from 'vitest';
import type { CallPlan } from '../../../src/twin/twilio/call/call-order.ts';
import type { AfterStream } from '../../../src/twin/twilio/settings.ts';
import type { TakenStream } from './support/application.ts';
import { makeRig, origin, type RigOptions } from './support/rig.ts';

const callback = `statusCallback="${origin}/stream-status"`;
const withAction = `<Connect action="/after"><Stream url="wss://media.example/twilio" name="s1" ${callback}/></Connect><Say>unreached</Say>`;
const withNextVerb = `<Connect><Stream url="wss://media.example/twilio" ${callback}/></Connect><Redirect>/after</Redirect>`;

async function streaming(twiml: string, options: RigOptions = {}, plan: CallPlan = {}) {
  const rig = makeRig(options);
  rig.application.on('/voice', twiml);
  rig.application.on('/after', '<Hangup/>');
  const reports = () => rig.application.to('/stream-status').map(({ form }) => form);
  return { ...rig, ...(await rig.placeUntilStreaming(plan)), reports };
}

type End = (stream: TakenStream) => void;
const serverCloses: End = (stream) => stream.socket.close(1000);
const serverCrashes: End = (stream) => stream.socket.terminate();

describe('the end of a stream, by policy', () => {
  it.each([
    ['closes the socket', 'its action', withAction, serverCloses, 'stream-stopped'],
    ['closes the socket', 'the next verb', withNextVerb, serverCloses, 'stream-stopped'],
    ['loses the connection', 'its action', withAction, serverCrashes, 'stream-error'],
    ['loses the connection', 'the next verb', withNextVerb, serverCrashes, 'stream-error'],
  ] as const)(
    'with action: when the server %s, Twilio reports it and goes on with %s',
    async (_how, _what, twiml, end, report) => {
      const { clock, application, call, stream, reports, untilEnded } = await streaming(twiml);
      end(stream);
      await clock.advance(10);
      expect(reports().map(({ StreamEvent }) => StreamEvent)).toEqual(['stream-started', report]);
      expect(application.to('/after')).toHaveLength(0);
      await clock.advance(365);
      expect(application.to('/after').map(({ form }) => form)).toMatchObject([
        { CallSid: call.sid, CallStatus: 'in-progress', Direction: 'inbound' },
      ]);
      await untilEnded(call);
      expect(await call.ended).toMatchObject({ reason: 'hangUpVerb' });
      expect(call.events.some(({ event }) => event === 'announced')).toBe(false);
    },
  );

  it('with action: ends the call where nothing follows', async () => {
    const { call, stream, untilEnded } = await streaming(
      '<Connect><Stream url="wss://media.example/twilio"/></Connect>',
    );
    serverCloses(stream);
    await untilEnded(call);
    expect(await call.ended).toEqual({ reason: 'documentEnded', status: 'completed' });
  });

  it.each([[serverCloses], [serverCrashes]])(
    'with hold: the call stays up and nothing is requested',
    async (end) => {
      const { clock, application, call, stream } = await streaming(withAction, {}, { policy: 'hold' });
      end(stream);
      await clock.advance(60_000);
      expect(call.status).toBe('in-progress');
      expect(application.to('/after')).toHaveLength(0);
      call.hangUp();
      expect(await call.ended).toMatchObject({ reason: 'callerHungUp' });
    },
  );

  it.each([[serverCloses], [serverCrashes]])('with end: Twilio ends the call', async (end) => {
    const { application, call, stream, untilEnded } = await streaming(withAction, { policy: 'end' });
    end(stream);
    await untilEnded(call);
    expect(await call.ended).toEqual({ reason: 'streamPolicy', status: 'completed' });
    expect(application.to('/after')).toHaveLength(0);
  });

  it.each([
    [serverCloses, 1],
    [serverCrashes, 0],
  ] as const)('can differ for a close and for a loss', async (end, requests) => {
    const policy: { closed: AfterStream; lost: AfterStream } = { closed: 'action', lost: 'hold' };
    const { clock, application, stream } = await streaming(withAction, { policy });
    end(stream);
    await clock.advance(10_000);
    expect(application.to('/after')).toHaveLength(requests);
  });

  it('of the call wins over that of the twin', async () => {
    const { clock, application, stream } = await streaming(
      withAction,
      { policy: 'end' },
      { policy: 'action' },
    );
    serverCloses(stream);
    await clock.advance(1_000);
    expect(application.to('/after')).toHaveLength(1);
  });
});

describe('what Twilio reports of a stream', () => {
  it('names the call, the stream and the moment with nanoseconds', async () => {
    const { clock, call, stream, reports } = await streaming(withAction);
    await clock.advance(10);
    expect(reports()).toEqual([
      {
        AccountSid: call.record.accountSid,
        CallSid: call.sid,
        StreamEvent: 'stream-started',
        StreamName: 's1',
        StreamSid: stream.sid,
        Timestamp: expect.stringMatching(/^2026-01-01T00:00:00\.\d{9}Z$/),
      },
    ]);
  });

  it('uses the sid where the stream has no name', async () => {
    const { clock, stream, reports } = await streaming(withNextVerb);
    await clock.advance(10);
    expect(reports()[0]).toMatchObject({ StreamName: stream.sid });
  });

  it('is an error for a lost connection', async () => {
    const { clock, call, stream, reports } = await streaming(withAction);
    serverCrashes(stream);
    await clock.advance(10);
    expect(reports()[1]).toMatchObject({ StreamError: 'Stream - Websocket - Connection Broken Pipe' });
    expect(call.notices.map(({ code }) => code)).toEqual([31903]);
  });

  it('is an error for a close with a code that says so', async () => {
    const { clock, call, stream, reports } = await streaming(withAction);
    stream.socket.close(1011);
    await clock.advance(10);
    expect(reports()[1]).toMatchObject({ StreamEvent: 'stream-error' });
    expect(call.notices.map(({ code }) => code)).toEqual([31921]);
  });

  it('can be an error for any close, as the dictionary has it', async () => {
    const { clock, call, stream, reports } = await streaming(withAction, { closeReport: 'stream-error' });
    serverCloses(stream);
    await clock.advance(10);
    expect(reports()[1]).toMatchObject({ StreamError: 'Stream - Websocket - Close Error' });
    expect(call.notices.map(({ code }) => code)).toEqual([31921]);
  });

  it('is that it stopped when the caller hangs up, before the call is reported as completed', async () => {
    const options = { number: { statusCallback: `${origin}/status` } };
    const { clock, application, call } = await streaming(withAction, options);
    call.hangUp();
    await clock.advance(10);
    expect(application.requests.slice(1).map(({ form }) => form.StreamEvent ?? form.CallStatus)).toEqual([
      'stream-started',
      'stream-stopped',
      'completed',
    ]);
    expect(application.to('/after')).toHaveLength(0);
  });

  it('can be followed by a request for the action after a hang-up', async () => {
    const { clock, application, call } = await streaming(withAction, { requestsActionAfterHangUp: true });
    call.hangUp();
    await clock.advance(10);
    expect(application.to('/after').map(({ form }) => form)).toMatchObject([{ CallStatus: 'completed' }]);
  });
});

describe('a stream that does not open', () => {
  const refusals = [
    [{ kind: 'http', status: 403, retryAfterMs: null, detail: 'forbidden' }, 31920, 'Handshake Error'],
    [{ kind: 'timeout', status: null, retryAfterMs: null, detail: '' }, 31901, 'Connection Timeout'],
    [
      { kind: 'network', status: null, retryAfterMs: null, detail: 'connect ECONNREFUSED' },
      31902,
      'Connection Refused',
    ],
    [
      { kind: 'network', status: null, retryAfterMs: null, detail: 'getaddrinfo ENOTFOUND' },
      31904,
      'Host Unreachable',
    ],
    [
      { kind: 'network', status: null, retryAfterMs: null, detail: 'self-signed certificate' },
      31910,
      'SSL Protocol Error',
    ],
  ] as const;

  it.each(refusals)('is reported at once and the call goes on: %j', async (refusal, code, text) => {
    const rig = makeRig();
    rig.application.on('/voice', withAction);
    rig.application.on('/after', '<Hangup/>');
    rig.application.refusal = { ...refusal };
    const call = rig.place();
    await rig.untilEnded(call);
    expect(rig.application.to('/stream-status').map(({ form }) => form)).toMatchObject([
      { StreamEvent: 'stream-error', StreamError: `Stream - Websocket - ${text}` },
    ]);
    expect(call.notices.map((notice) => notice.code)).toEqual([code]);
    expect(rig.application.to('/after')).toHaveLength(1);
  });

  it('leaves no trace where the caller hangs up while it opens', async () => {
    const rig = makeRig();
    rig.application.on('/voice', withAction);
    const call = rig.place();
    await rig.clock.advance(365.5);
    expect(call.events.some(({ event }) => event === 'streamOpening')).toBe(true);
    call.hangUp();
    await rig.clock.advance(1_000);
    expect(rig.application.streams).toHaveLength(0);
    expect(rig.application.to('/stream-status')).toHaveLength(0);
    expect(rig.clock.pendingTimers).toBe(0);
  });
});

describe('two streams of one call', () => {
  it('follow each other within the time measured on live calls, and share nothing', async () => {
    const { clock, application, stream } = await streaming(
      '<Connect action="/voice"><Stream url="wss://media.example/twilio"/></Connect>',
    );
    stream.sendAudio(new Uint8Array(80_000));
    await clock.advance(100);
    const closedAt = clock.monotonic();
    serverCloses(stream);
    await clock.runUntil(() => (application.streams[1]?.of('media').length ?? 0) > 0, 5_000);
    const second = application.streams[1] as TakenStream;
    expect((second.times[0] as number) - closedAt).toBeLessThan(900);
    expect((second.times[0] as number) - closedAt).toBeGreaterThan(730);
    expect(second.sid).not.toBe(stream.sid);
    expect(second.of('start')[0]!.sequenceNumber).toBe('1');
  });
});
