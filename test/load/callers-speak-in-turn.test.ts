import { describe, expect, it } from 'vitest';
import { planOf, scenarios } from '../../src/twin/load/caller-plan.ts';
import { CallerTurns } from '../../src/twin/load/caller-turns.ts';
import { Playout } from '../../src/twin/load/playout.ts';

function caller(scenario: 'talk' | 'barge-in') {
  const told: string[] = [];
  const turns = new CallerTurns(
    planOf(scenario, 0),
    {
      onSpeech: (isBargeIn) => void told.push(isBargeIn ? 'barge-in' : 'speech'),
      onNoReply: () => void told.push('no reply'),
    },
    () => 0.5,
    0,
  );
  return { turns, told };
}

describe('a caller', () => {
  it('is silent while a reply is played, speaks after it, and then waits for the next one', () => {
    const { turns, told } = caller('talk');
    expect(turns.speaks(100, 0)).toBe(false);
    turns.replyHeard(200);
    expect(turns.speaks(200, 1_000)).toBe(false);
    expect(turns.speaks(5_200, 0)).toBe(false);
    expect(turns.speaks(5_201, 0)).toBe(true);
    expect(turns.speaks(7_700, 0)).toBe(true);
    expect(turns.speaks(7_702, 0)).toBe(false);
    expect(turns.isWaiting).toBe(true);
    turns.replyHeard(8_000);
    expect([turns.speaks(8_700, 0), turns.speaks(8_701, 0)]).toEqual([false, true]);
    expect(told).toEqual(['speech', 'speech']);
  });

  it('speaks into a reply where the scenario is to interrupt', () => {
    const { turns, told } = caller('barge-in');
    turns.replyHeard(100);
    expect(turns.speaks(1_600, 5_000)).toBe(false);
    expect(turns.speaks(1_601, 5_000)).toBe(true);
    expect(told).toEqual(['barge-in']);
  });

  it('says so where no reply comes, and asks again', () => {
    const { turns, told } = caller('talk');
    expect(turns.speaks(9_999, 0)).toBe(false);
    expect(turns.speaks(10_000, 0)).toBe(true);
    expect(told).toEqual(['no reply', 'speech']);
  });
});

describe('the playout', () => {
  it('echoes a mark when what lies before it was played', () => {
    const playout = new Playout();
    const echoed: string[] = [];
    const echo = (name: string): void => void echoed.push(name);
    playout.play(1_600, 1_000);
    playout.mark('one');
    playout.play(1_600, 1_010);
    playout.mark('two');
    expect(playout.queuedMs(1_010)).toBe(390);
    playout.takeDue(1_199, echo);
    expect(echoed).toEqual([]);
    playout.takeDue(1_200, echo);
    expect(echoed).toEqual(['one']);
    playout.clear(1_250, echo);
    expect([echoed, playout.queuedMs(1_250)]).toEqual([['one', 'two'], 0]);
  });
});

describe('a scenario', () => {
  it('has a plan for every caller, and mixed has them all', () => {
    for (const scenario of scenarios) expect(planOf(scenario, 3).replyMs).toBeGreaterThan(0);
    const mixed = Array.from({ length: 14 }, (_, index) => planOf('mixed', index));
    expect(new Set(mixed).size).toBe(scenarios.length - 1);
    expect(mixed.filter(({ deafness }) => deafness !== null)).toHaveLength(2);
  });

  it('of slow readers leaves nine of ten as they are', () => {
    const plans = Array.from({ length: 20 }, (_, index) => planOf('slow-reader', index));
    expect(plans.filter(({ deafness }) => deafness !== null)).toHaveLength(2);
  });
});
