import { describe, expect, it } from 'vitest';
import { instructionFor } from '../../src/machines/instruction.ts';
import {
  callerStarts,
  callerStops,
  carrierReported,
  claimed,
  claimedByAnother,
  elapsed,
  modelOpened,
  moveConfirmed,
  moveRequested,
  quietCall,
  redirectFinished,
  replyFinished,
  replyPlayed,
  replyStarted,
  replyVoiced,
  streamClosed,
  streamClosedInOrder,
  streamRequested,
  streamStarted,
  streamStopped,
  toolFinished,
  toolReplyFinished,
  toolRequested,
} from './support/facts.ts';
import { type Fact, given } from './support/scenario.ts';

const turnTaken = [...quietCall(), callerStarts, callerStops];
const speaking = [...turnTaken, replyStarted(), replyVoiced()];
const confirms = {
  states: { carrier: 'streaming.confirming' },
  commands: ['confirmMove stream1'],
};
const moves = {
  states: { carrier: 'moving' },
  commands: ['interruptReply', 'closeStream stream1'],
};
const confirming = [...quietCall(), moveRequested()];
const moving = [...confirming, moveConfirmed()];
const claimedFor2 = claimed('two', { why: 'stream', attempt: 2 });

describe('a call that is to move', () => {
  it('moves at once where nobody speaks: the carrier asks what to do next', () => {
    given(...quietCall())
      .when(moveRequested())
      .leadsTo(confirms)
      .when(moveConfirmed())
      .leadsTo(moves);
  });

  it('moves when the agent has been heard', () => {
    given(...speaking, moveRequested())
      .leadsTo({ states: { carrier: 'streaming.leaving' }, commands: [] })
      .when(replyFinished())
      .leadsTo({ states: { carrier: 'streaming.leaving' } })
      .when(replyPlayed())
      .leadsTo(confirms);
  });

  it('moves when the answer to a tool has been heard', () => {
    given(...turnTaken, replyStarted(), toolRequested(), toolReplyFinished(), moveRequested())
      .leadsTo({ states: { carrier: 'streaming.leaving' } })
      .when(toolFinished())
      .leadsTo({
        states: { carrier: 'streaming.leaving' },
        commands: ['sendToolResult tool1', 'createReply answer'],
      })
      .when(replyStarted('reply2'), replyVoiced('reply2'), replyFinished('reply2'), replyPlayed('reply2'))
      .leadsTo(confirms);
  });

  it('moves when the caller has been answered, and not in between', () => {
    for (const facts of [[...quietCall(), callerStarts], turnTaken, [...turnTaken, replyStarted()]]) {
      given(...facts, moveRequested()).leadsTo({ states: { carrier: 'streaming.leaving' } });
    }
  });

  it('moves at its deadline in any case', () => {
    const leaving = given(...speaking, moveRequested(30_000));
    expect(leaving.remainingMs('moveDeadline')).toBe(30_000);
    leaving.when(elapsed('moveDeadline')).leadsTo(confirms).when(moveConfirmed()).leadsTo(moves);
  });

  it('goes on here while the journal does not confirm that it may move', () => {
    const talking = given(...confirming).when(callerStarts, callerStops, replyStarted(), replyVoiced());
    talking.leadsTo({ states: { carrier: 'streaming.confirming', turn: 'agentSpeaking' } });
    talking
      .when(moveConfirmed())
      .leadsTo({ states: { carrier: 'streaming.leaving' }, commands: [] })
      .when(replyFinished(), replyPlayed())
      .leadsTo(confirms);
    talking.when(moveRequested(0), moveConfirmed()).leadsTo(moves);
  });

  it('is not let go on the word for an earlier stream', () => {
    given(...confirming, streamClosed(), streamStarted(2), moveRequested())
      .when(moveConfirmed(1))
      .leadsTo({ states: { carrier: 'streaming.confirming' }, commands: [] });
  });

  it('keeps the earlier of two deadlines', () => {
    const leaving = given(...speaking, moveRequested(30_000));
    expect(leaving.when(moveRequested(5_000)).remainingMs('moveDeadline')).toBe(5_000);
    expect(leaving.when(moveRequested(60_000)).remainingMs('moveDeadline')).toBe(29_000);
  });

  it('moves once, however often it is asked', () => {
    given(...moving)
      .when(moveRequested())
      .leadsTo({ states: { carrier: 'moving' }, commands: [] });
  });

  it('cannot move without a stream, and is asked again once it has one', () => {
    given(...quietCall(), streamClosed())
      .when(moveRequested())
      .leadsTo({ states: { carrier: 'lost' }, commands: [], context: { move: null } })
      .when(streamStarted(2), moveRequested(), moveConfirmed(2))
      .leadsTo({ states: { carrier: 'moving' } });
  });

  it('is rid of its deadline where the stream is lost first', () => {
    const lost = given(...speaking, moveRequested()).when(streamClosed());
    lost.leadsTo({ states: { carrier: 'lost' } });
    expect(lost.waits).not.toContain('moveDeadline');
  });
});

describe('a call that moves', () => {
  it('is claimed by the process where the new stream starts, and goes on there', () => {
    given(...moving, streamStopped(), streamClosed())
      .leadsTo({ states: { carrier: 'moving' }, commands: [], context: { stream: { id: null } } })
      .when(claimedFor2)
      .leadsTo({
        states: { carrier: 'lost', model: 'connecting' },
        commands: ['openModel 2'],
        context: { instance: 'two', move: null, stream: { attempt: 2 } },
      })
      .when(streamStarted(2), modelOpened(2))
      .leadsTo({
        states: { carrier: 'streaming', model: 'ready', turn: 'listening' },
        commands: ['joinModel 2'],
      });
  });

  it('is one that another process left behind, also where it comes back under its name', () => {
    given(...moving)
      .when(claimed('one', { why: 'restarted', attempt: 2 }))
      .leadsTo({
        states: { carrier: 'lost', model: 'connecting' },
        commands: ['openModel 2'],
        context: { stream: { attempt: 2 } },
      });
    given(...moving)
      .when(claimed('one', { why: 'restarted' }))
      .leadsTo({ states: { carrier: 'asking' } });
  });

  it('spends no try, however often it moves, and never waits: every process of a fleet may be replaced', () => {
    const facts: Fact[] = quietCall();
    for (const attempt of [2, 3, 4, 5]) {
      facts.push(moveRequested(), moveConfirmed(attempt - 1));
      expect(instructionFor(given(...facts).state.snapshot)).toEqual({ do: 'connect', attempt, pauseMs: 0 });
      facts.push(streamRequested(attempt), claimed(`process${attempt}`, { why: 'stream', attempt }));
      facts.push(streamStarted(attempt), modelOpened(attempt));
    }
    given(...facts).leadsTo({
      states: { carrier: 'streaming' },
      context: { stream: { attempt: 5, tries: 1 } },
    });
  });

  it('has no stream any more, also where it is not known to be closed yet', () => {
    given(...moving).leadsTo({ context: { stream: { id: null, cut: true } } });
    given(...moving)
      .when(claimedFor2, streamStarted(2))
      .leadsTo({ states: { carrier: 'streaming' }, context: { stream: { id: 'stream2' } } })
      .when(streamClosed(1))
      .leadsTo({ states: { carrier: 'streaming' }, commands: [] });
  });

  it('takes up again what was cut at its deadline', () => {
    given(
      ...speaking,
      moveRequested(),
      elapsed('moveDeadline'),
      moveConfirmed(),
      streamClosed(),
      claimedFor2,
      streamStarted(2),
    )
      .when(modelOpened(2))
      .leadsTo({ states: { turn: 'thinking' }, commands: ['joinModel 2', 'createReply continuation'] });
  });

  it('stays where its own process is asked for the next stream', () => {
    given(...moving, streamClosed(), claimed('one', { why: 'stream', attempt: 2 }))
      .when(streamStarted(2))
      .leadsTo({ states: { carrier: 'streaming.steady' }, context: { move: null } });
  });

  it('is asked for where nobody claims it, and rescued', () => {
    given(...moving, streamClosed())
      .when(elapsed('reattach'))
      .leadsTo({ states: { carrier: 'asking' }, commands: ['askCarrier'] })
      .when(carrierReported('in-progress'))
      .leadsTo({ states: { carrier: 'rescuing' }, commands: ['redirectCall'] });
  });

  it('is asked for at once by whoever adopts it', () => {
    given(...moving, streamClosed())
      .when(claimedByAnother)
      .leadsTo({ states: { carrier: 'asking' }, commands: ['askCarrier', 'openModel 2'] });
  });

  it('was lost, and not hung up, where the carrier ends it for the closed stream', () => {
    for (const facts of [moving, [...moving, streamStopped()], [...moving, streamClosedInOrder()]]) {
      given(...facts)
        .when(carrierReported('completed'))
        .leadsTo({ commands: ['closeModel 1', 'concludeCall stream.lost'] });
    }
  });

  it('is not confused by an answer to an earlier request', () => {
    given(...moving)
      .when(redirectFinished('redirected'))
      .leadsTo({ states: { carrier: 'moving' }, commands: [] });
  });
});
