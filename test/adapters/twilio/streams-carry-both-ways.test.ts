import { describe, expect, it } from 'vitest';
import { hardLimitBytes, mostBufferedBytes } from '../../../src/adapters/twilio/media-line.ts';
import { connected, dtmf, mark, media, start, stop, streamSid } from './stream-messages.ts';
import { StreamStage } from './stream-stage.ts';

async function opened(): Promise<StreamStage> {
  const stage = new StreamStage();
  await stage.open();
  return stage;
}

const closed = (code: number) => ({ type: 'stream.closed', streamId: streamSid, code });
const stopped = { type: 'stream.stopped', streamId: streamSid };
const refused = (kind: string) => ({ type: 'input.refused', peer: 'carrier', kind: `message.${kind}` });

describe('what the carrier sends on a stream', () => {
  it('is handed on in order: audio, marks and digits', async () => {
    const stage = await opened();
    await stage.play(media(1), mark('one', 3), media(3), dtmf('9', 5));
    expect(stage.listener.order).toEqual(['audio', 'mark', 'audio', 'digit.pressed']);
    expect(stage.listener.handed[1]).toEqual({ what: 'mark', name: 'one' });
  });

  it('is read in pairs from the first frame on that is handed on', async () => {
    const stage = new StreamStage();
    const admission = Promise.withResolvers<typeof stage.listener>();
    stage.desk.admit = () => admission.promise;
    await stage.play(connected(), start(), media(1));
    expect(stage.socket.gathered).toEqual([]);
    admission.resolve(stage.listener);
    await stage.play(mark('one', 3));
    expect(stage.socket.gathered).toEqual([]);
    await stage.play(media(3), media(4));
    expect(stage.socket.gathered).toEqual([media(3).length * 1.9]);
  });

  it('has nothing wait any more where it is read in pairs, and something was read', async () => {
    const stage = await opened();
    stage.stream.onRead();
    await stage.play(media(1));
    stage.stream.onRead();
    await stage.play(media(2), media(3));
    stage.stream.onRead();
    expect(stage.listener.order).toEqual(['audio', 'gathered', 'audio', 'audio', 'gathered']);
    await stage.play(stop(5));
    stage.stream.onRead();
    expect(stage.listener.order.slice(5)).toEqual(['stream.stopped']);
  });

  it('may wait for the next frame where it is not read in pairs', async () => {
    const stage = await opened();
    stage.socket.gathers = false;
    await stage.play(media(1));
    stage.stream.onRead();
    expect(stage.listener.order).toEqual(['audio']);
  });

  it('ends its own stream with 1011 when what it gathered is not taken in', async () => {
    const stage = await opened();
    stage.listener.onGathered = () => {
      throw new Error('broken');
    };
    await stage.play(media(1));
    stage.stream.onRead();
    expect(stage.socket.closes).toEqual([{ code: 1_011, reason: 'failed' }]);
  });

  it('is read as it comes where one message has as much as a pair', async () => {
    const stage = await opened();
    await stage.play(media(1, Buffer.alloc(320).toString('base64')), media(2));
    expect(stage.socket.gathered).toEqual([]);
  });

  it('keeps a digit out of the entry', async () => {
    const stage = await opened();
    await stage.play(dtmf('9', 2));
    expect(stage.listener.signals).toEqual([
      { entry: { type: 'digit.pressed', digit: { bytes: 1 } }, payloads: { digit: '9' } },
    ]);
  });

  it('is refused once for each kind, counted each time, and the stream goes on', async () => {
    const stage = await opened();
    const foreign = media(1).replace(streamSid, `MZ${'0'.repeat(32)}`);
    await stage.play('garbage', 'garbage', new Uint8Array(3), foreign, start(), connected());
    await stage.play('{"event":"new"}', media(1).replace('payload', 'load'), media(1));
    expect(stage.listener.entries).toEqual(
      ['json', 'binary', 'streamId', 'order', 'event', 'media'].map(refused),
    );
    expect(stage.listener.timestamps).toEqual([20]);
    expect(stage.tally.countOf('message.json')).toBe(2);
    expect(stage.tally.countOf('message.order')).toBe(2);
    expect(stage.socket.closes).toEqual([]);
  });

  it('is handed on though its numbers jump, and the jump is refused', async () => {
    const stage = await opened();
    await stage.play(media(1), media(2), media(5), media(6), media(4));
    expect(stage.listener.timestamps).toEqual([20, 40, 100, 120, 80]);
    expect(stage.listener.entries).toEqual([refused('sequence')]);
    expect(stage.tally.countOf('message.sequence')).toBe(2);
  });

  it('has no jump where a message that was refused had a number', async () => {
    const stage = await opened();
    await stage.play(media(1), 'garbage', media(3), media(4));
    expect(stage.tally.countOf('message.sequence')).toBe(0);
  });

  it('is handed on at 2,000 messages a second, and ends the stream above', async () => {
    const stage = await opened();
    const second = Array.from({ length: 2_000 }, (_, index) => media(index + 1));
    await stage.clock.advance(1_000);
    await stage.play(...second);
    expect(stage.socket.closes).toEqual([]);
    await stage.clock.advance(1_000);
    await stage.play(...second);
    expect(stage.socket.closes).toEqual([]);
    await stage.play(media(2_001), media(2_002));
    expect(stage.socket.closes).toEqual([{ code: 1_008, reason: 'flood' }]);
    expect(stage.listener.timestamps).toHaveLength(4_000);
    stage.stream.onClosed({ code: 1_008, reason: 'flood' });
    expect(stage.listener.entries).toEqual([refused('sequence'), refused('flood'), closed(1_008)]);
    expect(stage.tally.countOf('stream.flooded')).toBe(1);
  });

  it('ends its own stream with 1011 when what takes it in fails', async () => {
    const stage = await opened();
    stage.listener.onAudio = () => {
      throw new Error('broken');
    };
    await stage.play(media(1), media(2));
    expect(stage.errors).toEqual([new Error('broken')]);
    expect(stage.socket.closes).toEqual([{ code: 1_011, reason: 'failed' }]);
    stage.stream.onClosed({ code: 1_011, reason: '' });
    expect(stage.listener.entries).toEqual([closed(1_011)]);
  });

  it('ends in one stream.closed when what it said before its admission cannot be taken in', async () => {
    const stage = new StreamStage();
    stage.listener.onAudio = () => {
      throw new Error('broken');
    };
    const { promise, resolve } = Promise.withResolvers<typeof stage.listener>();
    stage.desk.admit = () => promise;
    await stage.play(connected(), start(), media(1));
    stage.stream.onClosed({ code: 1_006, reason: '' });
    resolve(stage.listener);
    await stage.clock.advance(0);
    expect(stage.listener.entries).toEqual([closed(1_006)]);
  });

  it('survives a listener that fails at the very end', async () => {
    const stage = await opened();
    stage.listener.onSignal = () => {
      throw new Error('broken');
    };
    stage.stream.onClosed({ code: 1_006, reason: '' });
    expect(stage.errors).toEqual([new Error('broken')]);
  });
});

describe('the end of a stream', () => {
  it('is signalled once when the carrier stops it and then closes', async () => {
    const stage = await opened();
    await stage.play(stop(2), media(2));
    expect(stage.socket.closes).toEqual([{ code: 1_000, reason: '' }]);
    stage.stream.onClosed({ code: 1_005, reason: '' });
    expect(stage.listener.entries).toEqual([stopped, closed(1_005)]);
    expect(stage.clock.pendingTimers).toBe(0);
  });

  it('is signalled once when we close it, and nothing is handed on or sent any more', async () => {
    const stage = await opened();
    stage.line.close();
    stage.line.close();
    await stage.play(media(1), stop(3));
    stage.line.sendAudio(Buffer.alloc(160));
    stage.line.sendMark('m');
    stage.line.clear();
    expect(stage.socket.sent).toEqual([]);
    expect(stage.socket.closes).toEqual([{ code: 1_000, reason: '' }]);
    stage.stream.onClosed({ code: 1_000, reason: '' });
    stage.line.close();
    expect(stage.listener.entries).toEqual([closed(1_000)]);
    expect(stage.socket.closes).toHaveLength(1);
    expect(stage.clock.pendingTimers).toBe(0);
  });

  it('is the end of what is handed on, even where the socket has something left', async () => {
    const stage = await opened();
    stage.stream.onClosed({ code: 1_006, reason: '' });
    await stage.play(media(1), 'garbage', dtmf('1', 3));
    expect(stage.listener.entries).toEqual([closed(1_006)]);
    expect(stage.listener.timestamps).toEqual([]);
  });

  it('is forced when the far side does not answer our close frame within 1 s', async () => {
    const stage = await opened();
    stage.line.close();
    await stage.clock.advance(999);
    expect(stage.socket.terminations).toBe(0);
    await stage.clock.advance(1);
    expect(stage.socket.terminations).toBe(1);
    expect(stage.listener.entries).toEqual([closed(1_006)]);
    expect(stage.clock.pendingTimers).toBe(0);
  });

  it('comes by itself when a ping is not answered before the next one is due', async () => {
    const stage = await opened();
    await stage.clock.advance(10_000);
    stage.stream.onPong();
    await stage.clock.advance(10_000);
    expect([stage.socket.pings, stage.socket.terminations]).toEqual([2, 0]);
    await stage.clock.advance(10_000);
    expect([stage.socket.pings, stage.socket.terminations]).toEqual([2, 1]);
    expect(stage.tally.countOf('stream.deaf')).toBe(1);
    expect(stage.listener.entries).toEqual([closed(1_006)]);
    expect(stage.clock.pendingTimers).toBe(0);
  });
});

describe('what we send on a stream', () => {
  it('goes out at once and in order', async () => {
    const stage = await opened();
    stage.line.sendAudio(Buffer.from([0xff, 0x7f]));
    stage.line.sendAudio(Buffer.alloc(0));
    stage.line.sendMark('one');
    stage.line.clear();
    expect(stage.socket.sent.map((text) => JSON.parse(text))).toEqual([
      { event: 'media', streamSid, media: { payload: '/38=' } },
      { event: 'mark', streamSid, mark: { name: 'one' } },
      { event: 'clear', streamSid },
    ]);
  });

  it('tells how much of it has not left', async () => {
    const stage = await opened();
    stage.socket.buffered = 77;
    expect(stage.line.bufferedBytes()).toBe(77);
  });

  const frame = Buffer.alloc(160);

  it('ends the stream when more than 2 MB of it has not left for 2 s', async () => {
    const stage = await opened();
    stage.socket.buffered = mostBufferedBytes + 1;
    stage.line.sendAudio(frame);
    await stage.clock.advance(1_999);
    expect(stage.socket.terminations).toBe(0);
    await stage.clock.advance(1);
    expect(stage.socket.terminations).toBe(1);
    expect(stage.tally.countOf('stream.stuck')).toBe(1);
    expect(stage.listener.entries).toEqual([closed(1_006)]);
  });

  it('is forgotten with the stream', async () => {
    const stage = await opened();
    stage.socket.buffered = mostBufferedBytes + 1;
    stage.line.sendAudio(frame);
    stage.stream.onClosed({ code: 1_006, reason: '' });
    expect(stage.clock.pendingTimers).toBe(0);
  });

  it('does not end the stream when it leaves in time', async () => {
    const stage = await opened();
    stage.socket.buffered = mostBufferedBytes + 1;
    stage.line.sendAudio(frame);
    stage.socket.buffered = mostBufferedBytes;
    await stage.clock.advance(2_000);
    stage.socket.buffered = mostBufferedBytes + 1;
    stage.line.sendAudio(frame);
    await stage.clock.advance(1_000);
    stage.socket.buffered = 0;
    stage.line.sendAudio(frame);
    stage.socket.buffered = mostBufferedBytes + 1;
    stage.line.sendAudio(frame);
    await stage.clock.advance(1_999);
    expect(stage.socket.terminations).toBe(0);
  });

  it('ends the stream at once when more than 16 MB of it has not left', async () => {
    const stage = await opened();
    stage.socket.buffered = hardLimitBytes + 1;
    stage.line.sendAudio(frame);
    expect(stage.socket.terminations).toBe(1);
    expect(stage.clock.pendingTimers).toBe(0);
  });
});
