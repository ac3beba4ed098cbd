import { describe, expect, it } from 'vitest';
import {
  callerStarts,
  callerStops,
  claimedByAnother,
  elapsed,
  emptyReplyFinished,
  modelClosed,
  modelOpened,
  quietCall,
  replyExtended,
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
  transcribed,
} from './support/facts.ts';
import { type Fact, given } from './support/scenario.ts';

const turnTaken = [...quietCall(), callerStarts, callerStops];

describe('a reply that never starts', () => {
  it('is asked for again, and then a new session is', () => {
    given(...turnTaken)
      .when(elapsed('replyStart'))
      .leadsTo({ states: { turn: 'thinking' }, commands: ['createReply answer true'] })
      .when(elapsed('replyStart'))
      .leadsTo({ states: { turn: 'thinking' }, commands: ['createReply answer true'] })
      .when(elapsed('replyStart'))
      .leadsTo({ states: { turn: 'listening' }, commands: ['closeModel 1'] });
  });

  it("stands in for what the model says by itself where that is the answer to the caller's turn", () => {
    const standsIn = (...facts: Fact[]) =>
      given(...facts, elapsed('replyStart')).commands.filter((command) => command.startsWith('createReply'));
    expect(standsIn(...turnTaken, transcribed)).toEqual(['createReply answer true']);
    const announcement: Fact = { type: 'announcement.requested', by: 'operator', words: { bytes: 20 } };
    expect(standsIn(...quietCall(), announcement)).toEqual(['createReply announcement']);
    const answered = [...turnTaken, replyStarted(), toolRequested(), toolReplyFinished(), toolFinished()];
    expect(standsIn(...answered)).toEqual(['createReply answer']);
    const owedBoth = [...turnTaken, replyStarted(), toolRequested(), toolReplyFinished(), callerStarts];
    expect(standsIn(...owedBoth, toolFinished(), callerStops)).toEqual(['createReply answer']);
  });

  it('is owed by the new session where the turn has words', () => {
    given(...turnTaken, transcribed, elapsed('replyStart'), elapsed('replyStart'), elapsed('replyStart'))
      .and(modelClosed(), elapsed('modelBackoff'))
      .when(modelOpened(2))
      .leadsTo({ states: { turn: 'thinking' }, commands: ['joinModel 2', 'createReply answer'] });
  });

  it('is owed by the new session where the words of the turn come between two tries', () => {
    given(...turnTaken, replyStarted(), emptyReplyFinished(), transcribed)
      .leadsTo({ context: { owed: 'answer' } })
      .when(replyStarted('reply2'), emptyReplyFinished('reply2'))
      .and(replyStarted('reply3'), emptyReplyFinished('reply3'))
      .and(modelClosed(), elapsed('modelBackoff'))
      .when(modelOpened(2))
      .leadsTo({ states: { turn: 'thinking' }, commands: ['joinModel 2', 'createReply answer'] });
  });

  it('makes the agent ask again where the process dies between two tries', () => {
    given(...turnTaken, replyStarted(), emptyReplyFinished())
      .when(claimedByAnother)
      .leadsTo({ context: { owed: 'repeat' } });
  });

  it('is given its full time after each request', () => {
    const asked = given(...turnTaken).when(elapsed('replyStart'));
    expect(asked.remainingMs('replyStart')).toBe(6_000);
    expect(asked.when(replyStarted()).remainingMs('replyStart')).toBe(6_000);
  });

  it('gets new tries with every turn of the caller and with every reply that was played', () => {
    given(...turnTaken, elapsed('replyStart'))
      .leadsTo({ context: { reply: { id: 'greeting', active: false, voiced: true, tries: 1 } } })
      .when(callerStarts, callerStops)
      .leadsTo({ context: { reply: { id: 'greeting', active: false, voiced: true, tries: 0 } } });
    given(...turnTaken, elapsed('replyStart'), replyStarted(), replyVoiced())
      .leadsTo({ context: { reply: { id: 'reply1', active: true, voiced: true, tries: 1 } } })
      .when(replyFinished(), replyPlayed())
      .leadsTo({ context: { reply: { id: 'reply1', active: false, voiced: true, tries: 0 } } });
  });

  it('is waited for while a tool runs', () => {
    given(...turnTaken, replyStarted(), toolRequested())
      .when(elapsed('replyStart'))
      .leadsTo({ states: { turn: 'thinking' }, commands: [] });
  });

  it('is waited for while there is no line on which it could sound', () => {
    given(...turnTaken, replyStarted(), streamClosed())
      .when(elapsed('replyStart'))
      .leadsTo({ states: { turn: 'thinking', carrier: 'lost' } })
      .when(streamStarted(2))
      .leadsTo({ states: { turn: 'thinking' }, commands: ['joinStream stream2'] })
      .when(replyVoiced())
      .leadsTo({ states: { turn: 'agentSpeaking' } });
  });
});

describe('a reply that starts and has no sound', () => {
  it('costs the session at once, for it will not even be cancelled', () => {
    given(...turnTaken, replyStarted())
      .when(elapsed('replyStart'))
      .leadsTo({ states: { turn: 'listening' }, commands: ['closeModel 1'] });
  });
});

describe('a reply that is being written and has no sound', () => {
  const writing = (...facts: Fact[]) => given(...facts, replyExtended(), replyExtended(), replyExtended());

  it('is waited for as long as it is extended, and no longer', () => {
    const call = writing(...turnTaken, replyStarted());
    call.leadsTo({ states: { turn: 'thinking' }, commands: [] });
    expect(call.remainingMs('replyStart')).toBe(6_000);
    call.when(elapsed('replyStart')).leadsTo({ states: { turn: 'listening' }, commands: ['closeModel 1'] });
  });

  it('is waited for after its first words, too, and no longer', () => {
    const call = writing(...turnTaken, replyStarted(), replyVoiced(), replyProgressed());
    call.leadsTo({ states: { turn: 'agentSpeaking' }, commands: [] });
    expect(call.remainingMs('playbackStall')).toBe(5_000);
    call
      .when(elapsed('playbackStall'))
      .leadsTo({ states: { turn: 'listening' }, commands: ['closeModel 1'] });
  });

  it('is nothing that the caller hears: the holding sound comes in its time', () => {
    for (const facts of [[replyStarted()], [replyStarted(), replyVoiced(), replyProgressed()]]) {
      const waiting = given(...turnTaken, ...facts);
      const leftMs = waiting.remainingMs('holdingAfter');
      expect(waiting.when(replyExtended()).remainingMs('holdingAfter')).toBe(leftMs - 1_000);
      waiting
        .when(elapsed('holdingAfter'), replyExtended())
        .leadsTo({ states: { silence: 'holding' }, commands: [] })
        .when(callerStarts)
        .leadsTo({ states: { turn: 'callerSpeaking' }, commands: ['interruptReply'] });
    }
  });

  it('is not waited for where it is another one, or one that the caller has spoken over', () => {
    for (const facts of [[replyExtended('other')], [callerStarts, callerStops, replyExtended()]]) {
      const waiting = given(...turnTaken, replyStarted(), ...facts);
      expect(waiting.remainingMs('replyStart')).toBe(5_000);
    }
  });
});

describe('a reply that ends without a sound', () => {
  it('is asked for again, and then a new session is', () => {
    given(...turnTaken, replyStarted('reply1'))
      .when(emptyReplyFinished('reply1'))
      .leadsTo({ states: { turn: 'thinking' }, commands: ['createReply answer'] })
      .when(replyStarted('reply2'), emptyReplyFinished('reply2'))
      .leadsTo({ states: { turn: 'thinking' }, commands: ['createReply answer'] })
      .when(replyStarted('reply3'), emptyReplyFinished('reply3'))
      .leadsTo({ states: { turn: 'listening' }, commands: ['closeModel 1'] });
  });

  it('is asked for again where it failed', () => {
    given(...turnTaken, replyStarted())
      .when(emptyReplyFinished('reply1', { status: 'failed', cause: 'server_error' }))
      .leadsTo({ states: { turn: 'thinking' }, commands: ['createReply answer'] });
  });

  it('is nothing to worry about where it was another reply', () => {
    given(...turnTaken, replyStarted('reply2'))
      .when(emptyReplyFinished('reply1'))
      .leadsTo({ states: { turn: 'thinking' }, commands: [] });
  });
});

describe('a reply that is being played', () => {
  it('lasts as long as it progresses', () => {
    const speaking = given(...turnTaken, replyStarted(), replyVoiced(), replyProgressed());
    expect(speaking.remainingMs('playbackStall')).toBe(5_000);
    speaking.when(replyProgressed(), replyProgressed()).leadsTo({ states: { turn: 'agentSpeaking' } });
  });

  it('gives the floor back where the line stops telling of it', () => {
    given(...turnTaken, replyStarted(), replyVoiced(), replyFinished())
      .when(elapsed('playbackStall'))
      .leadsTo({ states: { turn: 'listening' }, commands: [], context: { owed: null } });
  });

  it('is continued by a new session where the model stops in the middle', () => {
    given(...turnTaken, replyStarted(), replyVoiced())
      .when(elapsed('playbackStall'))
      .leadsTo({
        states: { turn: 'listening' },
        commands: ['closeModel 1'],
        context: { owed: 'continuation' },
      })
      .when(modelClosed())
      .leadsTo({ commands: ['interruptReply'] })
      .when(elapsed('modelBackoff'), modelOpened(2))
      .leadsTo({ commands: ['joinModel 2', 'createReply continuation'] });
  });

  it('is over when it was played, whichever comes first, that news or its end', () => {
    given(...turnTaken, replyStarted(), replyVoiced(), replyPlayed())
      .leadsTo({ states: { turn: 'listening' }, context: { owed: null } })
      .when(replyFinished())
      .leadsTo({ states: { turn: 'listening' }, commands: [] });
  });

  it('is the agent speaking also where its sound comes late', () => {
    given(...quietCall(), replyStarted(), streamClosed(), replyFinished())
      .when(streamStarted(2), replyVoiced())
      .leadsTo({ states: { turn: 'agentSpeaking' } })
      .when(replyPlayed())
      .leadsTo({ states: { turn: 'listening' }, context: { owed: null } });
  });
});
