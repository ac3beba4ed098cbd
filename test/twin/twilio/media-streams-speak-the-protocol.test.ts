import twilio from 'twilio';
import { describe, expect, it } from 'vitest';
import { cutClip } from '../../../src/twin/caller/voice.ts';
import { authToken, makeRig, streamTwiml } from './support/rig.ts';

const silence = Buffer.alloc(160, 0xff).toString('base64');
const speech = new Uint8Array(3_200).fill(0x20);

async function streaming(
  plan = {},
  twiml = streamTwiml('name="first"', '<Parameter name="token" value="abc"/>'),
) {
  const rig = makeRig();
  rig.application.on('/voice', twiml);
  return { ...rig, ...(await rig.placeUntilStreaming(plan)) };
}

describe('a media stream', () => {
  it('opens with the headers of Twilio and a signature over the URL as TwiML has it', async () => {
    const { stream } = await streaming();
    const { url, headers } = stream.request;
    expect(url).toBe('wss://media.example/twilio');
    expect(Object.keys(headers).sort()).toEqual(['user-agent', 'x-twilio-signature']);
    expect(headers['user-agent']).toBe('Twilio.TmeWs/1.0');
    expect(twilio.validateRequest(authToken, headers['x-twilio-signature'] as string, url, {})).toBe(true);
  });

  it('begins with connected, start and the first media in the same moment', async () => {
    const { call, stream } = await streaming();
    expect(stream.messages.slice(0, 3).map(({ event }) => event)).toEqual(['connected', 'start', 'media']);
    expect(new Set(stream.times.slice(0, 3)).size).toBe(1);
    expect(stream.messages[0]).toEqual({ event: 'connected', protocol: 'Call', version: '1.0.0' });
    const { accountSid } = call.record;
    expect(stream.messages[1]).toEqual({
      event: 'start',
      sequenceNumber: '1',
      start: {
        accountSid,
        streamSid: stream.sid,
        callSid: call.sid,
        tracks: ['inbound'],
        mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
        customParameters: { token: 'abc' },
      },
      streamSid: stream.sid,
    });
    expect(stream.sid).toMatch(/^MZ[0-9a-f]{32}$/);
    expect(call.sid).toMatch(/^CA[0-9a-f]{32}$/);
  });

  it('has no custom parameters where TwiML names none', async () => {
    const { stream } = await streaming({}, streamTwiml());
    expect(stream.of('start')[0]!.start.customParameters).toEqual({});
  });

  it('opens 365 ms after the TwiML and speaks 90 ms later, as measured on live calls', async () => {
    const { stream } = await streaming();
    const openedAt = 365 + 1;
    expect(stream.times[0]).toBeGreaterThanOrEqual(openedAt + 90);
    expect(stream.times[0]).toBeLessThanOrEqual(openedAt + 90 + 20 + 1);
  });

  it('sends silence as frames of 160 bytes every 20 ms, all numbers as strings', async () => {
    const { clock, stream } = await streaming();
    await clock.advance(1_000);
    const media = stream.of('media');
    expect(media).toHaveLength(51);
    const first = Number(media[0]!.media.timestamp);
    expect(first).toBeGreaterThanOrEqual(100);
    expect(first).toBeLessThanOrEqual(180);
    expect(media.map(({ media }) => media)).toEqual(
      media.map((_, index) => ({
        track: 'inbound',
        chunk: String(index + 1),
        timestamp: String(first + 20 * index),
        payload: silence,
      })),
    );
  });

  it('counts all its messages with one counter from 1', async () => {
    const { clock, call, stream } = await streaming();
    await clock.advance(100);
    call.press('5');
    stream.sendMark('at once');
    await clock.advance(100);
    call.hangUp();
    await clock.advance(100);
    const numbered = stream.messages.slice(1).map(({ sequenceNumber }) => sequenceNumber);
    expect(numbered).toEqual(numbered.map((_, index) => String(index + 1)));
    expect(new Set(stream.messages.map(({ event }) => event))).toEqual(
      new Set(['connected', 'start', 'media', 'dtmf', 'mark', 'stop']),
    );
  });

  it('carries what the caller says, frame by frame', async () => {
    const { clock, stream } = await streaming({ script: [{ say: speech, after: { delayMs: 1_000 } }] });
    await clock.advance(2_000);
    const said = stream.of('media').filter(({ media }) => media.payload !== silence);
    expect(said.map(({ media }) => media.payload)).toEqual(
      cutClip('speech', speech).frames.map(({ payload }) => payload),
    );
  });

  it('reports a key of the caller as dtmf', async () => {
    const { clock, call, stream } = await streaming();
    call.press('#');
    await clock.advance(20);
    expect(stream.of('dtmf')).toEqual([
      {
        event: 'dtmf',
        streamSid: stream.sid,
        sequenceNumber: expect.any(String),
        dtmf: { track: 'inbound_track', digit: '#' },
      },
    ]);
  });

  it('ends with stop and a normal closure when the caller hangs up', async () => {
    const { clock, call, stream } = await streaming();
    call.hangUp();
    await clock.advance(100);
    expect(stream.messages.at(-1)).toEqual({
      event: 'stop',
      sequenceNumber: expect.any(String),
      streamSid: stream.sid,
      stop: { accountSid: call.record.accountSid, callSid: call.sid },
    });
    expect(stream.closure).toEqual({ code: 1000, reason: '' });
    expect(await call.ended).toEqual({ reason: 'callerHungUp', status: 'completed' });
  });

  it('answers pings', async () => {
    const { clock, stream } = await streaming();
    stream.socket.ping();
    await clock.advance(10);
    expect(stream.pongs).toBe(1);
  });

  it('refuses ws URLs unless the twin allows them, and signs them as they are', async () => {
    const twiml = '<Connect><Stream url="ws://127.0.0.1:9/media"/></Connect>';
    const strict = makeRig();
    strict.application.on('/voice', twiml);
    const refused = strict.place();
    await strict.untilEnded(refused);
    expect(strict.application.streams).toHaveLength(0);
    expect(refused.notices.map(({ code }) => code)).toEqual([31922]);
    const lenient = makeRig({ allowInsecureStreams: true });
    lenient.application.on('/voice', twiml);
    const { stream } = await lenient.placeUntilStreaming();
    const { url, headers } = stream.request;
    expect(twilio.validateRequest(authToken, headers['x-twilio-signature'] as string, url, {})).toBe(true);
  });

  it.each([
    ['wss://media.example/twilio?token=1', 31920],
    ['http://media.example/twilio', 31922],
    ['wss://', 31923],
    ['', 31923],
  ])('does not open %j and reports %i', async (url, code) => {
    const rig = makeRig();
    rig.application.on('/voice', `<Connect><Stream url="${url}"/></Connect>`);
    const call = rig.place();
    await rig.untilEnded(call);
    expect(rig.application.streams).toHaveLength(0);
    expect(call.notices.map((notice) => notice.code)).toEqual([code]);
  });

  it('can be told to strip a query string instead', async () => {
    const rig = makeRig({ streamQuery: 'strip' });
    rig.application.on('/voice', '<Connect><Stream url="wss://media.example/twilio?token=1"/></Connect>');
    const { stream } = await rig.placeUntilStreaming();
    expect(stream.request.url).toBe('wss://media.example/twilio');
  });

  it('takes a relative URL from where the TwiML came from', async () => {
    const { stream } = await streaming({}, '<Connect><Stream url="/media/one"/></Connect>');
    expect(stream.request.url).toBe('wss://app.example/media/one');
  });

  it('ends the call for a track that a bidirectional stream cannot have', async () => {
    const rig = makeRig();
    rig.application.on('/voice', `${streamTwiml('track="both_tracks"')}<Say>never</Say>`);
    const call = rig.place();
    await rig.untilEnded(call);
    expect(call.notices.map(({ code }) => code)).toEqual([31941]);
    expect(await call.ended).toMatchObject({ reason: 'trackInvalid' });
  });

  it('leaves out a parameter of 500 characters or more', async () => {
    const { call, stream } = await streaming(
      {},
      streamTwiml(
        '',
        `<Parameter name="a" value="${'x'.repeat(499)}"/><Parameter name="b" value="${'x'.repeat(498)}"/>`,
      ),
    );
    expect(Object.keys(stream.of('start')[0]!.start.customParameters)).toEqual(['b']);
    expect(call.notices.map(({ code }) => code)).toEqual([12200]);
  });
});
