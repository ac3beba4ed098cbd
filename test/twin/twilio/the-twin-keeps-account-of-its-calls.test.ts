import { describe, expect, it } from 'vitest';
import { silentFrame } from '../../../src/twin/caller/voice.ts';
import { callerNumber, makeRig, origin, ourNumber, streamTwiml } from './support/rig.ts';

describe('the twin', () => {
  it('knows its calls by sid, newest first', async () => {
    const rig = makeRig();
    rig.application.on('/voice', '<Hangup/>');
    const calls = [rig.place(), rig.place()];
    await rig.untilEnded(calls[1] as (typeof calls)[number]);
    expect(rig.twin.list()).toEqual([...calls].reverse());
    expect(rig.twin.find(calls[0]?.sid ?? '')).toBe(calls[0]);
    expect(rig.twin.find('CA0')).toBeNull();
  });

  it('forgets the oldest call that has ended beyond as many as it may know', async () => {
    const rig = makeRig({ mostKnownCalls: 5 });
    rig.application.on('/voice', '<Pause length="100"/>');
    const oldest = rig.place();
    await rig.clock.advance(10);
    rig.application.on('/voice', '<Reject/>');
    const ended = rig.place();
    await rig.untilEnded(ended);
    for (let made = 0; made < 3; made += 1) rig.place();
    expect(rig.twin.find(ended.sid)).toBe(ended);
    rig.place();
    expect(rig.twin.list()).toHaveLength(5);
    expect(rig.twin.find(ended.sid)).toBeNull();
    expect(rig.twin.find(oldest.sid)).toBe(oldest);
    rig.twin.close();
  });

  it('refuses a call to a number without a voice URL', () => {
    const rig = makeRig({ number: { voiceUrl: '' } });
    expect(() => rig.place()).toThrow('has no voice URL');
  });

  it('repeats itself with the same seed, and does not with another', async () => {
    const record = async (seed: number): Promise<string> => {
      const rig = makeRig({ seed });
      rig.application.on('/voice', streamTwiml());
      const { call, stream } = await rig.placeUntilStreaming({ faults: { streams: [{ fault: 'jitter' }] } });
      await rig.clock.advance(5_000);
      rig.twin.close();
      return JSON.stringify([call.events, stream.messages, stream.times]);
    };
    expect(await record(1)).toBe(await record(1));
    expect(await record(1)).not.toBe(await record(2));
  });

  it('leaves nothing behind when it is closed in the middle of everything', async () => {
    const rig = makeRig({ number: { statusCallback: `${origin}/status` } });
    rig.application.on('/voice', streamTwiml());
    const { stream } = await rig.placeUntilStreaming();
    await rig.placeUntilStreaming({ faults: { streams: [{ fault: 'halfOpen', afterMs: 10 }] } });
    rig.place();
    await rig.clock.advance(20);
    rig.application.on('/voice', 'silent');
    rig.place();
    rig.twin.close();
    await rig.clock.advance(50);
    expect(rig.application.to('/status')).toEqual([]);
    expect(stream.closure).not.toBeNull();
    expect(rig.clock.pendingTimers).toBe(0);
    expect(rig.twin.list().every(({ hasEnded }) => hasEnded)).toBe(true);
  });
});

describe('a call', () => {
  it('tells listeners what happens, until they stop it', async () => {
    const rig = makeRig();
    rig.application.on('/voice', '<Pause/><Hangup/>');
    const call = rig.place();
    const told: string[] = [];
    const stop = call.onEvent(({ event }) => {
      told.push(event);
      if (told.length === 3) stop();
    });
    await rig.untilEnded(call);
    expect(told).toEqual(['verbStarted', 'statusChanged', 'verbStarted']);
    expect(call.events.map(({ event }) => event)).toEqual([...told, 'statusChanged', 'callEnded']);
  });

  it('lets somebody else speak and listen in place of a script', async () => {
    const rig = makeRig();
    rig.application.on('/voice', streamTwiml());
    const heard: (number | null)[] = [];
    const overheard: number[] = [];
    const { call, stream } = await rig.placeUntilStreaming({
      script: {
        join: () => undefined,
        speak: () => silentFrame,
        hear: (_at, frame) => heard.push(frame?.[0] ?? null),
      },
      onHeard: (at) => overheard.push(at),
    });
    stream.sendAudio(new Uint8Array(160).fill(7));
    await rig.clock.advance(100);
    expect(heard.filter((first) => first === 7)).toHaveLength(1);
    expect(overheard).toHaveLength(heard.length);
    expect(overheard[0]).toBe((call.record.answeredAt ?? 0) + 20);
    rig.twin.close();
  });

  it('has a caller whose gaps and answers are reported as heard', async () => {
    const rig = makeRig();
    rig.application.on('/voice', streamTwiml());
    const { call, stream } = await rig.placeUntilStreaming({
      script: [{ say: 'bike-ready' }, { say: 'how-much', after: { agentSpokeMs: 500 } }, { hangUp: true }],
    });
    const loud = (ms: number) => stream.sendAudio(new Uint8Array(8 * ms).fill(0x20));
    const untilCaller = (event: string, times: number) =>
      rig.clock.runUntil(() => call.events.filter((one) => one.event === event).length === times, 60_000);
    loud(1_000);
    await untilCaller('callerStopped', 1);
    await rig.clock.advance(400);
    loud(10_000);
    await untilCaller('callerSpoke', 2);
    await rig.clock.advance(150);
    stream.clear();
    await untilCaller('callerStopped', 2);
    await rig.clock.advance(300);
    loud(1_000);
    await rig.untilEnded(call);
    const kinds = ['callerSpoke', 'callerStopped', 'agentStarted', 'agentStopped', 'callerHungUp'];
    const turns = call.events.filter(({ event }) => kinds.includes(event));
    expect(turns.map(({ event }) => event)).toEqual([
      'agentStarted',
      'agentStopped',
      'callerSpoke',
      'callerStopped',
      'agentStarted',
      'callerSpoke',
      'agentStopped',
      'callerStopped',
      'agentStarted',
      'agentStopped',
      'callerHungUp',
    ]);
    const at = (index: number) => turns[index]?.at ?? 0;
    expect(at(4) - at(3)).toBeGreaterThanOrEqual(400);
    expect(at(4) - at(3)).toBeLessThanOrEqual(440);
    expect(at(6) - at(5)).toBeGreaterThanOrEqual(150);
    expect(at(6) - at(5)).toBeLessThanOrEqual(190);
    expect(await call.ended).toMatchObject({ reason: 'callerHungUp' });
    expect(call.record).toMatchObject({ from: callerNumber, to: ourNumber });
  });
});
