import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageWriter, readMessage } from '../../../src/adapters/twilio/media-message.ts';
import { callSid, connected, dtmf, mark, media, start, stop, streamSid } from './stream-messages.ts';

/** The same JSON with the members of every object in another order, and with spaces. */
const reordered = (text: string): string => {
  const turn = (value: unknown): unknown =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(
          Object.entries(value)
            .reverse()
            .map(([name, inner]) => [name, turn(inner)]),
        )
      : value;
  return JSON.stringify(turn(JSON.parse(text)), null, 1);
};

const frame = (payload: string, more: object = {}): string =>
  JSON.stringify({
    event: 'media',
    sequenceNumber: '5',
    media: { track: 'inbound', chunk: '4', timestamp: '80', payload, ...more },
    streamSid,
  });

describe('a message of the carrier', () => {
  it.each([
    ['connected', connected(), { event: 'connected' }],
    [
      'start',
      start(),
      { event: 'start', sequence: 1, streamId: streamSid, carrierCallId: callSid, token: 'good' },
    ],
    ['mark', mark('a "b"', 3), { event: 'mark', sequence: 3, streamId: streamSid, name: 'a "b"' }],
    ['dtmf', dtmf('#', 4), { event: 'dtmf', sequence: 4, streamId: streamSid, digit: '#' }],
    ['stop', stop(9), { event: 'stop', sequence: 9, streamId: streamSid }],
  ])('of the event %s is read, whatever the order of its fields', (_, text, message) => {
    expect(readMessage(text)).toEqual(message);
    expect(readMessage(reordered(text))).toEqual(message);
  });

  it('that starts a stream without parameters has no token', () => {
    expect(readMessage(start({}))).toMatchObject({ token: null });
    expect(readMessage(start(undefined, { customParameters: undefined }))).toMatchObject({ token: null });
  });

  it('with a frame is read alike by the short way and by the long way', () => {
    const number = fc.nat({ max: 999_999_999 });
    const audio = fc.uint8Array({ minLength: 1, maxLength: 500 });
    fc.assert(
      fc.property(number, number, audio, (sequence, timestampMs, bytes) => {
        const payload = Buffer.from(bytes).toString('base64');
        const text = frame(payload, { timestamp: String(timestampMs) }).replace('"5"', `"${sequence}"`);
        const audio = Buffer.from(bytes);
        const read = { event: 'media', sequence, streamId: streamSid, timestampMs, audio };
        expect(readMessage(text)).toEqual(read);
        expect(readMessage(reordered(text))).toEqual(read);
      }),
    );
  });

  it('with a frame may hold fields that are not known', () => {
    expect(readMessage(frame('AAAA', { loudness: '3' }))).toMatchObject({
      event: 'media',
      audio: Buffer.alloc(3),
    });
  });
});

describe('a fault', () => {
  it.each([
    ['binary', new Uint8Array([123, 125])],
    ['json', '{"event":"media"'],
    ['json', ''],
    ['event', 'null'],
    ['event', '[]'],
    ['event', '"media"'],
    ['event', '{"event":"unheard"}'],
    ['event', '{"event":"__proto__"}'],
    ['start', start().replace(/"callSid":"\w+"/, '"callSid":"CA1"')],
    ['start', start(undefined, { mediaFormat: { encoding: 'audio/x-l16', sampleRate: 8_000, channels: 1 } })],
    [
      'start',
      start(undefined, { mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 16_000, channels: 1 } }),
    ],
    [
      'start',
      start(undefined, { mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8_000, channels: 2 } }),
    ],
    ['start', start({ token: 'x'.repeat(501) })],
    ['media', frame('AAAA').replace(/,"payload":"AAAA"/, '')],
    ['media', frame('')],
    ['media', frame('AAA')],
    ['media', reordered(frame('AAA'))],
    ['media', frame('====')],
    ['media', frame('AA=A')],
    ['media', frame('A-_A')],
    ['media', frame('AAAA\n')],
    ['media', frame('AAAA', { track: 'outbound' })],
    ['media', frame('AAAA', { timestamp: '-20' })],
    ['media', frame('AAAA', { timestamp: 80 })],
    ['media', frame('AAAA').replace('"5"', '5')],
    ['media', frame('AAAA').replace('"streamSid":"MZ', '"streamSid":"XX')],
    ['mark', mark('x'.repeat(201), 3)],
    ['mark', mark('x', 3).replace('"name"', '"label"')],
    ['dtmf', dtmf('12', 3)],
    ['dtmf', dtmf('x', 3)],
    ['stop', stop(3).replace(/"sequenceNumber":"3",/, '')],
  ])('of the kind %s is named for %j', (fault, data) => {
    expect(readMessage(data)).toBe(fault);
  });

  it('is all that any text or any change of a good message can come to', () => {
    const good = fc.constantFrom(connected(), start(), media(1), mark('m', 2), dtmf('1', 2), stop(2));
    const changed = fc
      .tuple(good, fc.nat(), fc.nat({ max: 8 }), fc.string({ unit: 'binary' }))
      .map(([text, at, length, inserted]) => {
        const from = at % text.length;
        return text.slice(0, from) + inserted + text.slice(from + length);
      });
    const faults = ['json', 'event', 'start', 'media', 'mark', 'dtmf', 'stop'];
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json(), changed), (text) => {
        const read = readMessage(text);
        if (typeof read === 'string') expect(faults).toContain(read);
        else expect(JSON.parse(text)).toMatchObject({ event: read.event });
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a message of ours', () => {
  const writer = new MessageWriter(streamSid);

  it('has exactly the fields that the carrier takes', () => {
    expect(JSON.parse(writer.media(Buffer.from([1, 2, 3])))).toEqual({
      event: 'media',
      streamSid,
      media: { payload: 'AQID' },
    });
    expect(JSON.parse(writer.mark('a "mark"\n'))).toEqual({
      event: 'mark',
      streamSid,
      mark: { name: 'a "mark"\n' },
    });
    expect(JSON.parse(writer.clear)).toEqual({ event: 'clear', streamSid });
  });
});
