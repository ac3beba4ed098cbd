/** A page that stops reading costs a bounded amount of memory for a bounded time, and nothing is left of one that goes. */
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  EventStream,
  heartbeatMs,
  mostPendingBytes,
  mostPendingMs,
} from '../../../src/adapters/http/event-stream.ts';
import { VirtualClock } from '../../../src/twin/virtual-clock.ts';
import { Admin } from './support/admin.ts';
import { summary, view } from './support/fake-desk.ts';

/** An answer whose far side takes what the test takes. */
class FakeResponse extends EventEmitter {
  readonly pending: { text: string; done: () => void }[] = [];
  written = '';
  isEnded = false;
  isDestroyed = false;

  get writableLength(): number {
    return this.pending.reduce((bytes, { text }) => bytes + text.length, 0);
  }

  write(text: string, done: () => void): void {
    this.written += text;
    this.pending.push({ text, done });
  }

  /** The page reads one piece. */
  reads(): void {
    this.pending.shift()?.done();
    this.emit('drain');
  }

  end(): void {
    this.isEnded = true;
  }

  destroy(): void {
    this.isDestroyed = true;
    this.emit('close');
  }
}

describe('a stream of events', () => {
  let clock: VirtualClock;
  let response: FakeResponse;
  let stream: EventStream;
  let cuts: number;
  let ends: number;
  beforeEach(() => {
    clock = new VirtualClock();
    response = new FakeResponse();
    [cuts, ends] = [0, 0];
    stream = new EventStream(response as unknown as ServerResponse, clock, () => {
      cuts += 1;
    });
    stream.onEnd(() => {
      ends += 1;
    });
  });

  it('says what it is told, and that it lives', async () => {
    stream.send('calls', '[]');
    stream.send('patch', '{}', 7);
    expect(response.written).toBe('event: calls\ndata: []\n\nid: 7\nevent: patch\ndata: {}\n\n');
    while (response.pending.length > 0) response.reads();
    await clock.advance(heartbeatMs);
    expect(response.written).toMatch(/\n\n:\n\n$/);
  });

  it('is cut once more than the bound waits, and not for one long event', () => {
    const long = 'x'.repeat(2 * mostPendingBytes);
    stream.send('patch', long);
    expect(cuts).toBe(0);
    response.reads();
    const piece = 'x'.repeat(mostPendingBytes / 4);
    for (let sent = 0; sent < 4; sent++) stream.send('patch', piece);
    expect(cuts).toBe(0);
    stream.send('patch', piece);
    expect([cuts, ends, response.isDestroyed]).toEqual([1, 1, true]);
    expect(response.writableLength).toBeLessThan(mostPendingBytes * 1.5);
    stream.send('patch', piece);
    expect(response.pending).toHaveLength(4);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is cut once something waits for too long, however little', async () => {
    stream.send('calls', '[]');
    await clock.advance(mostPendingMs - 1);
    expect(cuts).toBe(0);
    await clock.advance(1);
    expect([cuts, ends, clock.pendingTimers]).toEqual([1, 1, 0]);
  });

  it('is not cut while the page reads, however slowly', async () => {
    for (let sent = 0; sent < 10; sent++) stream.send('sound', 'x'.repeat(50_000));
    for (let read = 0; read < 10; read++) {
      await clock.advance(mostPendingMs - 1_000);
      response.reads();
    }
    expect(cuts).toBe(0);
  });

  it('has room again once the page has read, or is gone', async () => {
    await stream.room();
    stream.send('message', 'x'.repeat(100_000));
    let rooms = 0;
    void stream.room().then(() => {
      rooms += 1;
    });
    await clock.advance(0);
    expect(rooms).toBe(0);
    response.reads();
    await clock.advance(0);
    expect(rooms).toBe(1);
    stream.send('message', 'x'.repeat(100_000));
    const left = stream.room();
    response.destroy();
    await left;
    await stream.room();
  });

  it('ends once, whoever ends it', () => {
    stream.close();
    response.emit('close');
    stream.close();
    expect([ends, cuts, clock.pendingTimers]).toEqual([1, 0, 0]);
    stream.onEnd(() => {
      ends += 1;
    });
    expect(ends).toBe(2);
  });
});

describe('a server of pages', () => {
  let admin: Admin;
  let sockets: Socket[];
  beforeEach(async () => {
    admin = new Admin();
    sockets = [];
    await admin.open();
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await admin.close();
  });

  const settled = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await turn();
  };

  /** A page that asks and never reads. */
  async function deafPage(path: string): Promise<Socket> {
    const socket = connect(admin.server.port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.pause();
    socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    const before = admin.desk.watchers;
    await settled(() => admin.desk.watchers > before);
    return socket;
  }

  it('cuts off one that does not read, and goes on for the others', async () => {
    await deafPage('/api/calls/CA1/live');
    const other = await admin.listen('/api/calls/live');
    const long = { ...view, lines: [], call: { ...summary, stateText: 'x'.repeat(256 * 1_024) } };
    for (let sent = 0; admin.cuts === 0; sent++) {
      for (const { patch } of admin.desk.callWatchers) patch(long);
      await turn();
      // More than any system keeps for a socket.
      expect(sent).toBeLessThan(400);
    }
    expect(admin.desk.callWatchers.size).toBe(0);
    for (const tell of admin.desk.listWatchers) tell([]);
    await other.until(2);
    expect(admin.server.openStreams).toBe(1);
    other.leave();
  });

  it('makes no message for an inspector that does not read', async () => {
    admin.desk.inspectorMessages = Array.from({ length: 100_000 }, () => 'x'.repeat(1_000));
    let made = 0;
    const { inspect } = admin.desk;
    admin.desk.inspect = (callId, listener) =>
      inspect.call(admin.desk, callId, (message) => {
        made += 1;
        return listener(message);
      });
    const page = await deafPage('/api/calls/CA1/inspect');
    let before = -1;
    while (made !== before) {
      before = made;
      for (let turns = 0; turns < 200; turns++) await turn();
    }
    expect(made).toBeLessThan(50_000);
    expect(admin.cuts).toBe(0);
    page.destroy();
    await settled(() => admin.desk.watchers === 0);
  });

  it('stops watching for a page that goes', async () => {
    const pages = await Promise.all(
      ['/api/calls/live', '/api/calls/CA1/live', '/api/calls/CA1/inspect'].map((path) => admin.listen(path)),
    );
    await settled(() => admin.desk.watchers === 3);
    expect(admin.server.openStreams).toBe(3);
    for (const page of pages) page.leave();
    await settled(() => admin.desk.watchers === 0);
    await settled(() => admin.server.openStreams === 0);
    expect(admin.clock.pendingTimers).toBe(0);
    expect(admin.cuts).toBe(0);
  });

  it('leaves nothing behind when it closes, whoever reads or does not', async () => {
    const pages = await Promise.all(
      ['/api/calls/live', '/api/calls/CA1/live', '/api/calls/CA1/inspect'].map((path) => admin.listen(path)),
    );
    await deafPage('/api/calls/CA2/live');
    for (const { patch } of admin.desk.callWatchers) patch({ ...view, lines: [] });
    await admin.close();
    await Promise.all(pages.map(({ ended }) => ended));
    expect([admin.desk.watchers, admin.clock.pendingTimers]).toEqual([0, 0]);
  });
});
