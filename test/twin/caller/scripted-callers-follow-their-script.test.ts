import { describe, expect, it } from 'vitest';
import type { CallerManners, CallerScript } from '../../../src/twin/caller/script.ts';
import { ScriptedCaller } from '../../../src/twin/caller/scripted-caller.ts';
import { silentFrame } from '../../../src/twin/caller/voice.ts';
import { between, Line } from './support.ts';

const second = new Uint8Array(8_000).fill(0x20);

function callerOn(script: CallerScript, manners: CallerManners = {}) {
  const line = new Line();
  const caller = new ScriptedCaller(script, line.listener, manners);
  line.join(caller);
  return { line, caller };
}

describe('a scripted caller', () => {
  it('sends silence while it says nothing', () => {
    const { line, caller } = callerOn([]);
    line.run(caller, 1_000);
    expect(line.said).toEqual(Array(50).fill(silentFrame));
    expect([...silentFrame.bytes]).toEqual(Array(160).fill(0xff));
    expect(line.hungUpAt).toBeNull();
  });

  it('speaks once the agent has spoken and been quiet for a moment', () => {
    const { line, caller } = callerOn([{ say: second }]);
    line.run(caller, 5_000, between(1_000, 2_000));
    expect(line.events).toEqual([
      { event: 'agentStarted', at: 1_000 },
      { event: 'agentStopped', at: 2_000 },
      { event: 'callerSpoke', at: 2_700, name: 'bytes' },
      { event: 'callerStopped', at: 3_700, name: 'bytes' },
    ]);
    expect(line.spokenFrames()).toBe(50);
  });

  it('does not speak while the agent has said nothing', () => {
    const { line, caller } = callerOn([{ say: second }]);
    line.run(caller, 30_000);
    expect(line.spokenFrames()).toBe(0);
  });

  it('waits for an answer to each of its lines', () => {
    const { line, caller } = callerOn([{ say: second }, { say: second }], { quietMs: 200 });
    line.run(caller, 10_000, (at) => between(0, 1_000)(at) || between(5_000, 6_000)(at));
    const spoke = line.events.filter(({ event }) => event === 'callerSpoke').map(({ at }) => at);
    expect(spoke).toEqual([1_200, 6_200]);
  });

  it('interrupts the agent after so much of its sound', () => {
    const { line, caller } = callerOn([{ say: second, after: { agentSpokeMs: 1_500 } }]);
    line.run(caller, 5_000, between(1_000, 4_000));
    const spoke = line.events.find(({ event }) => event === 'callerSpoke');
    expect(Math.abs((spoke?.at ?? 0) - 2_500)).toBeLessThanOrEqual(20);
  });

  it('counts a delay from the end of its last line', () => {
    const { line, caller } = callerOn([
      { say: second, after: { delayMs: 500 } },
      { say: second, after: { delayMs: 300 } },
    ]);
    line.run(caller, 5_000);
    const times = line.events.map(({ event, at }) => [event, at]);
    expect(times).toEqual([
      ['callerSpoke', 500],
      ['callerStopped', 1_500],
      ['callerSpoke', 1_800],
      ['callerStopped', 2_800],
    ]);
  });

  it('presses keys at once or on a cue, waits, and hangs up', () => {
    const { line, caller } = callerOn([
      { press: '12' },
      { wait: 1_000 },
      { press: '#', after: { delayMs: 500 } },
      { hangUp: true, when: { delayMs: 200 } },
      { press: 'never' },
    ]);
    line.run(caller, 5_000);
    expect(line.pressed).toEqual(['1', '2', '#']);
    expect(line.events).toEqual([
      { event: 'callerPressed', at: 0, digits: '12' },
      { event: 'callerPressed', at: 1_500, digits: '#' },
      { event: 'callerHungUp', at: 1_700, why: 'script' },
    ]);
    expect(line.hungUpAt).toBe(1_720);
  });

  it('hangs up after the agent has said goodbye', () => {
    const { line, caller } = callerOn([{ hangUp: true }]);
    line.run(caller, 5_000, between(1_000, 2_000));
    expect(line.events.at(-1)).toEqual({ event: 'callerHungUp', at: 2_700, why: 'script' });
  });

  it.each([[{ say: second }], [{ say: second, after: { agentSpokeMs: 100 } }]])(
    'loses patience with an agent who does not speak',
    (step) => {
      const { line, caller } = callerOn([step], { patienceMs: 10_000 });
      line.run(caller, 60_000);
      expect(line.events).toEqual([{ event: 'callerHungUp', at: 10_000, why: 'patience' }]);
    },
  );

  it('never loses patience with its own pauses', () => {
    const { line, caller } = callerOn([{ wait: 30_000 }, { press: '1' }], { patienceMs: 1_000 });
    line.run(caller, 60_000);
    expect(line.pressed).toEqual(['1']);
    expect(line.hungUpAt).toBeNull();
  });

  it('passes over a line without sound', () => {
    const { line, caller } = callerOn([{ say: new Uint8Array(0), after: { delayMs: 0 } }, { press: '1' }]);
    line.run(caller, 100);
    expect(line.events).toEqual([{ event: 'callerPressed', at: 0, digits: '1' }]);
  });
});
