import { describe, expect, it } from 'vitest';
import {
  callEnded,
  callerStarts,
  callerStops,
  carrierReported,
  claimed,
  claimedByAnother,
  elapsed,
  hangUpRequested,
  hangUpToolRequested,
  journalLost,
  modelClosed,
  modelOpened,
  modelRefused,
  moveRequested,
  quietCall,
  redirectFinished,
  replyFinished,
  replyPlayed,
  replyProgressed,
  replyStarted,
  replyVoiced,
  streamClosed,
  streamFailed,
  streamRequested,
  streamStarted,
  streamStopped,
  toolFinished,
  toolReplyFinished,
  toolRequested,
  transferByAgent,
  transferByOperator,
  transferFinished,
  transferTool,
} from './support/facts.ts';
import { type Fact, given } from './support/scenario.ts';

const asked = [...quietCall(), callerStarts, callerStops, replyStarted('reply1')];
const silentRequest = [...asked, transferTool, toolReplyFinished()];
const spokenRequest = [...asked, replyVoiced(), transferTool, replyFinished('reply1', { toolCalls: 1 })];
const dialing = [...silentRequest, transferByAgent, redirectFinished('redirected'), streamStopped()];
const dialingForOperator = [
  ...quietCall(),
  transferByOperator,
  redirectFinished('redirected'),
  streamStopped(),
];
const handedOn = {
  states: { transferring: 'redirecting' },
  commands: ['interruptReply', 'closeModel 1', 'redirectCall'],
};

describe('the carrier, told earlier to bring a stream', () => {
  const handingOn = [...silentRequest, transferByAgent];

  it('has not been told to dial by then, however that ends', () => {
    for (const outcome of ['redirected', 'refused', 'unreachable'] as const) {
      given(...handingOn)
        .when(redirectFinished(outcome, { told: 'connect' }))
        .leadsTo({ states: { transferring: 'redirecting' }, commands: [] });
    }
    given(...handingOn, redirectFinished('redirected', { told: 'connect' }))
      .when(redirectFinished('redirected', { told: 'transfer' }))
      .leadsTo({ states: { transferring: 'dialing' } });
    given(...handingOn, redirectFinished('redirected', { told: 'connect' }))
      .when(redirectFinished('unreachable', { told: 'transfer' }))
      .leadsTo({ states: { transferring: 'telling' }, commands: ['closeStream stream1'] });
  });
});

describe('a caller whom the agent hands on', () => {
  it('is handed on at once where the agent said nothing', () => {
    given(...silentRequest)
      .leadsTo({ states: { tools: 'running' } })
      .when(transferByAgent)
      .leadsTo({ ...handedOn, context: { transfer: { by: 'agent', toolCallId: 'handOn' } } });
  });

  it('is handed on once the words of the agent were played', () => {
    given(...spokenRequest, transferByAgent)
      .leadsTo({ states: { farewell: 'handingOver', turn: 'agentSpeaking' }, commands: [] })
      .when(replyPlayed())
      .leadsTo(handedOn);
  });

  it('is handed on also where the words were played before the request came', () => {
    given(...spokenRequest, replyPlayed())
      .when(transferByAgent)
      .leadsTo(handedOn);
  });

  it('is handed on when the reply that asked for it ends without a word', () => {
    given(...asked, transferTool, transferByAgent)
      .leadsTo({ states: { farewell: 'handingOver' }, commands: [] })
      .when(toolReplyFinished())
      .leadsTo(handedOn);
  });

  it('is handed on at once where the caller speaks into the words, or they never end', () => {
    given(...spokenRequest, transferByAgent)
      .when(callerStarts)
      .leadsTo(handedOn);
    const waiting = given(...spokenRequest, transferByAgent);
    expect(waiting.remainingMs('farewell')).toBe(15_000);
    waiting.when(elapsed('farewell')).leadsTo(handedOn);
  });

  it('hears the words before it to their end, as long as they are played', () => {
    const played = given(...spokenRequest, transferByAgent).when(
      ...Array.from({ length: 20 }, () => replyProgressed()),
    );
    expect(played.remainingMs('farewell')).toBe(15_000);
    played.when(replyPlayed('reply1')).leadsTo(handedOn);
    const late = given(...asked, transferTool, transferByAgent).when(replyVoiced('reply1'));
    expect(late.remainingMs('farewell')).toBe(15_000);
  });

  it('is handed on by another process where the first one is gone', () => {
    given(...spokenRequest, transferByAgent)
      .when(claimedByAnother)
      .leadsTo({
        states: { transferring: 'redirecting' },
        context: { instance: 'two', stream: { id: null }, model: { sessionId: null } },
      });
  });

  it('is owed the outcome of another tool, whoever goes on with the call', () => {
    given(...spokenRequest, toolRequested('tool1'), transferByAgent)
      .leadsTo({ states: { farewell: 'handingOver' } })
      .when(claimedByAnother)
      .leadsTo({
        states: { transferring: 'redirecting' },
        commands: ['recoverTool tool1', 'interruptReply', 'closeModel 1', 'redirectCall'],
      })
      .when(transferFinished('busy'), toolFinished('handOn'), toolFinished('tool1'))
      .leadsTo({ states: { tools: 'idle' } });
  });

  it('has not hung up where the call ends for its lost stream before Twilio was told to dial', () => {
    for (const loss of [claimedByAnother, streamFailed()]) {
      given(...spokenRequest, transferByAgent, replyPlayed(), loss)
        .when(carrierReported('completed'))
        .leadsTo({ context: { endReason: 'stream.lost' } });
    }
    for (const told of [[], [redirectFinished('redirected'), streamClosed(), claimedByAnother]]) {
      given(...spokenRequest, transferByAgent, replyPlayed(), ...told)
        .when(carrierReported('completed'))
        .leadsTo({ context: { endReason: 'caller.hungUp' } });
    }
  });

  it('hears a goodbye where an operator ends the call first', () => {
    given(...spokenRequest, transferByAgent)
      .when(hangUpRequested)
      .leadsTo({ states: { farewell: 'owed' } });
  });

  it('is handed on with no word more, whatever the agent was going to say', () => {
    given(...dialing)
      .when(replyStarted('reply2'))
      .leadsTo({ states: { transferring: 'dialing' }, commands: [] });
  });
});

describe('a caller whom an operator hands on', () => {
  it('is handed on at once', () => {
    for (const facts of [quietCall(), [...asked, replyVoiced()], [...quietCall(), callerStarts]]) {
      given(...facts)
        .when(transferByOperator)
        .leadsTo(handedOn);
    }
  });

  it('is handed on also from a line that is lost', () => {
    given(...quietCall(), streamClosed())
      .when(transferByOperator)
      .leadsTo({ ...handedOn, commands: ['interruptReply', 'closeModel 1', 'redirectCall'] });
  });

  it('takes no session with it that was to take over', () => {
    given(...quietCall(), elapsed('rollOver'))
      .leadsTo({ states: { model: 'ready.rollingOver' } })
      .when(transferByOperator)
      .leadsTo({
        states: { transferring: 'redirecting' },
        commands: ['interruptReply', 'closeModel 1', 'closeModel 2', 'redirectCall'],
      });
  });
});

describe('the carrier', () => {
  it('is waited for once it has been told to dial', () => {
    given(...quietCall(), transferByOperator)
      .when(redirectFinished('redirected'))
      .leadsTo({ states: { transferring: 'dialing' }, commands: [] });
  });

  it('is told to dial when it asks after the stream, where it cannot be told at once', () => {
    for (const told of [redirectFinished('refused'), redirectFinished('unreachable'), elapsed('redirect')]) {
      given(...quietCall(), transferByOperator)
        .when(told)
        .leadsTo({ states: { transferring: 'telling' }, commands: ['closeStream stream1'] });
    }
  });

  it('is not told again by a claim: it may have been told already', () => {
    given(...quietCall(), transferByOperator)
      .when(claimedByAnother)
      .leadsTo({ states: { transferring: 'telling' }, commands: [], context: { instance: 'two' } });
    given(...dialing)
      .when(claimed('three', { why: 'orphan' }))
      .leadsTo({ states: { transferring: 'dialing' }, commands: [], context: { instance: 'three' } });
  });

  it('is asked from time to time how the call stands, and believed', () => {
    given(...dialingForOperator)
      .when(elapsed('transferCheck'))
      .leadsTo({ states: { transferring: 'dialing' }, commands: ['askCarrier'] })
      .when(carrierReported('in-progress'), elapsed('transferCheck'))
      .leadsTo({ states: { transferring: 'dialing' }, commands: ['askCarrier'] })
      .when(carrierReported('completed'))
      .leadsTo({
        states: { ending: 'concluding' },
        commands: ['closeModel 1', 'concludeCall caller.hungUp'],
      });
  });

  it('is not waited for without end', () => {
    given(...dialingForOperator)
      .when(elapsed('transferLimit'))
      .leadsTo({ states: { ending: 'hangingUp' }, context: { endReason: 'transfer.unknown' } });
  });

  it('may bring a stream that was on its way: it then asks what to do next', () => {
    given(...dialingForOperator, claimed('one', { why: 'stream', attempt: 2 }))
      .when(streamStarted(2))
      .leadsTo({ states: { transferring: 'dialing' }, commands: ['closeStream stream2'] })
      .when(streamClosed(2))
      .leadsTo({ context: { stream: { id: null } } });
    given(...quietCall(), streamClosed(), transferByOperator, claimed('one', { why: 'stream', attempt: 2 }))
      .when(streamStarted(2))
      .leadsTo({ states: { transferring: 'redirecting' }, commands: [] })
      .when(redirectFinished('refused'))
      .leadsTo({ states: { transferring: 'telling' }, commands: ['closeStream stream2'] });
  });
});

describe('a transfer that succeeded', () => {
  it('ends the call once the two have hung up', () => {
    given(...dialing)
      .when(transferFinished('completed'))
      .leadsTo({
        states: { ending: 'hangingUp' },
        commands: ['closeModel 1', 'hangUp'],
        context: { endReason: 'call.transferred' },
      });
  });

  it('has succeeded also where the news comes before that of the stream', () => {
    given(...silentRequest, transferByAgent)
      .when(transferFinished('completed'))
      .leadsTo({ states: { ending: 'hangingUp' }, context: { endReason: 'call.transferred' } });
  });

  it('keeps its reason whatever the carrier reports then', () => {
    given(...dialing, transferFinished('completed'))
      .when(carrierReported('completed'))
      .leadsTo({ commands: ['concludeCall call.transferred'] });
  });
});

describe('a caller whom nobody took', () => {
  const failures = ['busy', 'no-answer', 'failed', 'canceled'] as const;

  it('is back with the agent, who is told by the tool that asked for it', () => {
    for (const outcome of failures) {
      given(...dialing)
        .when(transferFinished(outcome))
        .leadsTo({
          states: { carrier: 'awaitingStream', model: 'connecting', tools: 'running', farewell: 'none' },
          commands: [`answerTransfer handOn ${outcome}`, 'openModel 2'],
          context: { transfer: null, owed: null, stream: { id: null, tries: 0 }, asks: 0 },
        })
        .when(toolFinished('handOn', { outcome: 'failed' }))
        .leadsTo({
          states: { tools: 'idle' },
          commands: ['sendToolResult handOn'],
          context: { owed: 'answer' },
        })
        .when(modelOpened(2), streamStarted(2))
        .leadsTo({ states: { turn: 'thinking' }, commands: ['joinStream stream2', 'createReply answer'] });
    }
  });

  it('is told so also where the sockets come before the result of the tool', () => {
    given(...dialing, transferFinished('busy'), modelOpened(2), streamStarted(2))
      .leadsTo({ states: { turn: 'listening' }, commands: ['joinStream stream2'] })
      .when(toolFinished('handOn', { outcome: 'failed' }))
      .leadsTo({ states: { turn: 'thinking' }, commands: ['sendToolResult handOn', 'createReply answer'] });
  });

  it('is greeted again where an operator had asked for it', () => {
    given(...dialingForOperator, transferFinished('no-answer'), modelOpened(2))
      .when(streamStarted(2))
      .leadsTo({ states: { turn: 'thinking' }, commands: ['joinStream stream2', 'createReply return'] });
  });

  it('may be handed on again', () => {
    given(...dialingForOperator, transferFinished('busy'), modelOpened(2), streamStarted(2))
      .when(transferByOperator)
      .leadsTo({ states: { transferring: 'redirecting' } });
  });

  it('is back with the agent also where the news comes before that of the old stream', () => {
    given(...quietCall(), transferByOperator, redirectFinished('redirected'), transferFinished('busy'))
      .leadsTo({ states: { carrier: 'awaitingStream' }, context: { stream: { id: null } } })
      .when(streamStopped(), streamClosed())
      .leadsTo({ states: { carrier: 'awaitingStream' }, commands: [] })
      .when(streamRequested(2), modelOpened(2), streamStarted(2))
      .leadsTo({ states: { carrier: 'streaming' } });
  });

  it('is owed what became of tools that ran meanwhile, in whichever process', () => {
    given(...asked, toolRequested('tool1'), toolReplyFinished(), transferByOperator)
      .when(claimedByAnother)
      .leadsTo({ states: { transferring: 'telling' }, commands: ['recoverTool tool1'] })
      .when(toolFinished('tool1'), transferFinished('failed'))
      .leadsTo({ states: { tools: 'idle' } });
    given(...silentRequest, transferByAgent)
      .when(claimedByAnother)
      .leadsTo({ commands: [] });
  });
});

describe('an agent that asks for a transfer where there is none to be had', () => {
  const second: Fact = { ...(transferByAgent as object), toolCallId: 'handOn2' } as Fact;

  it('is told so: nothing stays open', () => {
    given(...asked, replyVoiced(), hangUpToolRequested, transferTool)
      .when(transferByAgent)
      .leadsTo({ states: { farewell: 'announced' }, commands: ['answerTransfer handOn '] });
    given(...spokenRequest, transferByAgent)
      .when(second)
      .leadsTo({ states: { farewell: 'handingOver' }, commands: ['answerTransfer handOn2 '] });
    given(...dialing)
      .when(second)
      .leadsTo({ states: { transferring: 'dialing' }, commands: ['answerTransfer handOn2 '] });
  });

  it('is told nothing new of the request that is being carried out', () => {
    given(...dialing)
      .when(transferByAgent)
      .leadsTo({ states: { transferring: 'dialing' }, commands: [] });
  });
});

describe('a dialling whose outcome nobody was there to be told of', () => {
  it('gives the caller back to the agent, who does not know', () => {
    given(...dialing)
      .when(transferFinished('unknown'))
      .leadsTo({ states: { carrier: 'awaitingStream' }, context: { transfer: null } });
    given(...spokenRequest, transferByAgent, replyPlayed(), redirectFinished('redirected'))
      .when(transferFinished('unknown'))
      .leadsTo({ commands: ['answerTransfer handOn ', 'openModel 2'] });
  });
});

describe('the end of a caller who is being handed on', () => {
  it("is the operator's", () => {
    given(...dialing)
      .when(hangUpRequested)
      .leadsTo({ states: { ending: 'hangingUp' }, context: { endReason: 'operator.hungUp' } });
  });

  it('is no matter of the journal: the two talk on, and the call is let go', () => {
    given(...dialing)
      .when(journalLost)
      .leadsTo({ states: { ending: 'concluding' }, commands: ['closeModel 1', 'concludeCall journal.lost'] })
      .when(callEnded)
      .leadsTo({ states: 'ended' });
  });

  it('is no matter of a drain: there is nothing to move', () => {
    given(...dialing)
      .when(moveRequested())
      .leadsTo({ states: { transferring: 'dialing' }, commands: [] });
  });
});

describe('a caller whom the agent cannot serve', () => {
  const settings = { fallback: 'transfer', modelTries: 2 } as const;

  it('is handed on at once where the model refuses for good', () => {
    given(...quietCall(settings))
      .when(modelRefused())
      .leadsTo({ ...handedOn, context: { endReason: 'model.refused', transfer: { by: 'fallback' } } });
  });

  it('is handed on where the model does not come back', () => {
    const again = [...quietCall(settings), modelClosed(), elapsed('modelBackoff')];
    given(...again)
      .when(modelClosed(2))
      .leadsTo({ states: { transferring: 'redirecting' }, context: { endReason: 'model.unavailable' } });
    given(...again)
      .when(elapsed('modelConnect'))
      .leadsTo({ states: { transferring: 'redirecting' }, context: { endReason: 'model.unavailable' } });
  });

  it('hears an apology where nobody takes the call', () => {
    given(...quietCall(settings), modelRefused(), redirectFinished('redirected'))
      .when(transferFinished('no-answer'))
      .leadsTo({
        states: { ending: 'apologising' },
        commands: ['closeModel 1', 'redirectCall'],
        context: { endReason: 'model.refused', apology: true },
      });
  });

  it('was transferred where somebody took it', () => {
    given(...quietCall(settings), modelRefused(), redirectFinished('redirected'))
      .when(transferFinished('completed'))
      .leadsTo({ states: { ending: 'hangingUp' }, context: { endReason: 'call.transferred' } });
  });
});
