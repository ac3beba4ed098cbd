/** What comes on a connection may wait for the rest of it in the kernel: how long, and what ends the waiting. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { GatheredReads, gathersReads } from '../../src/platform/gathered-reads.ts';
import { textFrame } from '../../src/platform/text-frames.ts';
import { wrapWebSocket } from '../../src/platform/websocket.ts';
import type { Socket } from '../../src/runtime/ports/socket.ts';
import { needGatheredReads } from '../support/gathered-reads-needed.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** As a frame of the carrier with its head, and less than half of one. */
const frame = 'f'.repeat(372);
const note = 'n'.repeat(150);
const frameBytes = frame.length + 8;

/** Longer than any frame waits (K3). */
const longestWaitMs = 100;

class Listener {
  /** What each read brought. */
  readonly reads: string[][] = [];
  readonly closures: number[] = [];
  #reading: string[] = [];

  hear(message: string): void {
    this.#reading.push(message.slice(0, 1));
  }

  endRead(): void {
    if (this.#reading.length > 0) this.reads.push(this.#reading);
    this.#reading = [];
  }

  /** Messages after which no read was told yet. */
  get unread(): readonly string[] {
    return this.#reading;
  }

  get heard(): string[] {
    return this.reads.map((messages) => messages.join(''));
  }
}

interface Connected {
  listener: Listener;
  socket: Socket;
  farSide: WebSocket;
  /** The two ends of the connection. */
  near: Duplex;
  line: Duplex;
}

async function connect(wrap = wrapWebSocket): Promise<Connected> {
  const server = createServer();
  const webSockets = new WebSocketServer({ server });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => server.close());
  const farSide = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  cleanups.push(() => farSide.terminate());
  const upgraded = once(farSide, 'upgrade') as Promise<[IncomingMessage]>;
  const [accepted, request] = (await once(webSockets, 'connection')) as [WebSocket, { socket: Duplex }];
  const listener = new Listener();
  const handlers = {
    onMessage: (data: string | Uint8Array) => listener.hear(String(data)),
    onClose: ({ code }: { code: number }) => listener.closures.push(code),
    onRead: () => listener.endRead(),
  };
  const socket = wrap(accepted, handlers, request.socket);
  if (farSide.readyState !== WebSocket.OPEN) await once(farSide, 'open');
  const [{ socket: line }] = await upgraded;
  return { listener, socket, farSide, near: request.socket, line };
}

describe('reads that are gathered', () => {
  beforeEach((context) => needGatheredReads(context));

  it('bring frames in pairs, however far apart they were sent', async () => {
    const { listener, socket, farSide } = await connect();
    expect(socket.gatherReads?.(frameBytes * 1.5)).toBe(true);
    for (let count = 0; count < 8; count++) {
      farSide.send(frame);
      await sleep(10);
    }
    expect(listener.heard).toEqual(['ff', 'ff', 'ff', 'ff']);
  });

  it('are one for each frame until they are asked for', async () => {
    const { listener, farSide } = await connect();
    for (const count of [1, 2, 3]) {
      farSide.send(frame);
      await expect.poll(() => listener.heard.length).toBe(count);
    }
    expect(listener.heard).toEqual(['f', 'f', 'f']);
  });

  it('wait for a second frame though something small came with the first', async () => {
    const { listener, socket, farSide } = await connect();
    socket.gatherReads?.(frameBytes * 1.5);
    for (const message of [note, frame, frame]) {
      farSide.send(message);
      await sleep(10);
    }
    expect(listener.heard).toEqual(['nff']);
  });

  it('bring what is alone after all, and what is small after that at once', async () => {
    const { listener, socket, farSide } = await connect();
    socket.gatherReads?.(frameBytes * 1.5);
    farSide.send(note);
    await sleep(10);
    expect(listener.heard).toEqual([]);
    await expect.poll(() => listener.heard).toEqual(['n']);
    const sentMs = performance.now();
    farSide.send(note);
    await expect.poll(() => listener.heard, { interval: 2 }).toEqual(['n', 'n']);
    expect(performance.now() - sentMs).toBeLessThan(longestWaitMs / 2);
  });

  it('are gathered again when frames flow again', async () => {
    const { listener, socket, farSide } = await connect();
    socket.gatherReads?.(frameBytes * 1.5);
    for (const message of [note, frame]) {
      farSide.send(message);
      await expect.poll(() => listener.heard.join('')).toContain(message.slice(0, 1));
    }
    for (let count = 0; count < 4; count++) {
      farSide.send(frame);
      await sleep(10);
    }
    expect(listener.heard).toEqual(['n', 'f', 'ff', 'ff']);
  });

  it.each([
    ['its head', 1],
    ['its text', 300],
  ])('bring the rest of a frame at once that came with part of %s', async (_, partBytes) => {
    const { listener, socket, line } = await connect();
    socket.gatherReads?.(frameBytes * 1.5);
    const frames = Buffer.concat([1, 2, 3].map(() => textFrame(frame, true)));
    const cut = 2 * frameBytes + partBytes;
    line.write(frames.subarray(0, cut));
    await expect.poll(() => listener.heard, { interval: 2 }).toEqual(['ff']);
    await nextTurn();
    const sentMs = performance.now();
    line.write(frames.subarray(cut));
    await expect.poll(() => listener.heard, { interval: 2 }).toEqual(['ff', 'f']);
    expect(performance.now() - sentMs).toBeLessThan(longestWaitMs / 2);
  });

  it('are not said to be where the kernel does not keep to it', async () => {
    const { listener, socket, farSide, near } = await connect();
    socket.gatherReads?.(frameBytes * 1.5);
    new GatheredReads(near).gather(1);
    for (const count of [1, 2, 3]) {
      farSide.send(frame);
      await expect.poll(() => listener.unread.length).toBe(count);
    }
    expect(listener.heard).toEqual([]);
  });

  it('bring what was said last, and the end', async () => {
    const { listener, socket, farSide } = await connect();
    socket.gatherReads?.(frameBytes * 1.5);
    farSide.send(note);
    farSide.close(1_000);
    await expect.poll(() => listener.closures).toEqual([1_000]);
    expect(listener.heard).toEqual(['n']);
  });

  it('end a connection that is reset at once', async () => {
    const { listener, socket, farSide } = await connect();
    socket.gatherReads?.(frameBytes * 1.5);
    farSide.send(note);
    await sleep(10);
    farSide.terminate();
    await expect.poll(() => listener.closures).toEqual([1_006]);
  });
});

describe('the time that bytes wait', () => {
  let wrap = wrapWebSocket;

  beforeEach(async (context) => {
    needGatheredReads(context);
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    cleanups.push(() => vi.useRealTimers());
    // The timer is the process's: one that other tests began is none of these clocks.
    vi.resetModules();
    ({ wrapWebSocket: wrap } = await import('../../src/platform/websocket.ts'));
  });

  it('is 100 ms at most, and bytes that come meanwhile do not make it longer', async () => {
    const { listener, socket, farSide } = await connect(wrap);
    socket.gatherReads?.(frameBytes * 1.5);
    farSide.send(note);
    await sleep(20);
    vi.advanceTimersByTime(99);
    await sleep(20);
    expect(listener.heard).toEqual([]);
    vi.advanceTimersByTime(1);
    await sleep(20);
    expect(listener.heard).toEqual(['n']);
  });

  it('is watched by one timer for all, which is gone when nothing waits any more', async () => {
    const [one, other] = [await connect(wrap), await connect(wrap)];
    for (const { socket } of [one, other]) socket.gatherReads?.(frameBytes * 1.5);
    expect(vi.getTimerCount()).toBe(1);
    for (const { farSide, listener } of [one, other]) {
      farSide.terminate();
      while (listener.closures.length === 0) await sleep(1);
    }
    vi.advanceTimersByTime(50);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is none on a connection without a descriptor', async () => {
    const { socket, near } = await connect(wrap);
    Object.defineProperty(near, '_handle', { value: { fd: -1 }, configurable: true });
    expect(socket.gatherReads?.(frameBytes * 1.5)).toBe(false);
    Reflect.deleteProperty(near, '_handle');
    expect(vi.getTimerCount()).toBe(0);
  });
});

it('nobody is told that the way to the kernel is experimental', () => {
  const module = join(import.meta.dirname, '../../src/platform/gathered-reads.ts');
  const program = `process.exitCode = (await import(${JSON.stringify(module)})).gathersReads() ? 0 : 3;`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: gathersReads() ? 0 : 3, stderr: '' });
});
