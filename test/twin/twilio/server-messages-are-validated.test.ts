import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readServerMessage } from '../../../src/twin/twilio/stream/server-messages.ts';
import type { TakenStream } from './support/application.ts';
import { makeRig, streamTwiml } from './support/rig.ts';

const streamSid = `MZ${'a'.repeat(32)}`;

const read = (message: unknown) => readServerMessage(JSON.stringify(message), streamSid);

describe('a message of the server', () => {
  it('is taken where it is exact', () => {
    expect(read({ event: 'media', streamSid, media: { payload: '/38A' } })).toEqual({
      event: 'media',
      audio: Buffer.from([0xff, 0x7f, 0x00]),
    });
    expect(read({ event: 'mark', streamSid, mark: { name: 'a' } })).toEqual({ event: 'mark', name: 'a' });
    expect(read({ event: 'clear', streamSid })).toEqual({ event: 'clear' });
  });

  it.each([
    ['no object', []],
    ['null', null],
    ['an unknown event', { event: 'hangup', streamSid }],
    ['no event', { streamSid }],
    ['the sid of another stream', { event: 'clear', streamSid: 'MZ0' }],
    ['a sid in snake case', { event: 'clear', stream_sid: streamSid }],
    ['an extra field', { event: 'clear', streamSid, sequenceNumber: '1' }],
    ['media without media', { event: 'media', streamSid }],
    ['media without a payload', { event: 'media', streamSid, media: {} }],
    ['media with an extra field', { event: 'media', streamSid, media: { payload: '', track: 'outbound' } }],
    ['media with an extra field outside', { event: 'media', streamSid, media: { payload: '' }, id: 1 }],
    ['a payload that is no text', { event: 'media', streamSid, media: { payload: 5 } }],
    ['a payload that is not base64', { event: 'media', streamSid, media: { payload: '***' } }],
    ['a mark without a mark', { event: 'mark', streamSid }],
    ['a mark without a name', { event: 'mark', streamSid, mark: {} }],
    ['a mark with an extra field', { event: 'mark', streamSid, mark: { name: 'a', at: 1 } }],
    ['a mark with an extra field outside', { event: 'mark', streamSid, mark: { name: 'a' }, at: 1 }],
  ])('is refused with 31951 for %s', (_what, message) => {
    expect(read(message)).toMatchObject({ event: 'refused', code: 31951 });
  });

  it('is refused with 31951 where it is not JSON, with 31950 where it is binary', () => {
    expect(readServerMessage('{', streamSid)).toMatchObject({ code: 31951 });
    expect(readServerMessage(new Uint8Array(4), streamSid)).toMatchObject({ code: 31950 });
  });

  it('never throws, whatever it is', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc.uint8Array(),
      fc.anything().map((value) => `${JSON.stringify(value)}`),
    );
    fc.assert(
      fc.property(anything, (data) => {
        expect(readServerMessage(data, streamSid)).toHaveProperty('event');
      }),
      { numRuns: 500 },
    );
  });
});

type Sent = string | Uint8Array | { event: string; isOurs: boolean; extra: unknown };

function sendAnything(stream: TakenStream, sent: Sent): void {
  if (typeof sent === 'string') stream.socket.send(sent);
  else if (sent instanceof Uint8Array) stream.socket.sendBinary?.(sent);
  else {
    const { event, isOurs, extra } = sent;
    stream.send({ event, streamSid: isOurs ? stream.sid : 'MZ0', [event]: extra });
  }
}

describe('a stream that gets bad messages', () => {
  it('goes on, and warns once of each kind', async () => {
    const rig = makeRig();
    rig.application.on('/voice', streamTwiml());
    const { call, stream } = await rig.placeUntilStreaming();
    for (let round = 0; round < 3; round += 1) {
      stream.socket.sendBinary?.(new Uint8Array([1, 2, 3]));
      stream.socket.send('not json');
      stream.send({ event: 'clear', streamSid: 'MZ0' });
    }
    stream.sendMark('still here');
    await rig.clock.advance(100);
    expect(call.notices.map(({ code, level }) => [code, level])).toEqual([
      [31950, 'warning'],
      [31951, 'warning'],
    ]);
    expect(stream.of('mark').map(({ mark }) => mark.name)).toEqual(['still here']);
    expect(call.status).toBe('in-progress');
  });

  it('survives any sequence of messages', async () => {
    const message = fc.oneof(
      fc.string(),
      fc.uint8Array({ maxLength: 40 }),
      fc.record({
        event: fc.constantFrom('media', 'mark', 'clear', 'start'),
        isOurs: fc.boolean(),
        extra: fc.jsonValue(),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 20, size: 'max' }), async (messages) => {
        const rig = makeRig();
        rig.application.on('/voice', streamTwiml());
        const { call, stream } = await rig.placeUntilStreaming();
        for (const sent of messages) sendAnything(stream, sent);
        await rig.clock.advance(60);
        expect(call.status).toBe('in-progress');
        expect(call.notices.length).toBeLessThanOrEqual(2);
        rig.twin.close();
      }),
      { numRuns: 50 },
    );
  });

  it('is warned of when more marks wait than Twilio keeps', async () => {
    const rig = makeRig();
    rig.application.on('/voice', streamTwiml());
    const { call, stream } = await rig.placeUntilStreaming();
    stream.sendAudio(new Uint8Array(8_000));
    for (let index = 0; index < 10_001; index += 1) stream.sendMark(String(index));
    await rig.clock.advance(10);
    expect(call.notices.map(({ code }) => code)).toEqual([31951]);
  });
});
