import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FlightTimes } from '../../src/twin/load/flight-times.ts';
import {
  decodeBase64,
  findStamp,
  frameBytes,
  readStamp,
  type Stamp,
  speech,
  stampBytes,
  writeStamp,
} from '../../src/twin/load/frame-stamp.ts';
import { MediaFrames } from '../../src/twin/load/media-frames.ts';

const stamps = fc.record({
  owner: fc.nat(0xffff),
  kind: fc.nat(3),
  number: fc.nat(0xff_ffff),
});

const read = (audio: Uint8Array, at: number): Stamp | null => {
  const stamp = { owner: 0, kind: 0, number: 0 };
  return readStamp(audio, at, stamp) ? stamp : null;
};

describe('a stamp', () => {
  it('is read back and found wherever it lies', () => {
    fc.assert(
      fc.property(stamps, fc.nat(500), ({ owner, kind, number }, at) => {
        const audio = Buffer.alloc(600, 0x55);
        writeStamp(audio, at, owner, kind, number);
        expect(findStamp(audio, 0)).toBe(at);
        expect(read(audio, at)).toEqual({ owner, kind, number });
      }),
    );
  });

  it('is not seen where there is none, and not where it is cut off', () => {
    expect(read(Buffer.alloc(160, 0xff), 0)).toBeNull();
    const audio = Buffer.alloc(20, 0x55);
    writeStamp(audio, 11, 1, 1, 1);
    expect(read(audio, 11)).toEqual({ owner: 1, kind: 1, number: 1 });
    expect(read(audio.subarray(0, 19), 11)).toBeNull();
  });

  it('is read out of base64 under any mask, in either frame of a pair', () => {
    fc.assert(
      fc.property(
        stamps,
        fc.uint8Array({ minLength: 4, maxLength: 4 }),
        fc.constantFrom(0, 1),
        fc.nat(3),
        ({ owner, kind, number }, mask, frame, phase) => {
          const audio = Buffer.alloc(2 * frameBytes, 0x55);
          writeStamp(audio, frame * frameBytes, owner, kind, number);
          const text = Buffer.from(audio.toString('base64')).map(
            (byte, index) => byte ^ (mask[(index + phase) & 3] ?? 0),
          );
          const at = Math.floor((frame * frameBytes) / 3) * 4;
          const decoded = Buffer.alloc(2 * stampBytes);
          decodeBase64(text, at, 16, mask, (at + phase) & 3, decoded);
          expect(read(decoded, (frame * frameBytes) % 3)).toEqual({ owner, kind, number });
        },
      ),
    );
  });
});

describe('a media frame', () => {
  /** What the far side makes of it (RFC 6455 section 5.2). */
  function unwrap(frame: Buffer): { event: string; media: Record<string, string>; [field: string]: unknown } {
    expect(frame[0]).toBe(0x81);
    const short = (frame[1] ?? 0) & 0x7f;
    const head = short < 126 ? 2 : 4;
    const length = short < 126 ? short : frame.readUInt16BE(2);
    const mask = frame.subarray(head, head + 4);
    expect([...mask].some((byte) => byte !== 0)).toBe(true);
    const text = frame.subarray(head + 4).map((byte, index) => byte ^ (mask[index & 3] ?? 0));
    expect(text.length).toBe(length);
    return JSON.parse(Buffer.from(text).toString());
  }

  it('is the message that the carrier sends, with its numbers and its stamp', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9_999_999 }),
        fc.nat(0xff_ffff),
        fc.constantFrom(1, 20),
        (sequence, number, framesPerMessage) => {
          const frames = new MediaFrames('MZ12', 77, framesPerMessage);
          const message = unwrap(frames.write(sequence, sequence - 1, sequence * 20, speech, number));
          const audio = Buffer.from(message.media.payload ?? '', 'base64');
          expect(message).toMatchObject({
            event: 'media',
            sequenceNumber: String(sequence),
            streamSid: 'MZ12',
            media: { track: 'inbound', chunk: String(sequence - 1), timestamp: String(sequence * 20) },
          });
          expect(audio.length).toBe(framesPerMessage * frameBytes);
          expect(read(audio, 0)).toEqual({ owner: 77, kind: speech, number });
        },
      ),
    );
  });
});

describe('the time on the way', () => {
  it('is the time from the departure of that piece', () => {
    const flights = new FlightTimes(4);
    const [first, second] = [flights.depart(100), flights.depart(120)];
    expect([flights.arrive(second, 121), flights.arrive(first, 150)]).toEqual([1, 50]);
  });

  it('is not known of a piece that was not sent, or too long ago', () => {
    const flights = new FlightTimes(4);
    for (let number = 0; number < 5; number++) flights.depart(number);
    expect([flights.arrive(0, 9), flights.arrive(1, 9), flights.arrive(5, 9)]).toEqual([null, 8, null]);
  });
});
