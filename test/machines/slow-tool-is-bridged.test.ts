import { describe, expect, it } from 'vitest';
import {
  callerStarts,
  callerStops,
  claimedByAnother,
  elapsed,
  emptyReplyFinished,
  hangUpToolRequested,
  modelClosed,
  quietCall,
  replyFinished,
  replyPlayed,
  replyStarted,
  replyVoiced,
  streamClosed,
  toolFinished,
  toolReplyFinished,
  toolRequested,
} from './support/facts.ts';
import { type Fact, given, type Scenario } from './support/scenario.ts';

const asked = [...quietCall(), callerStarts, callerStops, replyStarted('reply1')];
const running = [...asked, toolRequested(), toolReplyFinished()];
const bridged = [...running, elapsed('toolFiller')];
const bridge = (replyId = 'filler'): Fact[] => [replyStarted(replyId), replyVoiced(replyId)];

/** Every `createReply` from here on. */
function repliesAsked(scenario: Scenario, ...facts: Fact[]): string[] {
  const replies: string[] = [];
  for (const fact of facts) {
    scenario = scenario.when(fact);
    replies.push(...scenario.commands.filter((command) => command.startsWith('createReply')));
  }
  return replies;
}

describe('a tool that takes long', () => {
  it('is bridged by a sentence', () => {
    const call = given(...running);
    expect(call.remainingMs('toolFiller')).toBe(1_500);
    call.when(elapsed('toolFiller')).leadsTo({
      states: { tools: 'running' },
      commands: ['createReply filler'],
      context: { filler: 'requested' },
    });
  });

  it('is bridged once', () => {
    const call = given(...bridged, ...bridge(), replyFinished('filler'), replyPlayed('filler'));
    call.leadsTo({ states: { tools: 'running', turn: 'listening' }, context: { filler: 'begun' } });
    expect(call.waits).not.toContain('toolFiller');
  });

  it('is not bridged over the agent or the caller, but after them', () => {
    const announced = [...asked, replyVoiced(), toolRequested()];
    for (const facts of [
      announced,
      [...announced, replyFinished('reply1', { toolCalls: 1 })],
      [...running, callerStarts],
    ]) {
      const waiting = given(...facts).when(elapsed('toolFiller'));
      waiting.leadsTo({ states: { tools: 'running' }, commands: [], context: { filler: 'none' } });
      expect(waiting.remainingMs('toolFiller')).toBe(2_500);
    }
    given(
      ...announced,
      replyFinished('reply1', { toolCalls: 1 }),
      elapsed('toolFiller'),
      replyPlayed('reply1'),
    )
      .when(elapsed('toolFiller'))
      .leadsTo({ commands: ['createReply filler'] });
  });

  it('is not bridged where there is nobody to say or to hear it, or where a goodbye is under way', () => {
    given(...running, streamClosed())
      .when(elapsed('toolFiller'))
      .leadsTo({ commands: [] });
    given(...running, modelClosed())
      .when(elapsed('toolFiller'))
      .leadsTo({ commands: [] });
    given(...running, hangUpToolRequested)
      .when(elapsed('toolFiller'))
      .leadsTo({ commands: [] });
  });
});

describe('the answer to a tool that was bridged', () => {
  it('follows the sentence where the tool is slower', () => {
    given(...bridged, ...bridge(), replyFinished('filler'), replyPlayed('filler'))
      .when(toolFinished())
      .leadsTo({ states: { turn: 'thinking' }, commands: ['sendToolResult tool1', 'createReply answer'] });
  });

  it('follows the sentence where the tool is quicker than its sound', () => {
    given(...bridged, ...bridge())
      .when(toolFinished())
      .leadsTo({ states: { tools: 'idle', turn: 'agentSpeaking' }, commands: ['sendToolResult tool1'] })
      .when(replyFinished('filler'))
      .leadsTo({ commands: ['createReply answer'] })
      .when(replyPlayed('filler'))
      .leadsTo({ states: { turn: 'thinking' }, commands: [], context: { owed: 'answer' } });
  });

  it('is asked for once where the tool ends before the sentence has begun', () => {
    const quick = given(...bridged);
    expect(
      repliesAsked(quick, toolFinished(), ...bridge(), replyFinished('filler'), replyPlayed('filler')),
    ).toEqual(['createReply answer']);
    quick
      .when(toolFinished(), ...bridge(), replyFinished('filler'), replyPlayed('filler'))
      .leadsTo({ states: { turn: 'thinking' }, context: { owed: 'answer' } })
      .when(replyStarted('reply3'))
      .leadsTo({ context: { toolAnswerOwed: false } });
  });

  it('is asked for also where the sentence never comes', () => {
    given(...bridged)
      .when(toolFinished())
      .leadsTo({ states: { tools: 'idle', turn: 'thinking' } })
      .when(elapsed('replyStart'))
      .leadsTo({ commands: ['createReply answer'] });
    given(...bridged, toolFinished(), replyStarted('filler'))
      .when(emptyReplyFinished('filler', { status: 'failed' }))
      .leadsTo({ states: { turn: 'thinking' }, commands: ['createReply answer'] });
  });

  it('is left to the reply to the caller, who speaks into the sentence', () => {
    expect(
      repliesAsked(
        given(...bridged, ...bridge()),
        callerStarts,
        toolFinished(),
        callerStops,
        replyStarted('reply3'),
      ),
    ).toEqual([]);
  });

  it('is asked for once by another process, whatever was said before', () => {
    given(...bridged, ...bridge(), claimedByAnother).leadsTo({
      states: { tools: 'running' },
      context: { filler: 'none' },
    });
  });

  it('waits for the second tool as well', () => {
    given(...bridged, toolRequested('tool2'), ...bridge(), replyFinished('filler'), toolFinished('tool1'))
      .leadsTo({ states: { tools: 'running' }, commands: ['sendToolResult tool1'] })
      .when(replyPlayed('filler'), toolFinished('tool2'))
      .leadsTo({ commands: ['sendToolResult tool2', 'createReply answer'] });
  });
});
