import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { VirtualClock } from '../../../src/twin/virtual-clock.ts';
import { needGatheredReads } from '../../support/gathered-reads-needed.ts';
import { connected, media, start, stop, streamSid } from './stream-messages.ts';
import { closeCode, UpgradeStage } from './upgrade-stage.ts';

let stage: UpgradeStage;
beforeEach(async () => {
  stage = await UpgradeStage.open();
});
afterEach(async () => {
  await stage.close();
  await vi.waitFor(() => expect(stage.upgrades.size).toBe(0));
});

const admitted = async (count: number) => {
  await vi.waitFor(() => expect(stage.listeners).toHaveLength(count), { interval: 5 });
  return stage.listeners[count - 1]!;
};
const refusedWith = (status: number) => `Unexpected server response: ${status}`;

describe('an upgrade', () => {
  it('that is signed opens a stream, and loses none of the messages that come with it', async () => {
    const socket = await stage.connect('/twilio/media/another', connected(), start(), media(1), media(2));
    const listener = await admitted(1);
    await vi.waitFor(() => expect(listener.timestamps).toEqual([20, 40]));
    const reply = once(socket, 'message');
    stage.desk.starts[0]?.line.sendMark('one');
    expect(JSON.parse(String((await reply)[0]))).toEqual({
      event: 'mark',
      streamSid,
      mark: { name: 'one' },
    });
    expect(stage.upgrades.size).toBe(1);
  });

  it('opens a stream whose frames are read in pairs, and told to have come together', async (context) => {
    needGatheredReads(context);
    const socket = await stage.connect('/twilio/media/another', connected(), start(), media(1));
    const listener = await admitted(1);
    await vi.waitFor(() => expect(listener.timestamps).toEqual([20]));
    for (const chunk of [2, 3, 4, 5, 6]) {
      socket.send(media(chunk));
      await sleep(5);
    }
    await vi.waitFor(() => expect(listener.timestamps).toHaveLength(6));
    const pair = ['audio', 'audio', 'gathered'];
    await vi.waitFor(() => expect(listener.order.slice(-6)).toEqual([...pair, ...pair]));
  });

  it('without a signature, or with one of another token, path or scheme, gets 403', async () => {
    const path = '/twilio/media/a-1';
    const headers = [
      {},
      { 'x-twilio-signature': '' },
      { 'x-twilio-signature': stage.sign(path, 'another token') },
      { 'x-twilio-signature': stage.sign('/twilio/media/a-2') },
    ];
    for (const header of headers) {
      await expect(stage.connectWith(path, header as Record<string, string>)).rejects.toThrow(
        refusedWith(403),
      );
    }
    expect(stage.tally.countOf('upgrade.unsigned')).toBe(4);
    expect(stage.desk.starts).toEqual([]);
  });

  it('that comes to a process that is cut off gets 503, which has others tried', async () => {
    stage.desk.isElsewhere = true;
    await expect(stage.connect()).rejects.toThrow(refusedWith(503));
    const unsigned = stage.connectWith('/twilio/media/a-1', {});
    await expect(unsigned).rejects.toThrow(refusedWith(403));
    expect(stage.tally.countOf('upgrade.cutOff')).toBe(1);
    expect(stage.upgrades.size).toBe(0);
  });

  it('of any other path gets 404, signed or not', async () => {
    for (const path of ['/', '/twilio/media/', '/twilio/media/a/b', '/twilio/media/a?x=1', '/twilio/voice']) {
      await expect(stage.connect(path)).rejects.toThrow(refusedWith(404));
    }
    expect(stage.tally.countOf('upgrade.elsewhere')).toBe(5);
  });

  it('that is no WebSocket handshake is refused, and the server lives', async () => {
    const path = '/twilio/media/a-1';
    const socket = connectTcp(stage.port, '127.0.0.1');
    const head = [
      `GET ${path} HTTP/1.1`,
      'Host: x',
      'Connection: Upgrade',
      'Upgrade: websocket',
      `X-Twilio-Signature: ${stage.sign(path)}`,
    ];
    socket.end(`${head.join('\r\n')}\r\n\r\n`);
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 400/);
    await stage.connect(path, connected(), start());
    await admitted(1);
  });

  it('whose far side is gone before the refusal does not disturb the server', async () => {
    for (let count = 0; count < 20; count++) {
      const socket = connectTcp(stage.port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write('GET /elsewhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      socket.resetAndDestroy();
    }
    await stage.connect('/twilio/media/a-1', connected(), start());
    await admitted(1);
  });
});

describe('a stream that is open', () => {
  it('stays so as long as its far side answers pings, and is dropped when it does not', async () => {
    const clock = new VirtualClock();
    await stage.close();
    stage = await UpgradeStage.open(clock);
    const socket = await stage.connect('/twilio/media/a-1', connected(), start());
    const listener = await admitted(1);
    for (let beat = 1; beat <= 3; beat++) {
      const pinged = once(socket, 'ping');
      await clock.advance(10_000);
      await pinged;
      // What is sent after the pong is read after it.
      socket.send(media(beat));
      await vi.waitFor(() => expect(listener.timestamps).toHaveLength(beat));
    }
    socket.pause();
    await clock.advance(20_000);
    await vi.waitFor(() => expect(listener.order.at(-1)).toBe('stream.closed'));
    expect(stage.tally.countOf('stream.deaf')).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('the token of a stream', () => {
  it.each([
    ['missing', {}],
    ['of another call', { token: 'foreign' }],
    ['used', { token: 'used' }],
  ])('that is %s closes it with 1008, and nothing is handed on', async (_, parameters) => {
    const socket = await stage.connect('/twilio/media/a-1', connected(), start(parameters), media(1));
    expect(await closeCode(socket)).toBe(1_008);
    expect(stage.listeners).toEqual([]);
    expect(stage.tally.countOf('stream.unadmitted')).toBe(1);
  });
});

describe('a stream beside a good one', () => {
  const good = async () => {
    const socket = await stage.connect('/twilio/media/good', connected(), start());
    const listener = await admitted(1);
    let chunk = 0;
    return async () => {
      chunk += 1;
      socket.send(media(chunk));
      await vi.waitFor(() => expect(listener.timestamps.at(-1)).toBe(chunk * 20));
      expect(listener.entries).toEqual([]);
    };
  };

  it('ends alone with 1009 when it sends a message of 2 MB', async () => {
    const goesOn = await good();
    const socket = await stage.connect('/twilio/media/bad', connected(), start());
    const listener = await admitted(2);
    socket.send('x'.repeat(2 * 1_024 * 1_024));
    expect(await closeCode(socket)).toBe(1_009);
    await vi.waitFor(() => expect(listener.order).toEqual(['stream.closed']));
    await goesOn();
  });

  it('ends alone with 1008 when it sends 20,000 messages at once, and they leave nothing behind', async () => {
    const goesOn = await good();
    const socket = await stage.connect('/twilio/media/bad', connected(), start());
    const listener = await admitted(2);
    for (let count = 0; count < 20_000; count++) socket.send('{"event":"nothing"}');
    expect(await closeCode(socket)).toBe(1_008);
    await vi.waitFor(() => expect(listener.order.at(-1)).toBe('stream.closed'));
    expect(listener.entries).toHaveLength(3);
    // The allowance grows while a slow machine reads.
    expect(stage.tally.countOf('message.event')).toBeLessThan(10_000);
    await goesOn();
  });

  it('ends alone when it breaks the rules of WebSocket', async () => {
    const goesOn = await good();
    const socket = await stage.connect('/twilio/media/bad', connected(), start());
    const listener = await admitted(2);
    const { _socket: raw } = socket as unknown as { _socket: NodeJS.WritableStream };
    raw.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff]));
    await closeCode(socket);
    await vi.waitFor(() => expect(listener.order).toEqual(['stream.closed']));
    await goesOn();
  });

  it('ends alone when its far side neither reads nor answers our close frame', async () => {
    const goesOn = await good();
    const socket = await stage.connect('/twilio/media/bad', connected(), start());
    const listener = await admitted(2);
    socket.pause();
    stage.desk.starts[1]?.line.close();
    await vi.waitFor(
      () => expect(listener.entries).toEqual([expect.objectContaining({ code: 1_006 })]),
      5_000,
    );
    await goesOn();
  });

  it('may send any bytes, and the other goes on', async () => {
    const goesOn = await good();
    const data = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(start(), stop(2), media(1), media(7), '{"event":"media"}', '{'),
    );
    let count = 1;
    await fc.assert(
      fc.asyncProperty(fc.array(data, { maxLength: 20 }), async (messages) => {
        const socket = await stage.connect('/twilio/media/bad', connected(), start(), ...messages);
        count += 1;
        const listener = await admitted(count);
        socket.close();
        await vi.waitFor(() => expect(listener.order.at(-1)).toBe('stream.closed'), { interval: 5 });
        expect(listener.order.filter((type) => type === 'stream.closed')).toHaveLength(1);
      }),
      { numRuns: 60 },
    );
    await goesOn();
  });
});
