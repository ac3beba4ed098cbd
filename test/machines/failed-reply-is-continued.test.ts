import { describe, it } from 'vitest';
import {
  callerStarts,
  callerStops,
  elapsed,
  emptyReplyFinished,
  greetedBy,
  modelClosed,
  modelOpened,
  quietCall,
  replyFinished,
  replyPlayed,
  replyStarted,
  replyVoiced,
  streamClosed,
  streamStarted,
} from './support/facts.ts';
import { type Expected, type Fact, given } from './support/scenario.ts';

const turnTaken = [...quietCall(), callerStarts, callerStops];
const failed = (replyId: string): Fact => replyFinished(replyId, { status: 'failed', cause: 'server_error' });
const broken = (replyId: string): Fact[] => [replyStarted(replyId), replyVoiced(replyId), failed(replyId)];
const goesOn: Expected = {
  states: { turn: 'thinking' },
  commands: ['createReply continuation'],
  context: { owed: 'continuation' },
};

describe('a reply that fails in the middle', () => {
  it('is played as far as it came, and then continued', () => {
    given(...turnTaken, ...broken('reply1'))
      .leadsTo({ states: { turn: 'agentSpeaking' }, commands: [], context: { reply: { broken: true } } })
      .when(replyPlayed('reply1'))
      .leadsTo(goesOn);
  });

  it('is continued also where all that came was played before it failed', () => {
    given(...turnTaken, replyStarted('reply1'), replyVoiced('reply1'), replyPlayed('reply1'))
      .leadsTo({ states: { turn: 'listening' } })
      .when(failed('reply1'))
      .leadsTo(goesOn);
  });

  it('is continued as often as a reply may be asked for; then the session is replaced, and the rest is owed', () => {
    given(...turnTaken, ...broken('reply1'), replyPlayed('reply1'), ...broken('reply2'))
      .when(replyPlayed('reply2'))
      .leadsTo(goesOn)
      .when(...broken('reply3'), replyPlayed('reply3'))
      .leadsTo({
        states: { turn: 'listening' },
        commands: ['closeModel 1'],
        context: { owed: 'continuation' },
      })
      .when(modelClosed(), elapsed('modelBackoff'), modelOpened(2))
      .leadsTo({ states: { turn: 'thinking' }, commands: ['joinModel 2', 'createReply continuation'] });
  });

  it('shares its tries with replies that fail before a sound', () => {
    given(...turnTaken, ...broken('reply1'), replyPlayed('reply1'), replyStarted('reply2'))
      .when(emptyReplyFinished('reply2', { status: 'failed' }))
      .leadsTo(goesOn)
      .when(replyStarted('reply3'), emptyReplyFinished('reply3', { status: 'failed' }))
      .leadsTo({ states: { turn: 'listening' }, commands: ['closeModel 1'] });
  });

  it('has all the tries again once a reply was heard to its end', () => {
    given(...turnTaken, ...broken('reply1'), replyPlayed('reply1'))
      .and(replyStarted('reply2'), replyVoiced('reply2'), replyFinished('reply2'), replyPlayed('reply2'))
      .leadsTo({ states: { turn: 'listening' }, context: { owed: null, reply: { tries: 0 } } });
  });

  it('is not continued for a caller who speaks into it', () => {
    given(...turnTaken, ...broken('reply1'), callerStarts)
      .leadsTo({ states: { turn: 'callerSpeaking' }, context: { owed: null } })
      .when(replyPlayed('reply1'))
      .leadsTo({ states: { turn: 'callerSpeaking' }, commands: [] });
  });

  it('is continued by the next session where its own is lost before all of it was played', () => {
    given(...turnTaken, ...broken('reply1'))
      .when(modelClosed())
      .leadsTo({ states: { turn: 'listening' }, commands: ['interruptReply'] })
      .when(elapsed('modelBackoff'), modelOpened(2))
      .leadsTo({ commands: ['joinModel 2', 'createReply continuation'] });
  });

  it('is continued on the next stream where its own is lost', () => {
    given(...turnTaken, ...broken('reply1'))
      .when(streamClosed())
      .leadsTo({ states: { turn: 'listening' }, commands: ['interruptReply'] })
      .when(streamStarted(2))
      .leadsTo({
        states: { turn: 'thinking' },
        commands: ['joinStream stream2', 'createReply continuation'],
      });
  });

  it('is continued in the words of the greeting where it was that', () => {
    given(...greetedBy(), ...broken('reply1'))
      .when(replyPlayed('reply1'))
      .leadsTo({ ...goesOn, commands: ['createReply continuation greeting'] })
      .when(callerStarts)
      .leadsTo({ context: { fixedWords: null } });
  });

  it('does not cost its session a try that failed: only silence does', () => {
    given(...turnTaken, ...broken('reply1')).leadsTo({ context: { model: { tries: 0 } } });
  });
});

describe('a reply that uses its tokens up', () => {
  const incomplete = (replyId: string, cause = 'max_output_tokens', toolCalls = 0): Fact =>
    replyFinished(replyId, { status: 'incomplete', cause, toolCalls });
  const cutShort = (replyId: string): Fact[] => [
    replyStarted(replyId),
    replyVoiced(replyId),
    incomplete(replyId),
  ];

  it('is continued once what came of it was heard', () => {
    given(...turnTaken, ...cutShort('reply1'))
      .leadsTo({ states: { turn: 'agentSpeaking' }, commands: [] })
      .when(replyPlayed('reply1'))
      .leadsTo(goesOn);
  });

  it('is continued also where all that came was played before its end was told', () => {
    given(...turnTaken, replyStarted('reply1'), replyVoiced('reply1'), replyPlayed('reply1'))
      .when(incomplete('reply1'))
      .leadsTo(goesOn);
  });

  it('is continued as often as a reply may be asked for; then the caller has the floor, in the same session', () => {
    given(...turnTaken, ...cutShort('reply1'), replyPlayed('reply1'), ...cutShort('reply2'))
      .when(replyPlayed('reply2'))
      .leadsTo(goesOn)
      .when(...cutShort('reply3'), replyPlayed('reply3'))
      .leadsTo({ states: { turn: 'listening', model: 'ready' }, commands: [], context: { owed: null } });
  });

  it('is not continued where a tool is run for it, which is answered', () => {
    given(...turnTaken, replyStarted('reply1'), replyVoiced('reply1'), incomplete('reply1', undefined, 1))
      .when(replyPlayed('reply1'))
      .leadsTo({ commands: [] });
  });

  it('is followed by another one also where a filter broke it off', () => {
    given(...turnTaken, replyStarted('reply1'), replyVoiced('reply1'), incomplete('reply1', 'content_filter'))
      .when(replyPlayed('reply1'))
      .leadsTo(goesOn);
  });
});

describe('a reply that a broken line cannot play', () => {
  const starved: Fact = { type: 'media.starved', streamId: 'stream1', silentMs: 1_500 };
  const begun = [...turnTaken, replyStarted(), replyVoiced()];

  it('is owed until there is a line, however long that takes, and costs no session', () => {
    for (const reply of [begun, [...begun, replyFinished()]]) {
      given(...reply, starved, elapsed('starved'))
        .leadsTo({ states: { carrier: 'lost', turn: 'agentSpeaking' } })
        .when(elapsed('playbackStall'))
        .leadsTo({
          states: { turn: 'listening', model: 'ready' },
          commands: ['interruptReply'],
          context: { owed: 'continuation' },
        })
        .when(streamStarted(2))
        .leadsTo({ commands: ['joinStream stream2', 'createReply continuation'] });
    }
  });
});
