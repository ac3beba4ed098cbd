import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameSocket, textOf } from '../../src/twin/load/frame-socket.ts';
import { duplexPair } from './support/duplex-pair.ts';

interface Heard {
  texts: string[];
  codes: number[];
}

function openPair(cut?: (bytes: Buffer) => Buffer[]): {
  client: FrameSocket;
  server: FrameSocket;
  heard: Heard;
} {
  const [near, far] = duplexPair(cut);
  const heard: Heard = { texts: [], codes: [] };
  const onClosed = (code: number): void => void heard.codes.push(code);
  const client = new FrameSocket(near, Buffer.alloc(0), true, { onMessage: () => undefined, onClosed });
  const server = new FrameSocket(far, Buffer.alloc(0), false, {
    onMessage: (message) => void heard.texts.push(textOf(message)),
    onClosed,
  });
  return { client, server, heard };
}

/** Into pieces of the given lengths, again and again. */
const cutInto =
  (lengths: readonly number[]) =>
  (bytes: Buffer): Buffer[] => {
    const pieces: Buffer[] = [];
    for (let at = 0, index = 0; at < bytes.length; index++) {
      const length = lengths[index % lengths.length] ?? 1;
      pieces.push(bytes.subarray(at, at + length));
      at += length;
    }
    return pieces;
  };

describe('a message', () => {
  it('comes whole and in order, of whatever length and however it was cut', async () => {
    const lengths = fc.constantFrom(0, 1, 125, 126, 127, 300, 65_535, 65_536, 70_000);
    await fc.assert(
      fc.asyncProperty(
        fc.array(lengths, { minLength: 1, maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 4 }),
        async (sizes, cuts) => {
          const { client, heard } = openPair(cutInto(cuts));
          const texts = sizes.map((size, index) => String(index).repeat(size).slice(0, size));
          for (const text of texts) client.sendText(text);
          while (heard.texts.length < texts.length) await turn();
          expect(heard.texts).toEqual(texts);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('messages one after the other', () => {
  it.each([1, 7, 299, 305])('come whole in pieces of %i bytes', async (length) => {
    const { client, heard } = openPair(cutInto([length]));
    const texts = ['a'.repeat(300), 'b', 'c'.repeat(126), ''];
    for (const text of texts) client.sendText(text);
    while (heard.texts.length < texts.length) await turn();
    expect(heard.texts).toEqual(texts);
  });
});

describe('the end of a socket', () => {
  it('is told once at either side, with the code of who closed', async () => {
    const { client, server, heard } = openPair();
    client.close(1000);
    expect(client.isOpen).toBe(false);
    while (heard.codes.length < 2) await turn();
    server.close(1001);
    await turn();
    expect(heard.codes).toEqual([1000, 1000]);
  });

  it('is 1006 where nobody closed', async () => {
    const { client, heard } = openPair();
    client.terminate();
    while (heard.codes.length < 1) await turn();
    expect(heard.codes[0]).toBe(1006);
  });
});
