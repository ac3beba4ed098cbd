import { describe, expect, it } from 'vitest';
import {
  callerStarts,
  callerStops,
  claimedByAnother,
  elapsed,
  emptyReplyFinished,
  hangUpRequested,
  hangUpToolRequested,
  modelClosed,
  modelOpened,
  quietCall,
  replyCancelled,
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

  it('is bridged anew by another process, after a whole wait', () => {
    const adopted = given(...running).when(claimedByAnother);
    adopted.leadsTo({ commands: ['recoverTool tool1', 'openModel 2'] });
    expect(adopted.remainingMs('toolFiller')).toBe(2_500);
    adopted
      .when(streamStarted(2), modelOpened(2))
      .leadsTo({ states: { tools: 'running' }, commands: ['joinModel 2'] })
      .when(elapsed('toolFiller'))
      .leadsTo({ commands: ['createReply filler'] });
  });

  it('is not answered because the sentence ends empty, breaks off, or is cancelled', () => {
    const begun = given(...bridged, replyStarted('filler'));
    for (const end of [
      emptyReplyFinished('filler'),
      emptyReplyFinished('filler', { status: 'failed' }),
      replyCancelled('filler'),
    ]) {
      begun
        .when(end)
        .leadsTo({ states: { turn: 'thinking' }, commands: [], context: { reply: { tries: 0 } } });
    }
    const broken = replyFinished('filler', { status: 'failed' });
    for (const ends of [
      [broken, replyPlayed('filler')],
      [replyPlayed('filler'), broken],
    ]) {
      const waiting = begun.when(replyVoiced('filler'));
      expect(repliesAsked(waiting, ...ends)).toEqual([]);
      expect(repliesAsked(waiting, ...ends, toolFinished())).toEqual(['createReply answer']);
    }
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

  it('takes the place of a sentence that has not begun', () => {
    const quick = given(...bridged).when(toolFinished());
    quick
      .leadsTo({
        states: { tools: 'idle', turn: 'thinking' },
        commands: ['sendToolResult tool1'],
      })
      .when(replyStarted('filler'))
      .leadsTo({ states: { turn: 'thinking' }, commands: ['interruptReply'] })
      .when(replyCancelled('filler'))
      .leadsTo({
        states: { turn: 'thinking' },
        commands: ['createReply answer'],
        context: { owed: 'answer' },
      })
      .when(replyStarted('reply3'))
      .leadsTo({ commands: [], context: { toolAnswerOwed: false } });
  });

  it('takes the place of a sentence that has no sound yet', () => {
    const quick = given(...bridged, replyStarted('filler')).when(toolFinished());
    quick.leadsTo({ commands: ['interruptReply', 'sendToolResult tool1'] });
    expect(repliesAsked(quick, replyCancelled('filler'), replyStarted('reply3'))).toEqual([
      'createReply answer',
    ]);
  });

  it('is asked for once where the sentence comes all the same', () => {
    const late = given(...bridged).when(toolFinished());
    expect(repliesAsked(late, ...bridge(), replyFinished('filler'), replyPlayed('filler'))).toEqual([
      'createReply answer',
    ]);
    late
      .when(...bridge(), replyFinished('filler'), replyPlayed('filler'))
      .leadsTo({ states: { turn: 'thinking' }, context: { owed: 'answer' } });
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

  it('breaks no goodbye off that has taken the place of the sentence', () => {
    for (const goodbye of [[], [replyStarted('goodbye')]]) {
      const finished = given(...bridged, hangUpRequested, ...goodbye).when(toolFinished());
      finished.leadsTo({ states: { farewell: 'owed', tools: 'idle' } });
      expect(finished.commands).not.toContain('interruptReply');
    }
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
    const adopted = given(...bridged, ...bridge(), claimedByAnother);
    adopted.leadsTo({ states: { tools: 'running' }, context: { filler: 'none' } });
    expect(repliesAsked(adopted, streamStarted(2), modelOpened(2), toolFinished())).toEqual([
      'createReply answer',
    ]);
  });

  it('is asked for once where the stream is lost under the sentence', () => {
    const ends = [
      [streamStarted(2), replyStarted('filler'), replyCancelled('filler')],
      [replyStarted('filler'), streamStarted(2), replyCancelled('filler')],
      [replyStarted('filler'), replyCancelled('filler'), streamStarted(2)],
    ];
    for (const facts of ends) {
      expect(repliesAsked(given(...bridged, streamClosed()), toolFinished(), ...facts)).toEqual([
        'createReply answer',
      ]);
    }
    const speaking = given(...bridged, ...bridge());
    for (const facts of [
      [streamClosed(), toolFinished(), streamStarted(2), replyCancelled('filler')],
      [toolFinished(), streamStarted(2), replyCancelled('filler')],
      [toolFinished(), streamClosed(), streamStarted(2), replyCancelled('filler')],
    ]) {
      expect(repliesAsked(speaking, ...facts)).toEqual(['createReply answer']);
    }
  });

  it('is owed to the next session, whatever sound the sentence still made', () => {
    given(...bridged, toolFinished(), ...bridge(), modelClosed())
      .leadsTo({ context: { owed: 'answer' } })
      .when(elapsed('modelBackoff'), modelOpened(2))
      .leadsTo({ commands: ['joinModel 2', 'createReply answer'] });
  });

  it('waits for the second tool as well', () => {
    given(...bridged, toolRequested('tool2'), ...bridge(), replyFinished('filler'), toolFinished('tool1'))
      .leadsTo({ states: { tools: 'running' }, commands: ['sendToolResult tool1'] })
      .when(replyPlayed('filler'), toolFinished('tool2'))
      .leadsTo({ commands: ['sendToolResult tool2', 'createReply answer'] });
  });
});
