import { describe, expect, it } from 'vitest';
import { silentFrame } from '../../../src/twin/caller/voice.ts';
import type { GarbageKind, StreamFault } from '../../../src/twin/twilio/faults.ts';
import { makeRig, origin } from './support/rig.ts';

const twiml = `<Connect action="/after"><Stream url="wss://media.example/twilio" statusCallback="${origin}/stream-status"/></Connect>`;

async function streamingWith(...streams: StreamFault[]) {
  const rig = makeRig();
  rig.application.on('/voice', twiml);
  rig.application.on('/after', '<Pause length="60"/>');
  const reports = () => rig.application.to('/stream-status').map(({ form }) => form.StreamEvent);
  const started = await rig.placeUntilStreaming({ faults: { streams } });
  const codes = () => started.call.notices.map(({ code }) => code);
  return { ...rig, ...started, reports, codes };
}

describe('faults of a stream', () => {
  it('reset: the server sees no close frame, Twilio reports 31903 and goes on', async () => {
    const { clock, application, call, stream, reports, codes } = await streamingWith({
      fault: 'reset',
      afterMs: 500,
    });
    await clock.advance(499);
    expect(stream.closure).toBeNull();
    await clock.advance(3);
    expect(stream.closure?.code).toBe(1006);
    expect(stream.of('stop')).toHaveLength(0);
    expect(reports()).toEqual(['stream-started', 'stream-error']);
    expect(codes()).toEqual([31903]);
    expect(call.events).toContainEqual({ event: 'faultStruck', at: expect.any(Number), fault: 'reset' });
    await clock.advance(400);
    expect(application.to('/after')).toHaveLength(1);
  });

  it('closeFrame: the server sees the code, Twilio reports 31921', async () => {
    const { clock, stream, codes } = await streamingWith({ fault: 'closeFrame', afterMs: 100, code: 1012 });
    await clock.advance(110);
    expect(stream.closure?.code).toBe(1012);
    expect(codes()).toEqual([31921]);
  });

  it('halfOpen: nothing goes either way, pings included, until Twilio notices; the socket stays', async () => {
    const { clock, application, call, stream, codes } = await streamingWith({
      fault: 'halfOpen',
      afterMs: 100,
      noticedAfterMs: 5_000,
    });
    await clock.advance(101);
    const seen = stream.messages.length;
    stream.socket.ping();
    stream.sendAudio(new Uint8Array(800).fill(1));
    await clock.advance(4_900);
    expect(stream.messages).toHaveLength(seen);
    expect(stream.pongs).toBe(0);
    expect(call.heard()).toEqual([]);
    expect(codes()).toEqual([]);
    await clock.advance(600);
    expect(codes()).toEqual([31903]);
    expect(application.to('/after')).toHaveLength(1);
    await clock.advance(50_000);
    expect(stream.closure).toBeNull();
  });

  it('halfOpen: Twilio may never notice, and the hang-up of the caller does not reach the server', async () => {
    const { clock, call, stream, reports } = await streamingWith({
      fault: 'halfOpen',
      afterMs: 100,
      noticedAfterMs: null,
    });
    await clock.advance(600_000);
    expect(call.status).toBe('in-progress');
    call.hangUp();
    await clock.advance(121_000);
    expect(stream.of('stop')).toHaveLength(0);
    expect(stream.closure).toBeNull();
    expect(reports()).toEqual(['stream-started', 'stream-stopped']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('protocolError: the report comes at once, the socket stays half-open for a minute, without stop', async () => {
    const { clock, application, stream, reports, codes } = await streamingWith({
      fault: 'protocolError',
      afterMs: 100,
    });
    await clock.advance(101);
    expect(reports()).toEqual(['stream-started', 'stream-error']);
    expect(codes()).toEqual([31924]);
    await clock.advance(400);
    expect(application.to('/after')).toHaveLength(1);
    expect(stream.of('stop')).toHaveLength(0);
    expect(stream.closure).toBeNull();
  });

  it('handshake: the stream never opens, and the next one does', async () => {
    const rig = makeRig();
    rig.application.on('/voice', twiml);
    rig.application.on('/after', twiml);
    const faults = { streams: [{ fault: 'handshake', code: 31902 } as const] };
    const { call, stream } = await rig.placeUntilStreaming({ faults });
    expect(rig.application.streams).toEqual([stream]);
    expect(call.notices.map(({ code }) => code)).toEqual([31902]);
    expect(call.events.filter(({ event }) => event === 'streamOpening')).toHaveLength(2);
  });

  it('stopMissing: the stream ends with its close frame alone', async () => {
    const { clock, call, stream } = await streamingWith({ fault: 'stopMissing' });
    call.hangUp();
    await clock.advance(10);
    expect(stream.of('stop')).toHaveLength(0);
    expect(stream.closure?.code).toBe(1000);
  });

  it('mediaGap, late: nothing comes for a while, then everything in one burst', async () => {
    const { clock, stream } = await streamingWith({
      fault: 'mediaGap',
      afterMs: 100,
      forMs: 2_000,
      audio: 'late',
    });
    await clock.advance(101);
    const before = stream.of('media').length;
    await clock.advance(1_990);
    expect(stream.of('media')).toHaveLength(before);
    await clock.advance(30);
    expect(stream.of('media').length - before).toBeGreaterThanOrEqual(100);
    await clock.advance(1_000);
    expectContiguous(stream.of('media'));
  });

  it('mediaGap, lost: the timestamps jump, the chunks do not', async () => {
    const { clock, stream } = await streamingWith({
      fault: 'mediaGap',
      afterMs: 100,
      forMs: 2_000,
      audio: 'lost',
    });
    await clock.advance(4_000);
    const media = stream.of('media').map(({ media }) => media);
    const jumps = media.slice(1).map((one, index) => Number(one.timestamp) - Number(media[index]!.timestamp));
    expect(jumps.filter((jump) => jump !== 20)).toEqual([2_020]);
    expect(media.map(({ chunk }) => Number(chunk))).toEqual(media.map((_, index) => index + 1));
  });

  it('jitter: frames are late and bunched, never lost or out of order', async () => {
    const { clock, stream } = await streamingWith({ fault: 'jitter' });
    await clock.advance(20_000);
    expectContiguous(stream.of('media'));
    const gaps = stream.times.slice(1).map((at, index) => at - (stream.times[index] ?? 0));
    expect(Math.max(...gaps)).toBeGreaterThan(200);
    expect(Math.max(...gaps)).toBeLessThan(300);
    expect(gaps.filter((gap) => gap % 20 !== 0).length).toBeGreaterThan(500);
  });

  it('flood: so many valid messages in one go', async () => {
    const { clock, stream } = await streamingWith({ fault: 'flood', afterMs: 100, messages: 1_000 });
    await clock.advance(102);
    const media = stream.of('media');
    expect(media.length).toBeGreaterThanOrEqual(1_005);
    expect(media.map(({ media }) => Number(media.chunk))).toEqual(media.map((_, index) => index + 1));
    expect(media[500]!.media.payload).toBe(silentFrame.payload);
  });

  const kinds: GarbageKind[] = [
    'binary',
    'malformedJson',
    'notAnObject',
    'unknownEvent',
    'mediaWithoutPayload',
    'hugeMessage',
    'jumpingSequence',
    'unknownMark',
    'foreignStream',
  ];

  it('garbage: one message of each kind, and a sequence that jumps', async () => {
    const { clock, stream } = await streamingWith({ fault: 'garbage', afterMs: 10, kinds });
    await clock.advance(100);
    const texts = stream.raw.filter((data) => typeof data === 'string');
    expect(stream.raw.filter((data) => data instanceof Uint8Array)).toHaveLength(1);
    expect(texts.filter((text) => text === '{"event":"media","media":{')).toHaveLength(1);
    expect(texts.filter((text) => text === '[null,42]')).toHaveLength(1);
    expect(texts.filter((text) => text.length > 2_000_000)).toHaveLength(1);
    expect(stream.of('telepathy')).toHaveLength(1);
    expect(stream.of('media').filter(({ media }) => media.payload === undefined)).toHaveLength(1);
    expect(stream.of('media').filter(({ streamSid }) => streamSid !== stream.sid)).toHaveLength(1);
    expect(stream.of('mark').map(({ mark }) => mark.name)).toEqual(['never-sent']);
    const numbers = stream.messages
      .map(({ sequenceNumber }) => Number(sequenceNumber))
      .filter((number) => number > 0);
    const jumps = numbers.slice(1).map((number, index) => number - (numbers[index] ?? 0));
    expect(jumps.filter((jump) => jump !== 1)).toEqual([1_001]);
  });

  it('strike the stream that they name, or every one', async () => {
    const rig = makeRig();
    rig.application.on('/voice', twiml);
    rig.application.on('/after', twiml);
    const call = rig.place({
      faults: {
        streams: [
          { fault: 'reset', afterMs: 1_000, stream: 2 },
          { fault: 'closeFrame', afterMs: 2_000, stream: 'every' },
        ],
      },
    });
    await rig.clock.runUntil(() => rig.application.streams.length === 4, 30_000);
    const struck = call.events.flatMap((event) => (event.event === 'faultStruck' ? [event.fault] : []));
    expect(struck).toEqual(['closeFrame', 'reset', 'closeFrame']);
  });
});

describe('a server that reads too slowly', () => {
  it('loses audio of the caller, is warned of once, and sees the timestamps go on', async () => {
    const rig = makeRig();
    rig.application.on('/voice', twiml);
    const { call, stream } = await rig.placeUntilStreaming();
    rig.unsentBytes = 70_000;
    await rig.clock.advance(1_000);
    rig.unsentBytes = 0;
    await rig.clock.advance(100);
    expect(call.notices.map(({ code, level }) => [code, level])).toEqual([[31930, 'warning']]);
    const timestamps = stream.of('media').map(({ media }) => Number(media.timestamp));
    const jumps = timestamps.slice(1).map((at, index) => at - (timestamps[index] ?? 0));
    expect(jumps.filter((jump) => jump !== 20)).toEqual([1_020]);
  });
});

describe('callbacks', () => {
  const numbered = { number: { statusCallback: `${origin}/status` } };

  it('can be late', async () => {
    const rig = makeRig(numbered);
    rig.application.on('/voice', '<Hangup/>');
    rig.place({ faults: { callbacks: { delayMs: 5_000 } } });
    await rig.clock.advance(4_999);
    expect(rig.application.to('/status')).toHaveLength(0);
    await rig.clock.advance(2);
    expect(rig.application.to('/status')).toHaveLength(1);
  });

  it('can come twice with the same token', async () => {
    const rig = makeRig(numbered);
    rig.application.on('/voice', '<Hangup/>');
    rig.place({ faults: { callbacks: { duplicate: true } } });
    await rig.clock.advance(100);
    const tokens = rig.application.to('/status').map(({ headers }) => headers['i-twilio-idempotency-token']);
    expect(tokens).toHaveLength(2);
    expect(new Set(tokens).size).toBe(1);
  });

  it('can overtake each other, and none is held for more than a second', async () => {
    const rig = makeRig(numbered);
    rig.application.on('/voice', twiml);
    const { call } = await rig.placeUntilStreaming({ faults: { callbacks: { reorder: true } } });
    await rig.clock.advance(100);
    expect(rig.application.to('/stream-status')).toHaveLength(0);
    call.hangUp();
    await rig.clock.advance(999);
    const events = () =>
      rig.application.requests.slice(1).map(({ form }) => form.StreamEvent ?? form.CallStatus);
    expect(events()).toEqual(['stream-stopped', 'stream-started']);
    await rig.clock.advance(2);
    expect(events()).toEqual(['stream-stopped', 'stream-started', 'completed']);
  });

  it.each([
    ['/status', 15003, (path: string) => ({ path, answer: { status: 500, headers: {}, body: '' } as const })],
    ['/status', 11205, (path: string) => ({ path, answer: 'unreachable' as const })],
  ])('that fail are noticed and stop nothing', async (path, code, make) => {
    const rig = makeRig(numbered);
    rig.application.on('/voice', '<Hangup/>');
    rig.application.on(path, make(path).answer);
    const call = rig.place();
    await rig.untilEnded(call);
    expect(call.notices.map((notice) => notice.code)).toEqual([code]);
  });
});

function expectContiguous(messages: readonly { media: { timestamp: string } }[]): void {
  const times = messages.map(({ media }) => Number(media.timestamp));
  expect(times).toEqual(times.map((_, index) => Number(times[0]) + 20 * index));
}
