import { describe, it } from 'vitest';
import {
  callerStarts,
  callerStops,
  elapsed,
  greetedBy,
  hangUpRequested,
  quietCall,
  replyCancelled,
  replyFinished,
  replyPlayed,
  replyProgressed,
  replyStarted,
  replyVoiced,
  streamStarted,
  transcribed,
} from './support/facts.ts';
import { given } from './support/scenario.ts';

const turnTaken = [...quietCall(), callerStarts, callerStops];

describe('the floor', () => {
  it('belongs to the caller while the caller speaks', () => {
    given(...quietCall())
      .when(callerStarts)
      .leadsTo({ states: { turn: 'callerSpeaking' }, context: { callerTurnOpen: true, owed: null } });
  });

  it('belongs to nobody while a reply has no sound yet', () => {
    given(...turnTaken).leadsTo({ states: { turn: 'thinking' } });
    given(...turnTaken, replyStarted()).leadsTo({
      states: { turn: 'thinking' },
      context: { callerTurnOpen: false },
    });
  });

  it('belongs to the agent from the first sound until all of it was played', () => {
    given(...turnTaken, replyStarted())
      .when(replyVoiced())
      .leadsTo({ states: { turn: 'agentSpeaking' }, commands: [], context: { owed: 'continuation' } })
      .when(replyFinished(), replyProgressed())
      .leadsTo({ states: { turn: 'agentSpeaking' } })
      .when(replyPlayed())
      .leadsTo({ states: { turn: 'listening' }, commands: [], context: { owed: null } });
  });

  it('stays with the agent while one reply follows the other', () => {
    given(...turnTaken, replyStarted('reply1'), replyVoiced('reply1'), replyFinished('reply1'))
      .when(replyStarted('reply2'))
      .leadsTo({ states: { turn: 'agentSpeaking' } })
      .when(replyPlayed('reply1'))
      .leadsTo({ states: { turn: 'thinking' } })
      .when(replyVoiced('reply2'))
      .leadsTo({ states: { turn: 'agentSpeaking' } });
    given(...turnTaken, replyStarted('reply1'), replyVoiced('reply1'), replyFinished('reply1'))
      .when(replyStarted('reply2'), replyVoiced('reply2'), replyPlayed('reply1'))
      .leadsTo({ states: { turn: 'agentSpeaking' } });
  });
});

describe('a caller who speaks while the agent speaks', () => {
  it('silences the agent at once', () => {
    given(...turnTaken, replyStarted(), replyVoiced())
      .when(callerStarts)
      .leadsTo({ states: { turn: 'callerSpeaking' }, commands: ['interruptReply'] });
  });

  it('silences the greeting as well', () => {
    given(...greetedBy(), replyStarted(), replyVoiced())
      .when(callerStarts)
      .leadsTo({ states: { turn: 'callerSpeaking' }, commands: ['interruptReply'] });
  });

  it('silences what has come in full and is still being played', () => {
    given(...turnTaken, replyStarted(), replyVoiced(), replyFinished())
      .when(callerStarts)
      .leadsTo({ states: { turn: 'callerSpeaking' }, commands: ['interruptReply'] });
  });

  it('is not talked over by a reply that was asked for before', () => {
    given(...quietCall(), callerStarts)
      .when(replyStarted())
      .leadsTo({ states: { turn: 'callerSpeaking' }, commands: ['interruptReply'] })
      .when(replyVoiced())
      .leadsTo({ states: { turn: 'callerSpeaking' }, commands: [] });
  });

  it('is not talked over by the answer to an earlier turn on a new stream', () => {
    given(...quietCall(), callerStarts, transcribed)
      .leadsTo({ context: { owed: null } })
      .when(streamStarted(2))
      .leadsTo({ states: { turn: 'callerSpeaking' }, commands: ['joinStream stream2'] });
  });

  it('keeps the floor when the cancelled reply is over', () => {
    given(...turnTaken, replyStarted(), replyVoiced(), callerStarts)
      .when(replyCancelled())
      .leadsTo({ states: { turn: 'callerSpeaking' }, commands: [], context: { owed: null } });
  });

  it('is answered, also where it was only a cough', () => {
    given(...turnTaken, replyStarted(), replyVoiced(), callerStarts, replyCancelled(), callerStops)
      .leadsTo({ states: { turn: 'thinking' } })
      .when(elapsed('replyStart'))
      .leadsTo({ states: { turn: 'thinking' }, commands: ['createReply answer true'] });
  });
});

describe('a reply that was cancelled before it had a sound', () => {
  it('was not meant: it is asked for again, as often as any other, and then the floor is free', () => {
    given(...turnTaken, replyStarted())
      .when(replyCancelled())
      .leadsTo({ states: { turn: 'thinking' }, commands: ['createReply answer'] })
      .when(replyStarted('reply2'), replyCancelled('reply2'))
      .leadsTo({ states: { turn: 'thinking' }, commands: ['createReply answer'] })
      .when(replyStarted('reply3'), replyCancelled('reply3'))
      .leadsTo({ states: { turn: 'listening' }, commands: [] });
  });

  it('is not asked for again beside a goodbye that is owed', () => {
    given(...turnTaken, replyStarted(), hangUpRequested)
      .when(replyCancelled())
      .leadsTo({ states: { farewell: 'owed' }, commands: [] });
  });
});
