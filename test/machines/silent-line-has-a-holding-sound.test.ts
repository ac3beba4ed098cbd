import { describe, expect, it } from 'vitest';
import {
  callerStarts,
  callerStops,
  claimedByAnother,
  elapsed,
  modelClosed,
  modelOpened,
  quietCall,
  replyFinished,
  replyPlayed,
  replyProgressed,
  replyStarted,
  replyVoiced,
  streamClosed,
  streamStarted,
  toolFinished,
  toolReplyFinished,
  toolRequested,
} from './support/facts.ts';
import { given } from './support/scenario.ts';

const turnTaken = [...quietCall(), callerStarts, callerStops];
const speaking = [...turnTaken, replyStarted(), replyVoiced()];

describe('a line on which nobody is heard', () => {
  it('has a holding sound after a while, and again after each further pause', () => {
    const waiting = given(...turnTaken);
    expect(waiting.remainingMs('holdingAfter')).toBe(1_500);
    const holding = waiting
      .when(elapsed('holdingAfter'))
      .leadsTo({ states: { silence: 'holding' }, commands: ['playHoldingSound'] });
    expect(holding.remainingMs('holdingEvery')).toBe(2_000);
    holding.when(elapsed('holdingEvery')).leadsTo({ commands: ['playHoldingSound'] });
  });

  it('is counted from when it fell silent, whatever happens meanwhile', () => {
    const waiting = given(...turnTaken).when(replyStarted());
    expect(waiting.remainingMs('holdingAfter')).toBe(500);
  });

  it('is counted on where replies without a sound follow one another', () => {
    const quiet = given(...turnTaken, elapsed('holdingAfter'), replyStarted('reply1'), toolRequested()).when(
      replyPlayed('reply1'),
      toolReplyFinished('reply1'),
    );
    quiet.leadsTo({ states: { silence: 'holding' } });
    const waiting = given(...turnTaken, replyStarted('reply1'), toolRequested());
    const leftMs = waiting.remainingMs('holdingAfter') ?? 0;
    const next = waiting.when(replyPlayed('reply1'), toolReplyFinished('reply1'), toolFinished());
    expect(next.remainingMs('holdingAfter')).toBeLessThan(leftMs);
  });

  it('is counted anew where words were heard before the wait', () => {
    const toldFirst = given(...speaking, toolRequested(), toolReplyFinished()).when(replyPlayed());
    expect(toldFirst.remainingMs('holdingAfter')).toBe(1_500);
  });

  it('is one where the session is gone', () => {
    given(...quietCall(), modelClosed())
      .when(elapsed('holdingAfter'))
      .leadsTo({ commands: ['playHoldingSound'] });
  });

  it('is one where a tool runs', () => {
    given(...turnTaken, replyStarted(), toolRequested(), toolReplyFinished())
      .when(elapsed('holdingAfter'))
      .leadsTo({ commands: ['playHoldingSound'] });
  });

  it('is one where the reply that is being played stops', () => {
    const stalled = given(...speaking, replyProgressed());
    expect(stalled.remainingMs('holdingAfter')).toBe(1_500);
    stalled
      .when(elapsed('holdingAfter'))
      .leadsTo({ states: { turn: 'agentSpeaking' }, commands: ['playHoldingSound'] });
  });

  it('is one again where the agent falls silent again', () => {
    given(...turnTaken, elapsed('holdingAfter'), replyStarted(), replyVoiced())
      .leadsTo({ states: { silence: 'waiting' } })
      .when(elapsed('holdingAfter'))
      .leadsTo({ commands: ['playHoldingSound'] });
  });
});

describe('a line that has no holding sound', () => {
  const isQuiet = (...facts: Parameters<typeof given>): void => {
    const scenario = given(...facts);
    scenario.leadsTo({ states: { silence: 'filled' } });
    expect(scenario.waits.filter((delay) => delay.startsWith('holding'))).toEqual([]);
  };

  it('is that of a caller who is asked to speak', () => {
    isQuiet(...quietCall());
    isQuiet(...speaking, replyFinished(), replyPlayed());
  });

  it('is that of a caller who speaks, also while a tool runs or the session is gone', () => {
    isQuiet(...quietCall(), callerStarts);
    isQuiet(...turnTaken, elapsed('holdingAfter'), callerStarts);
    isQuiet(...turnTaken, replyStarted(), toolRequested(), toolReplyFinished(), callerStarts);
  });

  it('is one that is not there', () => {
    isQuiet(...turnTaken, streamClosed());
    isQuiet(...turnTaken, elapsed('holdingAfter'), streamClosed());
    isQuiet(...turnTaken, claimedByAnother);
  });

  it('is one on which the agent is heard', () => {
    const told = given(...speaking).when(replyProgressed(), replyProgressed());
    expect(told.remainingMs('holdingAfter')).toBe(1_500);
    expect(given(...turnTaken, elapsed('holdingAfter'), replyStarted(), replyVoiced()).waits).not.toContain(
      'holdingEvery',
    );
  });
});

describe('the wait for a holding sound', () => {
  it('begins with the new stream where one was lost', () => {
    const back = given(...quietCall(), modelClosed(), streamClosed()).when(streamStarted(2));
    expect(back.remainingMs('holdingAfter')).toBe(1_500);
  });

  it('is over once the session is back and owes nothing', () => {
    given(...quietCall(), modelClosed(), elapsed('holdingAfter'), elapsed('modelBackoff')).leadsTo({
      states: { silence: 'holding' },
    });
    given(...quietCall(), modelClosed(), elapsed('modelBackoff'))
      .when(modelOpened(2))
      .leadsTo({ states: { silence: 'filled' } });
  });

  it('goes on until the answer to a tool is heard', () => {
    given(...turnTaken, replyStarted(), toolRequested(), toolReplyFinished(), toolFinished())
      .leadsTo({ states: { silence: 'waiting', turn: 'thinking' } })
      .when(elapsed('holdingAfter'))
      .leadsTo({ commands: ['playHoldingSound'] });
  });
});
