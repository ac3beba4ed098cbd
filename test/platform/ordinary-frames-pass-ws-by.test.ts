/** Whatever frames come, in whatever pieces: what is heard is what `ws` by itself would have heard. */
import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { IncomingFrames, ordinaryBytes, textFrame } from '../../src/platform/text-frames.ts';
import { wrapWebSocket } from '../../src/platform/websocket.ts';

const mostBytes = 20_000;

/** The server's end of a connection. */
class Connection extends Duplex {
  readonly written: Buffer[] = [];

  override _read(): void {}

  override _write(bytes: Buffer, _: string, done: () => void): void {
    this.written.push(Buffer.from(bytes));
    done();
  }
}

const request = {
  method: 'GET',
  url: '/',
  headers: {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-key': Buffer.alloc(16).toString('base64'),
    'sec-websocket-version': '13',
  },
} as unknown as IncomingMessage;

function accept(connection: Duplex): Promise<WebSocket> {
  const server = new WebSocketServer({ noServer: true, maxPayload: mostBytes });
  return new Promise((resolve) => server.handleUpgrade(request, connection, Buffer.alloc(0), resolve));
}

type Heard = string[];

const bytesHeard = (data: Uint8Array): string => `bytes ${Buffer.from(data).toString('hex')}`;

async function hearBare(connection: Duplex): Promise<Heard> {
  const heard: Heard = [];
  const webSocket = await accept(connection);
  webSocket.on('message', (data: Buffer, isBinary) =>
    heard.push(isBinary ? bytesHeard(data) : `text ${data}`),
  );
  webSocket.on('pong', () => heard.push('pong'));
  webSocket.on('error', () => heard.push('error'));
  webSocket.on('close', () => heard.push('closed'));
  return heard;
}

async function hearWrapped(connection: Duplex): Promise<Heard> {
  const heard: Heard = [];
  const webSocket = await accept(connection);
  wrapWebSocket(
    webSocket,
    {
      onMessage: (data) => heard.push(typeof data === 'string' ? `text ${data}` : bytesHeard(data)),
      onPong: () => heard.push('pong'),
      onClose: () => heard.push('closed'),
    },
    connection,
  );
  webSocket.on('error', () => heard.push('error'));
  return heard;
}

/** @returns what was heard of the pieces, each in a turn of its own, and of the end of the connection */
async function listen(hear: (connection: Duplex) => Promise<Heard>, pieces: Buffer[]): Promise<Heard> {
  const connection = new Connection();
  const heard = await hear(connection);
  for (const piece of pieces) {
    // A copy: ws takes masks off in place.
    connection.push(Buffer.from(piece));
    await nextTurn();
  }
  connection.push(null);
  for (let turn = 0; turn < 3; turn++) await nextTurn();
  const heardUntilItsEnd = [...heard];
  connection.destroy();
  await nextTurn();
  return heardUntilItsEnd;
}

const maskOf = (length: number): Buffer => Buffer.from([0x12, 0x5e, 0x60, length & 0x7f]);

const masked = (payload: Buffer): Buffer => {
  const mask = maskOf(payload.length);
  return Buffer.from(payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0)));
};

interface Frame {
  first: number;
  payload: Buffer;
  isMasked: boolean;
}

function bytesOf({ first, payload, isMasked }: Frame): Buffer {
  const { length } = payload;
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const head = Buffer.alloc(2 + lengthBytes);
  head[0] = first;
  head[1] = (isMasked ? 0x80 : 0) | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) head.writeUInt16BE(length, 2);
  if (lengthBytes === 8) head.writeBigUInt64BE(BigInt(length), 2);
  if (!isMasked) return Buffer.concat([head, payload]);
  return Buffer.concat([head, maskOf(length), masked(payload)]);
}

const finalText = 0x81;
const frameOf = (first: number, payload: fc.Arbitrary<Buffer>, isMasked = true): fc.Arbitrary<Frame> =>
  payload.map((bytes) => ({ first, payload: bytes, isMasked }));

const ascii = fc
  .oneof(fc.constantFrom(0, 1, 3, 4, 5, 125, 126, 127, 380, 4_096), fc.integer({ min: 0, max: 2_000 }))
  .map((length) => Buffer.from(Array.from({ length }, (_, at) => 32 + (at % 95))));
const words = fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => Buffer.from(text));
/** Bytes of which the far side of a wire would say: frames. */
const framesWithin = fc.integer({ min: 1, max: 40 }).map((count) => {
  const empty = Buffer.from([finalText, 0x80, 1, 2, 3, 4]);
  return masked(Buffer.concat(Array.from({ length: count }, () => empty)));
});
const noise = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
const little = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes));
const long = fc.constantFrom(ordinaryBytes - 1, ordinaryBytes, ordinaryBytes + 1, mostBytes, mostBytes + 1);

const frames = fc.oneof(
  { weight: 8, arbitrary: frameOf(finalText, ascii).map((frame) => [frame]) },
  { weight: 3, arbitrary: frameOf(finalText, words).map((frame) => [frame]) },
  {
    weight: 1,
    arbitrary: frameOf(
      finalText,
      long.map((length) => Buffer.alloc(length, 'x')),
    ).map((frame) => [frame]),
  },
  { weight: 2, arbitrary: frameOf(0x82, fc.oneof(noise, framesWithin)).map((frame) => [frame]) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(0x89, 0x8a)
      .chain((first) => frameOf(first, little))
      .map((frame) => [frame]),
  },
  // A message in three frames, with an answer to a ping between them.
  {
    weight: 2,
    arbitrary: fc
      .tuple(frameOf(0x01, ascii), frameOf(0x8a, little), frameOf(0x00, ascii), frameOf(0x80, ascii))
      .map((parts) => [...parts]),
  },
  // A text within a message, after an answer to a ping: the connection ends.
  {
    weight: 1,
    arbitrary: fc
      .tuple(frameOf(0x01, ascii), frameOf(0x8a, little), frameOf(finalText, ascii))
      .map((parts) => [...parts]),
  },
  // Noise in place of a head, a text that is none, one without a mask, the end.
  {
    weight: 1,
    arbitrary: fc
      .nat(255)
      .chain((first) => frameOf(first, noise))
      .map((frame) => [frame]),
  },
  {
    weight: 1,
    arbitrary: frameOf(finalText, fc.constant(Buffer.from([0xc3, 0x28]))).map((frame) => [frame]),
  },
  { weight: 1, arbitrary: frameOf(finalText, ascii, false).map((frame) => [frame]) },
  { weight: 1, arbitrary: frameOf(0x88, fc.constant(Buffer.from([3, 232]))).map((frame) => [frame]) },
);

const stories = fc.record({
  frames: fc.array(frames, { minLength: 1, maxLength: 12 }),
  /** Where the stream of bytes is cut, as shares of it; null between all frames. */
  cuts: fc.option(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 })),
});

function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((share) => Math.floor(share * bytes.length)), bytes.length];
  places.sort((one, other) => one - other);
  return places.slice(1).flatMap((to, index) => {
    const from = places[index] ?? 0;
    return from === to ? [] : [bytes.subarray(from, to)];
  });
}

describe('what comes on a connection', () => {
  it('is heard as ws by itself hears it, however it is cut', async () => {
    let ordinary = 0;
    await fc.assert(
      fc.asyncProperty(stories, async ({ frames: groups, cuts }) => {
        const whole = groups.flat().map(bytesOf);
        const pieces = cuts === null ? whole : cut(Buffer.concat(whole), cuts);
        const heard = await listen(hearWrapped, pieces);
        expect(heard).toEqual(await listen(hearBare, pieces));
        ordinary += heard.filter((one) => one.startsWith('text')).length;
      }),
      { numRuns: 400 },
    );
    expect(ordinary).toBeGreaterThan(400);
  });

  it.each(['text', 'bytes'])(
    'is nobody’s after a close frame, and the end is told at once: %s',
    async (what) => {
      const close = bytesOf({ first: 0x88, payload: Buffer.from([0x03, 0xe8]), isMasked: true });
      const late = bytesOf({
        first: what === 'text' ? finalText : 0x82,
        payload: Buffer.alloc(2_000, 'x'),
        isMasked: true,
      });
      for (const pieces of [
        [close, late, late],
        cut(Buffer.concat([close, late, late]), [0.001, 0.4, 0.8]),
      ]) {
        expect(await listen(hearBare, pieces)).toEqual(['closed']);
        expect(await listen(hearWrapped, pieces)).toEqual(['closed']);
      }
    },
  );

  it('is heard at every cut of one long story', async () => {
    const empty = Buffer.from([finalText, 0x80, 1, 2, 3, 4]);
    const story = [
      { first: finalText, payload: Buffer.from('{"event":"media"}'), isMasked: true },
      // On the wire its payload is frames.
      {
        first: 0x82,
        payload: masked(Buffer.concat(Array.from({ length: 24 }, () => empty))),
        isMasked: true,
      },
      { first: 0x8a, payload: Buffer.from('pong'), isMasked: true },
      { first: finalText, payload: Buffer.from('grüezi'), isMasked: true },
      { first: finalText, payload: Buffer.from('{"event":"mark"}'), isMasked: true },
    ].map(bytesOf);
    const bytes = Buffer.concat(story);
    const expected = await listen(hearBare, [bytes]);
    expect(expected).toHaveLength(6);
    for (let at = 1; at < bytes.length - 1; at++) {
      const begin = bytes.subarray(0, at);
      expect(await listen(hearWrapped, [begin, bytes.subarray(at)])).toEqual(expected);
      const single = bytes.subarray(at, at + 1);
      expect(await listen(hearWrapped, [begin, single, bytes.subarray(at + 1)])).toEqual(expected);
    }
  });
});

describe('a text that comes in a piece of its own', () => {
  const lengths = [0, 5, 125, 126, 300, 65_536];

  it.each(lengths)('is taken as one after a frame of %i bytes that came in any three pieces', (length) => {
    const other = bytesOf({ first: 0x82, payload: Buffer.alloc(length, 0x81), isMasked: true });
    const text = bytesOf({ first: finalText, payload: Buffer.from('taken'), isMasked: true });
    const places = Array.from({ length: other.length - 2 }, (_, at) => at + 1);
    for (const at of places.filter((place) => place < 40 || place > other.length - 3)) {
      const texts: string[] = [];
      const bytes: Buffer[] = [];
      const frames = new IncomingFrames(true, mostBytes, {
        takesTexts: () => true,
        onText: (message) => texts.push(message),
        onBytes: (piece) => bytes.push(piece),
      });
      // What follows in one piece upon a frame that is not ordinary goes with it (W2).
      const both = Buffer.concat([other, text]);
      for (const piece of [both.subarray(0, at), both.subarray(at, at + 1), both.subarray(at + 1), text])
        frames.take(piece);
      expect(texts).toEqual(['taken']);
      expect(Buffer.concat(bytes).equals(both)).toBe(true);
    }
  });
});

describe('a text that is sent', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.constantFrom(125, 126, 127, 65_535, 65_536, 70_000).map((length) => 'z'.repeat(length)),
    fc.constantFrom(60, 63, 65_536).map((length) => 'ü'.repeat(length)),
  );

  it('is one frame that says how long it is and holds the text', () => {
    fc.assert(
      fc.property(texts, fc.boolean(), (text, isMasked) => {
        const payload = Buffer.from(text);
        const frame = textFrame(text, isMasked);
        const plain = bytesOf({ first: finalText, payload, isMasked: false });
        const headBytes = plain.length - payload.length;
        expect(frame.length).toBe(plain.length + (isMasked ? 4 : 0));
        expect(frame[0]).toBe(finalText);
        expect(frame[1]).toBe((plain[1] ?? 0) | (isMasked ? 0x80 : 0));
        expect(frame.subarray(2, headBytes)).toEqual(plain.subarray(2, headBytes));
        const mask = isMasked ? frame.subarray(headBytes, headBytes + 4) : Buffer.alloc(4);
        const body = frame.subarray(frame.length - payload.length);
        expect(Buffer.from(body.map((byte, at) => byte ^ (mask[at % 4] ?? 0))).equals(payload)).toBe(true);
      }),
    );
  });

  it('has a mask of its own each time', () => {
    const masks = Array.from({ length: 5_000 }, () => textFrame('', true).readUInt32BE(2));
    expect(new Set(masks).size).toBeGreaterThan(4_990);
  });
});
