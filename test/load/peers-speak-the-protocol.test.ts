import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { measureRound, shortWaits } from '../../scripts/bench/round.ts';
import { type Subject, startSubject } from '../../scripts/bench/subject.ts';
import { troublesOf } from '../../scripts/load/load-report.ts';
import { fetchMetrics } from '../../scripts/load/metrics-page.ts';
import { Peers } from '../../scripts/load/peers.ts';
import type { Scenario } from '../../src/twin/load/caller-plan.ts';
import { frameBytes, speech, writeStamp } from '../../src/twin/load/frame-stamp.ts';
import { LoadPeers } from '../../src/twin/load/load-peers.ts';
import type { RealtimeMessage } from '../support/realtime-message.ts';
import { orderBreaches } from '../twin/openai/order.ts';
import { shapeBreaches } from '../twin/openai/shapes.ts';

const limit = { timeout: 60_000, interval: 50 };

let peers: LoadPeers;
beforeEach(async () => {
  peers = await LoadPeers.open();
});
afterEach(() => peers.close());

const withoutDeltas = (types: readonly string[]): string[] =>
  types.filter((type) => !type.endsWith('.delta') && type !== 'error');

const greetingTypes = [
  'session.created',
  'session.updated',
  'response.created',
  'response.output_item.added',
  'conversation.item.added',
  'response.content_part.added',
  'response.output_audio.done',
  'response.output_audio_transcript.done',
  'response.content_part.done',
  'conversation.item.done',
  'response.output_item.done',
  'response.done',
  'rate_limits.updated',
];

describe('the model', () => {
  async function connect(): Promise<{
    socket: WebSocket;
    events: RealtimeMessage[];
    send: (event: object) => void;
  }> {
    const socket = new WebSocket(`ws://127.0.0.1:${peers.port}/v1/realtime?model=gpt-realtime-2.1`);
    const events: RealtimeMessage[] = [];
    socket.on('message', (data: Buffer) => events.push(JSON.parse(data.toString()) as RealtimeMessage));
    await new Promise((resolve) => socket.once('open', resolve));
    return { socket, events, send: (event) => socket.send(JSON.stringify(event)) };
  }

  function append(frame: number, kind: number): object {
    const audio = Buffer.alloc(frameBytes, 0x55);
    writeStamp(audio, 0, 9, kind, frame);
    return { type: 'input_audio_buffer.append', audio: audio.toString('base64') };
  }

  const typesIn = (events: readonly RealtimeMessage[]): string[] => events.map(({ type }) => type);

  it('says everything in the recorded order and shape: greeting, turn, interrupted reply', async () => {
    const { socket, events, send } = await connect();
    send({ type: 'session.update', session: { type: 'realtime', instructions: 'Be brief.' } });
    send({ type: 'response.create' });
    send({ type: 'response.create' });
    await expect.poll(() => typesIn(events), limit).toContain('rate_limits.updated');
    for (let frame = 0; frame < 60; frame++) send(append(frame, frame < 30 ? speech : 0));
    await expect
      .poll(() => typesIn(events), limit)
      .toContain('conversation.item.input_audio_transcription.completed');
    for (let frame = 60; frame < 65; frame++) send(append(frame, speech));
    await expect
      .poll(() => typesIn(events).filter((type) => type === 'rate_limits.updated').length, limit)
      .toBe(2);
    send({
      type: 'conversation.item.create',
      item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'x' }] },
    });
    send({ type: 'conversation.item.truncate', item_id: 'item', content_index: 0, audio_end_ms: 5 });
    send({ type: 'conversation.item.retrieve', item_id: 'item_1' });
    send({ type: 'conversation.item.delete', item_id: 'item_2' });
    await expect.poll(() => typesIn(events), limit).toContain('conversation.item.deleted');
    socket.close();
    expect(withoutDeltas(typesIn(events)).slice(0, greetingTypes.length)).toEqual(greetingTypes);
    expect(orderBreaches(events)).toEqual([]);
    expect(shapeBreaches(events)).toEqual([]);
    expect(events.filter(({ type }) => type === 'error')).toHaveLength(1);
    expect(
      events.filter(({ type }) => type === 'response.done').map(({ response }) => response.status),
    ).toEqual(['completed', 'cancelled']);
  });
});

describe('the peers', () => {
  let subject: Subject;
  afterEach(() => subject.close());

  async function talk(scenario: Scenario, isDone: () => boolean): Promise<void> {
    await peers.place({ address: subject.address, calls: 2, rampMs: 100, scenario });
    await expect.poll(isDone, limit).toBe(true);
  }

  const countOf = (
    name: 'up' | 'upHeld' | 'down' | 'downFirst' | 'bargeIn' | 'firstSound' | 'turn',
  ): number => {
    peers.measures.roll();
    return peers.measures.window()[name].count;
  };

  it('hold two calls with the service: heard, interrupted, ended, and nothing left', {
    timeout: 90_000,
  }, async () => {
    subject = await startSubject('service', peers.port);
    await talk('barge-in', () => countOf('bargeIn') >= 2 && countOf('turn') >= 1);
    expect(peers.liveCalls).toBe(2);
    expect(countOf('firstSound')).toBe(2);
    expect(countOf('up')).toBeGreaterThan(50);
    expect(countOf('down')).toBeGreaterThan(countOf('downFirst'));
    const metrics = await fetchMetrics(subject.adminAddress ?? '', null);
    expect(metrics?.value('holdfast_mark_round_trip_seconds_count'), 'marks that came back').toBeGreaterThan(
      0,
    );
    await peers.hangUp();
    await expect.poll(() => peers.liveSessions, limit).toBe(0);
    const live = async () =>
      (await fetchMetrics(subject.adminAddress ?? '', null))?.value('holdfast_calls_live');
    await expect.poll(live, limit).toBe(0);
    expect(troublesOf(peers.measures.counts)).toEqual([]);
    expect(peers.measures.counts).toMatchObject({ 'call.placed': 2, 'call.completed': 2 });
  });

  it('hold two calls with the relay that slices', { timeout: 60_000 }, async () => {
    subject = await startSubject('slices', peers.port);
    await talk('large-frames', () => countOf('turn') >= 1 && countOf('up') > 10);
    expect(countOf('upHeld')).toBe(0);
    expect(troublesOf(peers.measures.counts)).toEqual([]);
  });

  it('replace calls that end by their plan', { timeout: 60_000 }, async () => {
    subject = await startSubject('relay', peers.port);
    await talk('churn', () => (peers.measures.counts['call.completed'] ?? 0) >= 2);
    await expect.poll(() => peers.liveCalls, limit).toBe(2);
    expect(troublesOf(peers.measures.counts)).toEqual([]);
  });
});

describe('a round', () => {
  it('of the relay has all its figures', { timeout: 60_000 }, async () => {
    const options = { calls: 2, windowMs: 2_000, scenario: 'talk', ...shortWaits } as const;
    const round = await measureRound('relay', options);
    expect(round).toMatchObject({ subject: 'relay', liveCalls: 2 });
    expect(round.cpuSeconds).toBeGreaterThan(0);
    expect(round.generatorCpuSeconds).toBeGreaterThan(0);
    expect(round.figures.up.count).toBeGreaterThan(50);
    expect(round.figures.upHeld.count).toBe(0);
    expect(troublesOf(round.counts)).toEqual([]);
  });
});

describe('the process of the peers', () => {
  it('obeys: places, tells, forgets, hangs up', { timeout: 60_000 }, async () => {
    const process = await Peers.start();
    const subject = await startSubject('relay', process.port);
    try {
      await process.place({ address: subject.address, calls: 1, rampMs: 1, scenario: 'talk' });
      await expect.poll(async () => (await process.roll()).liveSessions, limit).toBe(1);
      await process.hangUp();
      expect((await process.window()).counts).toMatchObject({ 'call.completed': 1 });
      await process.clear();
      expect((await process.roll()).counts).toEqual({});
      await process.close();
    } finally {
      process.kill();
      await subject.close();
    }
  });
});
