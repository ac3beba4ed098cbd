import { describe, expect, it } from 'vitest';
import type { Draft } from '../../src/machines/entries.ts';
import {
  callerStarts,
  callerStops,
  claimedByAnother,
  hangUpRequested,
  modelClosed,
  modelOpened,
  quietCall,
  replyFinished,
  replyPlayed,
  replyStarted,
  replyVoiced,
  streamClosed,
  streamStarted,
  toolFinished,
  toolReplyFinished,
  toolRequested,
} from './support/facts.ts';
import { type Fact, given, type Scenario } from './support/scenario.ts';

const announcement: Draft = { type: 'announcement.requested', by: 'operator', words: { bytes: 20 } };
const answering = [...quietCall(), callerStarts, callerStops, replyStarted('reply1'), replyVoiced('reply1')];
const say = 'createReply announcement';

/** Whether it is asked for by one of these facts, and by which. */
function askedAfter(facts: readonly Fact[], following: readonly Fact[]): number[] {
  let scenario: Scenario = given(...facts);
  return following.flatMap((fact, index) => {
    scenario = scenario.when(fact);
    return scenario.commands.includes(say) ? [index] : [];
  });
}

describe('words that an operator wants said', () => {
  it('are said at once where nobody speaks', () => {
    given(...quietCall())
      .when(announcement)
      .leadsTo({ states: { turn: 'thinking' }, commands: [say], context: { announcement: 'asked' } });
  });

  it('wait for the agent to end', () => {
    expect(askedAfter(answering, [announcement, replyFinished('reply1'), replyPlayed('reply1')])).toEqual([
      2,
    ]);
  });

  it('wait for the caller and the answer', () => {
    const turn = [callerStops, replyStarted('reply1'), replyVoiced('reply1'), replyFinished('reply1')];
    const facts = [announcement, ...turn, replyPlayed('reply1')];
    expect(askedAfter([...quietCall(), callerStarts], facts)).toEqual([5]);
  });

  it('wait for a tool and its answer', () => {
    const tool = [...quietCall(), callerStarts, callerStops, replyStarted('reply1'), toolRequested()];
    const answer = [
      replyStarted('reply2'),
      replyVoiced('reply2'),
      replyFinished('reply2'),
      replyPlayed('reply2'),
    ];
    const facts = [announcement, toolReplyFinished(), toolFinished(), ...answer];
    expect(askedAfter(tool, facts)).toEqual([6]);
  });

  it('are said once', () => {
    const said = [replyStarted('note'), replyVoiced('note'), replyFinished('note'), replyPlayed('note')];
    const facts = [
      ...said,
      callerStarts,
      callerStops,
      ...answering.slice(-2),
      replyFinished(),
      replyPlayed(),
    ];
    expect(askedAfter([...quietCall(), announcement], facts)).toEqual([]);
  });

  it('are said later where the caller speaks before they sound', () => {
    const answer = [callerStops, replyStarted('reply1'), replyVoiced('reply1'), replyFinished('reply1')];
    const facts = [callerStarts, ...answer, replyPlayed('reply1')];
    expect(askedAfter([...quietCall(), announcement, replyStarted('note')], facts)).toEqual([5]);
  });

  it('are said by the next session where one is lost', () => {
    const lost = given(...quietCall(), announcement, modelClosed(1));
    const generation = lost.when({ elapsed: 'modelBackoff' });
    generation.when(modelOpened(2)).leadsTo({ commands: expect.arrayContaining([say]) });
  });

  it('go with the call to another process', () => {
    const waiting = given(...answering, announcement, streamClosed());
    waiting
      .when(claimedByAnother, streamStarted(2), modelOpened(2))
      .leadsTo({ context: { announcement: 'waiting' } });
  });

  it('are not said once the agent is leaving', () => {
    expect(askedAfter([...answering, announcement], [hangUpRequested, replyPlayed('reply1')])).toEqual([]);
  });

  it('are finished as they stand where they are cut, also by another process', () => {
    const said = given(...quietCall(), announcement, replyStarted('note'), replyVoiced('note'));
    const finishes = ['createReply continuation announcement'];
    said
      .when(streamClosed(), streamStarted(2))
      .leadsTo({ commands: expect.arrayContaining(finishes), context: { fixedWords: 'announcement' } });
    said
      .when(claimedByAnother, streamStarted(2), modelOpened(2))
      .leadsTo({ commands: expect.arrayContaining(finishes) });
    said
      .when(replyPlayed('note'), modelClosed(), { elapsed: 'modelBackoff' }, modelOpened(2))
      .leadsTo({ commands: expect.arrayContaining(finishes) });
  });

  it('are finished in the words of the agent where others are wanted since', () => {
    given(...quietCall(), announcement, replyStarted('note'), replyVoiced('note'), announcement)
      .when(streamClosed(), streamStarted(2))
      .leadsTo({ commands: expect.arrayContaining(['createReply continuation']) });
  });
});
