import { describe, expect, it } from 'vitest';
import type { LineListener } from '../../../src/runtime/ports/carrier.ts';
import { callSid, connected, dtmf, framePayload, media, start, stop, streamSid } from './stream-messages.ts';
import { StreamStage } from './stream-stage.ts';

/** A stage whose desk has not made up its mind. */
function undecided() {
  const stage = new StreamStage();
  const { promise, resolve, reject } = Promise.withResolvers<LineListener | null>();
  stage.desk.admit = () => promise;
  return { stage, admit: () => resolve(stage.listener), refuse: () => resolve(null), fail: reject };
}

describe('a stream that starts', () => {
  it('shows its token to the desk and is handed on once it is admitted', async () => {
    const stage = new StreamStage();
    await stage.play(connected(), start(), media(1));
    expect(stage.desk.starts).toEqual([{ carrierCallId: callSid, token: 'good', line: stage.line }]);
    expect(stage.line.streamId).toBe(streamSid);
    expect(stage.listener.handed).toEqual([{ what: 'audio', payload: framePayload(1), timestampMs: 20 }]);
    expect(stage.socket.closes).toEqual([]);
  });

  it('is closed with 1008 when the desk refuses it, and nothing is handed on', async () => {
    const stage = new StreamStage();
    stage.desk.admit = async () => null;
    await stage.play(connected(), start(), media(1), dtmf('1', 3));
    expect(stage.socket.closes).toEqual([{ code: 1_008, reason: 'not admitted' }]);
    stage.stream.onClosed({ code: 1_008, reason: '' });
    expect(stage.listener.handed).toEqual([]);
    expect(stage.tally.countOf('stream.unadmitted')).toBe(1);
    expect(stage.clock.pendingTimers).toBe(0);
  });

  it('is closed with 1008 without asking the desk when it shows no token', async () => {
    const stage = new StreamStage();
    await stage.play(connected(), start({}), media(1));
    expect(stage.desk.starts).toEqual([]);
    expect(stage.socket.closes).toEqual([{ code: 1_008, reason: 'not admitted' }]);
    expect(stage.tally.countOf('stream.unadmitted')).toBe(1);
  });

  it('is closed with 1011 when the desk fails', async () => {
    const { stage, fail } = undecided();
    await stage.play(connected(), start());
    fail(new Error('broken'));
    await stage.clock.advance(0);
    expect(stage.socket.closes).toEqual([{ code: 1_011, reason: 'failed' }]);
    expect(stage.errors).toEqual([new Error('broken')]);
  });
});

describe('a stream that waits for its admission', () => {
  it('keeps what it says meanwhile, in order', async () => {
    const { stage, admit } = undecided();
    await stage.play(connected(), start(), media(1), dtmf('5', 3), 'garbage', media(4), stop(6), media(6));
    expect(stage.listener.handed).toEqual([]);
    admit();
    await stage.clock.advance(0);
    expect(stage.listener.order).toEqual([
      'input.refused',
      'audio',
      'digit.pressed',
      'audio',
      'stream.stopped',
    ]);
    expect(stage.socket.closes).toEqual([{ code: 1_000, reason: '' }]);
  });

  it('keeps its own sound, whatever is said on other streams meanwhile', async () => {
    const { stage, admit } = undecided();
    await stage.play(connected(), start(), media(1), media(2));
    await new StreamStage().play(connected(), start(), media(1), media(2), media(3));
    admit();
    await stage.clock.advance(0);
    expect(stage.listener.handed).toEqual([
      { what: 'audio', payload: framePayload(1), timestampMs: 20 },
      { what: 'audio', payload: framePayload(2), timestampMs: 40 },
    ]);
  });

  it('keeps the newest 250 messages and counts the others', async () => {
    const { stage, admit } = undecided();
    const frames = Array.from({ length: 300 }, (_, index) => media(index + 1));
    await stage.play(connected(), start(), ...frames);
    admit();
    await stage.clock.advance(0);
    expect(stage.listener.timestamps).toEqual(Array.from({ length: 250 }, (_, index) => (index + 51) * 20));
    expect(stage.tally.countOf('message.backlog')).toBe(50);
    expect(stage.listener.entries).toEqual([
      { type: 'input.refused', peer: 'carrier', kind: 'message.backlog' },
    ]);
  });

  it('is kept as it came: what each frame said, not what the last one said', async () => {
    const { stage, admit } = undecided();
    await stage.play(connected(), start(), media(1), media(2), media(3));
    admit();
    await stage.clock.advance(0);
    expect(stage.listener.payloads).toEqual([1, 2, 3].map((value) => framePayload(value)));
  });

  it('keeps at most 384 kB of audio', async () => {
    const { stage, admit } = undecided();
    const large = Buffer.alloc(90_000).toString('base64');
    await stage.play(connected(), start(), ...[1, 2, 3, 4, 5, 6].map((chunk) => media(chunk, large)));
    admit();
    await stage.clock.advance(0);
    expect(stage.listener.timestamps).toEqual([60, 80, 100, 120]);
  });

  it('tells the call of its end when it ends before, after all that it said', async () => {
    const { stage, admit } = undecided();
    await stage.play(connected(), start(), media(1));
    stage.stream.onClosed({ code: 1_006, reason: '' });
    admit();
    await stage.clock.advance(0);
    expect(stage.listener.order).toEqual(['audio', 'stream.closed']);
    expect(stage.listener.entries.at(-1)).toEqual({
      type: 'stream.closed',
      streamId: streamSid,
      code: 1_006,
    });
    expect(stage.clock.pendingTimers).toBe(0);
  });

  it('tells whoever is about to admit it that it has stopped and is closed, late as well', async () => {
    const { stage, admit } = undecided();
    const told: string[] = [];
    await stage.play(connected(), start());
    stage.line.whenEndedEarly(({ entry }) => told.push(entry.type));
    await stage.play(media(1), stop(3));
    expect(told).toEqual(['stream.stopped']);
    stage.stream.onClosed({ code: 1_000, reason: '' });
    expect(told).toEqual(['stream.stopped', 'stream.closed']);
    stage.line.whenEndedEarly(({ entry }) => told.push(`late ${entry.type}`));
    expect(told).toHaveLength(2);
    await stage.clock.advance(0);
    expect(told.slice(2)).toEqual(['late stream.stopped', 'late stream.closed']);
    admit();
    await stage.clock.advance(0);
    expect(stage.listener.order).toEqual(['audio', 'stream.stopped', 'stream.closed']);
  });

  it('is closed with 1011 after 10 s, and a call that admits it later still learns of its end', async () => {
    const { stage, admit } = undecided();
    await stage.play(connected(), start());
    await stage.clock.advance(9_999);
    expect(stage.socket.closes).toEqual([]);
    await stage.clock.advance(1);
    expect(stage.socket.closes).toEqual([{ code: 1_011, reason: 'not admitted in time' }]);
    expect(stage.tally.countOf('stream.unanswered')).toBe(1);
    stage.stream.onClosed({ code: 1_011, reason: '' });
    admit();
    await stage.clock.advance(0);
    expect(stage.listener.order).toEqual(['stream.closed']);
  });

  it('says nothing to anybody when it is refused after its end', async () => {
    const { stage, refuse } = undecided();
    await stage.play(connected(), start(), media(1));
    stage.stream.onClosed({ code: 1_005, reason: '' });
    refuse();
    await stage.clock.advance(0);
    expect(stage.listener.handed).toEqual([]);
    expect(stage.socket.closes).toEqual([]);
  });
});

describe('a socket on which no stream starts', () => {
  it('is closed with 1008 after 10 s', async () => {
    const stage = new StreamStage();
    await stage.play(connected());
    await stage.clock.advance(9_999);
    expect(stage.socket.closes).toEqual([]);
    await stage.clock.advance(1);
    expect(stage.socket.closes).toEqual([{ code: 1_008, reason: 'no start' }]);
    expect(stage.tally.countOf('stream.unstarted')).toBe(1);
  });

  it('is not closed for that once one has started', async () => {
    const stage = new StreamStage();
    await stage.open();
    stage.stream.onPong();
    await stage.clock.advance(10_000);
    expect(stage.tally.countOf('stream.unstarted')).toBe(0);
    expect(stage.socket.closes).toEqual([]);
  });

  it('has what it says refused as out of order, and may start still', async () => {
    const stage = new StreamStage();
    await stage.play(media(1), stop(2), connected(), start());
    expect(stage.tally.countOf('message.order')).toBe(2);
    expect(stage.listener.order).toEqual(['input.refused']);
  });

  it('leaves no timer behind when it closes', async () => {
    const stage = new StreamStage();
    stage.stream.onClosed({ code: 1_006, reason: '' });
    expect(stage.clock.pendingTimers).toBe(0);
    await stage.clock.advance(60_000);
    expect(stage.socket.closes).toEqual([]);
  });
});
