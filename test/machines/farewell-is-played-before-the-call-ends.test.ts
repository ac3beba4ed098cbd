import { describe, expect, it } from 'vitest';
import {
  callerStarts,
  callerStops,
  claimedByAnother,
  elapsed,
  hangUpRequested,
  hangUpToolRequested,
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

const asked = [...quietCall(), callerStarts, callerStops, replyStarted('reply1')];
const goodbyeWithRequest = [...asked, replyVoiced('reply1'), hangUpToolRequested];
const requestWithoutGoodbye = [...asked, hangUpToolRequested, toolReplyFinished('reply1')];
const ended = (reason: string) => ({
  states: { ending: 'hangingUp' },
  commands: ['closeModel 1', 'hangUp'],
  context: { endReason: reason },
});

describe('an agent that hangs up', () => {
  it('ends the call once the goodbye in the same reply was played', () => {
    given(...goodbyeWithRequest)
      .leadsTo({ states: { farewell: 'announced', tools: 'idle' }, commands: [] })
      .when(replyFinished('reply1', { toolCalls: 1 }))
      .leadsTo({ states: { farewell: 'speaking' }, commands: [] })
      .when(replyPlayed('reply1'))
      .leadsTo(ended('agent.hungUp'));
  });

  it('ends the call also where the goodbye was played before its reply ended', () => {
    given(...goodbyeWithRequest)
      .when(replyPlayed('reply1'))
      .leadsTo(ended('agent.hungUp'));
  });

  it('is asked for a goodbye, and not for the answer to a tool that it used as well', () => {
    given(...asked, toolRequested('tool1'), toolFinished('tool1'), hangUpToolRequested)
      .when(toolReplyFinished('reply1', { toolCalls: 2 }))
      .leadsTo({ commands: ['answerHangUp bye true', 'createReply farewell'] });
    given(
      ...asked,
      toolRequested('tool1'),
      hangUpToolRequested,
      toolReplyFinished('reply1', { toolCalls: 2 }),
    )
      .when(toolFinished('tool1'))
      .leadsTo({ states: { farewell: 'requested' }, commands: ['sendToolResult tool1'] });
  });

  it('is asked for a goodbye where it said none', () => {
    given(...requestWithoutGoodbye)
      .leadsTo({
        states: { farewell: 'requested' },
        commands: ['answerHangUp bye true', 'createReply farewell'],
        context: { owed: 'farewell', hangUpCall: 'bye' },
      })
      .when(replyStarted('reply2'), replyVoiced('reply2'), replyFinished('reply2'))
      .leadsTo({ states: { farewell: 'speaking' }, commands: [] })
      .when(replyPlayed('reply2'))
      .leadsTo(ended('agent.hungUp'));
  });

  it('does not hang up because an earlier reply was played', () => {
    given(
      ...asked,
      replyVoiced('reply1'),
      replyFinished('reply1'),
      replyStarted('reply2'),
      hangUpToolRequested,
    )
      .and(toolReplyFinished('reply2'))
      .when(replyPlayed('reply1'))
      .leadsTo({ states: { farewell: 'requested' }, commands: [] });
  });

  it('goes on where the caller speaks again, and the model is told', () => {
    for (const goodbye of [
      goodbyeWithRequest,
      [...goodbyeWithRequest, replyFinished('reply1')],
      requestWithoutGoodbye,
    ]) {
      given(...goodbye)
        .when(callerStarts)
        .leadsTo({
          states: { farewell: 'none', turn: 'callerSpeaking' },
          commands: ['answerHangUp bye false', 'interruptReply'],
          context: { hangUpCall: null, owed: null },
        });
    }
  });

  it('goes on where the caller had spoken before the request came, and the model is told', () => {
    for (const interrupted of [[...asked, replyVoiced('reply1')], asked]) {
      given(...interrupted, callerStarts)
        .when(hangUpToolRequested)
        .leadsTo({
          states: { farewell: 'none', turn: 'callerSpeaking' },
          commands: ['answerHangUp bye false'],
          context: { hangUpCall: null, owed: null },
        })
        .when(toolReplyFinished('reply1'), callerStops, replyStarted('reply2'), replyVoiced('reply2'))
        .and(replyFinished('reply2'), replyPlayed('reply2'))
        .leadsTo({ states: { farewell: 'none', turn: 'listening' } });
    }
  });

  it('has as long for its last words as they take to be played', () => {
    for (const goodbye of [
      goodbyeWithRequest,
      [...goodbyeWithRequest, replyFinished('reply1')],
      [...requestWithoutGoodbye, replyStarted('reply2'), replyVoiced('reply2')],
    ]) {
      const played = given(...goodbye).when(...Array.from({ length: 20 }, () => replyProgressed()));
      expect(played.remainingMs('farewell')).toBe(15_000);
      played.when(elapsed('farewell')).leadsTo(ended('agent.hungUp'));
    }
  });

  it('has its whole time once its first sound is there, however late that comes', () => {
    const late = [...requestWithoutGoodbye, ...Array.from({ length: 12 }, () => toolFinished('none'))];
    const spoken = given(...late, replyStarted('reply2')).when(replyVoiced('reply2'));
    expect(spoken.remainingMs('farewell')).toBe(15_000);
    const announced = given(...asked, hangUpToolRequested, toolFinished('none')).when(replyVoiced('reply1'));
    expect(announced.remainingMs('farewell')).toBe(15_000);
  });

  it('may hang up later in the same call', () => {
    given(...goodbyeWithRequest, callerStarts, callerStops, replyStarted('reply2'), replyVoiced('reply2'))
      .and(toolRequested('bye2', 'hang_up'), replyFinished('reply2'))
      .when(replyPlayed('reply2'))
      .leadsTo(ended('agent.hungUp'));
  });

  it('hangs up within its limit where the goodbye never comes, or is never played', () => {
    for (const goodbye of [
      goodbyeWithRequest,
      [...goodbyeWithRequest, replyFinished('reply1')],
      requestWithoutGoodbye,
    ]) {
      const waiting = given(...goodbye);
      expect(waiting.remainingMs('farewell')).toBeLessThanOrEqual(15_000);
      waiting.when(elapsed('farewell')).leadsTo(ended('agent.hungUp'));
    }
  });

  it('says goodbye in a new session where the old one was lost', () => {
    given(...asked, hangUpToolRequested, modelClosed(), elapsed('modelBackoff'))
      .when(modelOpened(2))
      .leadsTo({ states: { farewell: 'announced' }, commands: ['joinModel 2', 'createReply farewell'] });
    given(...requestWithoutGoodbye, modelClosed(), elapsed('modelBackoff'))
      .when(modelOpened(2))
      .leadsTo({ states: { farewell: 'requested' }, commands: ['joinModel 2', 'createReply farewell'] });
  });

  it('needs no session for a goodbye that has come in full', () => {
    given(...goodbyeWithRequest, replyFinished('reply1', { toolCalls: 1 }), modelClosed())
      .leadsTo({ states: { farewell: 'speaking', turn: 'agentSpeaking' } })
      .when(replyPlayed('reply1'))
      .leadsTo({ states: { ending: 'hangingUp' }, context: { endReason: 'agent.hungUp' } });
  });

  it('says goodbye in another process where its own is gone', () => {
    for (const goodbye of [
      goodbyeWithRequest,
      [...goodbyeWithRequest, replyFinished('reply1')],
      requestWithoutGoodbye,
    ]) {
      given(...goodbye)
        .when(claimedByAnother)
        .leadsTo({ states: { farewell: 'requested', model: 'connecting' }, context: { owed: 'farewell' } })
        .when(modelOpened(2), streamStarted(2))
        .leadsTo({ commands: ['joinStream stream2', 'createReply farewell'] })
        .when(replyStarted('reply9'), replyVoiced('reply9'), replyFinished('reply9'), replyPlayed('reply9'))
        .leadsTo({ states: { ending: 'hangingUp' }, context: { endReason: 'agent.hungUp' } });
    }
  });
});

describe('an operator who ends a call', () => {
  it('interrupts whatever is said, and the caller hears a goodbye', () => {
    given(...asked, replyVoiced())
      .when(hangUpRequested)
      .leadsTo({
        states: { farewell: 'owed' },
        commands: ['interruptReply', 'createReply farewell'],
        context: { owed: 'farewell' },
      })
      .when(replyFinished('reply1', { status: 'cancelled' }), replyStarted('reply2'), replyVoiced('reply2'))
      .and(replyFinished('reply2'))
      .when(replyPlayed('reply2'))
      .leadsTo(ended('operator.hungUp'));
  });

  it('is not overruled by a caller who speaks', () => {
    given(...quietCall(), hangUpRequested)
      .when(callerStarts)
      .leadsTo({ states: { farewell: 'owed' }, commands: ['interruptReply'] })
      .when(elapsed('farewell'))
      .leadsTo(ended('operator.hungUp'));
  });

  it('is not forgotten where the agent was about to hang up by itself and the caller speaks again', () => {
    for (const goodbye of [
      goodbyeWithRequest,
      [...goodbyeWithRequest, replyFinished('reply1')],
      requestWithoutGoodbye,
    ]) {
      given(...goodbye, hangUpRequested)
        .leadsTo({ states: { farewell: 'owed' } })
        .when(callerStarts)
        .leadsTo({ states: { farewell: 'owed' } });
    }
  });

  it('has the goodbye said as soon as there is somebody to say it and to hear it', () => {
    given(...quietCall(), streamClosed(), hangUpRequested)
      .when(streamStarted(2))
      .leadsTo({ commands: ['joinStream stream2', 'createReply farewell'] });
    given(...quietCall(), claimedByAnother, hangUpRequested, streamStarted(2))
      .when(modelOpened(2))
      .leadsTo({ commands: ['joinModel 2', 'createReply farewell'] });
  });

  it('ends the call in another process as well', () => {
    given(...quietCall(), hangUpRequested, claimedByAnother)
      .leadsTo({ states: { farewell: 'owed' }, context: { owed: 'farewell' } })
      .when(elapsed('farewell'))
      .leadsTo({ states: { ending: 'hangingUp' }, context: { endReason: 'operator.hungUp' } });
  });
});

describe('the longest call', () => {
  it('ends with a goodbye', () => {
    const call = given(...quietCall({ longestCallMs: 60_000 }));
    expect(call.remainingMs('longestCall')).toBe(60_000 - (call.state.at - 1_000));
    call
      .when(elapsed('longestCall'))
      .leadsTo({ states: { farewell: 'overtime' }, commands: ['interruptReply', 'createReply farewell'] })
      .when(replyStarted(), replyVoiced(), replyPlayed())
      .leadsTo(ended('call.tooLong'));
  });

  it('ends without one where none comes', () => {
    given(...quietCall(), elapsed('longestCall'))
      .when(elapsed('farewell'))
      .leadsTo(ended('call.tooLong'));
  });

  it('counts from the first entry, whatever the farewell was busy with in between', () => {
    const call = given(...quietCall({ longestCallMs: 60_000 }));
    const later = call.when(
      callerStarts,
      callerStops,
      replyStarted(),
      replyVoiced(),
      hangUpToolRequested,
      callerStarts,
      callerStops,
    );
    expect(later.remainingMs('longestCall')).toBe(60_000 - (later.state.at - 1_000));
  });

  it('is over at once where the farewell was busy until after it', () => {
    const late = given(...quietCall({ longestCallMs: 15_000 }), replyStarted(), hangUpToolRequested)
      .and(claimedByAnother, claimedByAnother, claimedByAnother, claimedByAnother)
      .when(callerStarts);
    expect(late.remainingMs('longestCall')).toBe(0);
  });
});
