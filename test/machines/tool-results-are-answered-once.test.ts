import { describe, expect, it } from 'vitest';
import {
  callerStarts,
  callerStops,
  elapsed,
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
import { given, type Scenario } from './support/scenario.ts';

const asked = [...quietCall(), callerStarts, callerStops, replyStarted('reply1')];

/** Every `createReply` from here on, whatever the facts lead to. */
function repliesAsked(scenario: Scenario, ...facts: Parameters<Scenario['when']>): string[] {
  const replies: string[] = [];
  for (const fact of facts) {
    scenario = scenario.when(fact);
    replies.push(...scenario.commands.filter((command) => command.startsWith('createReply')));
  }
  return replies;
}

describe('a tool call', () => {
  it('runs once it is asked for', () => {
    given(...asked)
      .when(toolRequested())
      .leadsTo({ states: { tools: 'running' }, commands: ['runTool tool1'], context: { tools: ['tool1'] } });
  });

  it('is answered when its result comes after the reply that asked for it', () => {
    given(...asked, toolRequested())
      .when(toolReplyFinished())
      .leadsTo({ states: { turn: 'thinking' }, commands: [] })
      .when(toolFinished())
      .leadsTo({
        states: { tools: 'idle', turn: 'thinking' },
        commands: ['sendToolResult tool1', 'createReply answer'],
      });
  });

  it('is answered when its result comes before the end of the reply that asked for it', () => {
    given(...asked, toolRequested())
      .when(toolFinished())
      .leadsTo({ states: { tools: 'idle' }, commands: ['sendToolResult tool1'] })
      .when(toolReplyFinished())
      .leadsTo({ states: { turn: 'thinking' }, commands: ['createReply answer'] });
  });

  it('is answered once all calls of the reply have a result', () => {
    given(
      ...asked,
      toolRequested('tool1'),
      toolRequested('tool2'),
      toolReplyFinished('reply1', { toolCalls: 2 }),
    )
      .when(toolFinished('tool2'))
      .leadsTo({ states: { tools: 'running' }, commands: ['sendToolResult tool2'] })
      .when(toolFinished('tool1'))
      .leadsTo({ states: { tools: 'idle' }, commands: ['sendToolResult tool1', 'createReply answer'] });
  });

  it('is answered once all calls have a result, also where the first is quicker than the second is asked for', () => {
    given(...asked, toolRequested('tool1'), toolFinished('tool1'), toolRequested('tool2'))
      .when(toolReplyFinished('reply1', { toolCalls: 2 }))
      .leadsTo({ states: { tools: 'running' }, commands: [] })
      .when(toolFinished('tool2'))
      .leadsTo({ commands: ['sendToolResult tool2', 'createReply answer'] });
  });

  it('is left to the reply to the caller, who speaks meanwhile', () => {
    given(...asked, toolRequested(), toolReplyFinished(), callerStarts)
      .when(toolFinished())
      .leadsTo({ states: { turn: 'callerSpeaking', tools: 'idle' }, commands: ['sendToolResult tool1'] })
      .when(callerStops, replyStarted('reply2'))
      .leadsTo({ states: { turn: 'thinking' }, commands: [], context: { toolAnswerOwed: false } });
  });

  it('is left to the reply to the caller, who interrupted the one that asked for it', () => {
    given(...asked, replyVoiced(), toolRequested(), toolFinished(), callerStarts)
      .when(replyCancelled())
      .leadsTo({ states: { turn: 'callerSpeaking' }, commands: [] });
  });

  it('is not answered where it was never open', () => {
    given(...asked, toolRequested('tool1'))
      .when(toolFinished('tool2'))
      .leadsTo({ states: { tools: 'running' }, commands: [], context: { tools: ['tool1'] } });
    given(...quietCall())
      .when(toolFinished())
      .leadsTo({ states: { tools: 'idle' }, commands: [] });
  });

  it('is answered after the announcement that is still being played, and the answer is waited for', () => {
    given(...asked, replyVoiced(), toolRequested(), replyFinished('reply1', { toolCalls: 1 }))
      .when(toolFinished())
      .leadsTo({
        states: { turn: 'agentSpeaking' },
        commands: ['sendToolResult tool1', 'createReply answer'],
      })
      .when(replyPlayed('reply1'))
      .leadsTo({ states: { turn: 'thinking' }, commands: [], context: { owed: 'answer' } })
      .when(elapsed('replyStart'))
      .leadsTo({ states: { turn: 'thinking' }, commands: ['createReply answer'] });
  });

  it('is answered after the announcement was played, and the answer is waited for', () => {
    given(
      ...asked,
      replyVoiced(),
      toolRequested(),
      replyFinished('reply1', { toolCalls: 1 }),
      replyPlayed('reply1'),
    )
      .leadsTo({ states: { turn: 'listening', tools: 'running' } })
      .when(toolFinished())
      .leadsTo({ states: { turn: 'thinking' }, commands: ['sendToolResult tool1', 'createReply answer'] });
  });

  it('is waited for also where the announcement was played before its reply ended', () => {
    given(...asked, replyVoiced(), toolRequested(), replyPlayed(), toolFinished())
      .when(replyFinished('reply1', { toolCalls: 1 }))
      .leadsTo({ states: { turn: 'thinking' }, commands: ['createReply answer'] });
    given(...asked, replyVoiced(), toolRequested(), toolFinished(), replyPlayed())
      .when(replyFinished('reply1', { toolCalls: 1 }))
      .leadsTo({ states: { turn: 'thinking' }, commands: ['createReply answer'] });
  });

  it('has its answer asked for once, however long the tool took', () => {
    const waiting = given(...asked, toolRequested(), toolReplyFinished()).when(elapsed('replyStart'));
    const finished = waiting.when(toolFinished());
    expect(finished.remainingMs('replyStart')).toBe(6_000);
    expect(repliesAsked(waiting, toolFinished(), replyStarted('reply2'), replyVoiced('reply2'))).toEqual([
      'createReply answer',
    ]);
  });

  it('has its answer asked for once where the reply that asked for it is empty', () => {
    const running = given(...asked, toolRequested(), toolFinished());
    expect(repliesAsked(running, replyFinished('reply1', { voiced: false }))).toEqual(['createReply answer']);
  });
});

describe('a tool result that comes while the agent has no session', () => {
  it('is answered by the next one', () => {
    given(...asked, toolRequested(), toolReplyFinished(), modelClosed())
      .when(toolFinished())
      .leadsTo({ commands: ['sendToolResult tool1'], context: { owed: 'answer' } })
      .when(elapsed('modelBackoff'), modelOpened(2))
      .leadsTo({ states: { turn: 'thinking' }, commands: ['joinModel 2', 'createReply answer'] });
  });

  it('is answered by the next one while the announcement is still being played', () => {
    given(...asked, replyVoiced(), toolRequested(), replyFinished('reply1', { toolCalls: 1 }), modelClosed())
      .leadsTo({ states: { turn: 'agentSpeaking' } })
      .when(toolFinished(), elapsed('modelBackoff'), modelOpened(2))
      .leadsTo({ states: { turn: 'agentSpeaking' }, commands: ['joinModel 2', 'createReply answer'] })
      .when(replyPlayed('reply1'))
      .leadsTo({ states: { turn: 'thinking' }, commands: [] });
  });

  it('is answered by the next one that comes only after the announcement was played', () => {
    given(...asked, replyVoiced(), toolRequested(), replyFinished('reply1', { toolCalls: 1 }), modelClosed())
      .and(toolFinished(), replyPlayed('reply1'), elapsed('modelBackoff'))
      .when(modelOpened(2))
      .leadsTo({ states: { turn: 'thinking' }, commands: ['joinModel 2', 'createReply answer'] });
  });

  it('leaves the new session alone while the tool still runs', () => {
    given(...asked, toolRequested(), toolReplyFinished(), modelClosed(), elapsed('modelBackoff'))
      .when(modelOpened(2))
      .leadsTo({ states: { tools: 'running', turn: 'listening' }, commands: ['joinModel 2'] })
      .when(toolFinished())
      .leadsTo({ commands: ['sendToolResult tool1', 'createReply answer'] });
  });
});

describe('a tool result that comes while there is no stream', () => {
  it('is answered on the next one', () => {
    given(...asked, toolRequested(), toolReplyFinished(), streamClosed())
      .when(toolFinished())
      .leadsTo({ commands: ['sendToolResult tool1'] })
      .when(streamStarted(2))
      .leadsTo({ states: { turn: 'thinking' }, commands: ['joinStream stream2', 'createReply answer'] });
  });

  it('is answered when the reply that asked for it is over, on whichever stream', () => {
    given(...asked, toolRequested(), streamClosed(), toolFinished(), streamStarted(2))
      .leadsTo({ states: { turn: 'thinking' }, commands: ['joinStream stream2'] })
      .when(toolReplyFinished())
      .leadsTo({ states: { turn: 'thinking' }, commands: ['createReply answer'] });
  });
});
