import { describe, expect, it } from 'vitest';
import {
  answered,
  callerStarts,
  callerStops,
  claimed,
  claimedByAnother,
  created,
  elapsed,
  hangUpRequested,
  hangUpToolRequested,
  modelClosed,
  modelOpened,
  modelRefused,
  quietCall,
  replyFinished,
  replyPlayed,
  replyStarted,
  replyVoiced,
  streamStarted,
  toolFinished,
  toolReplyFinished,
  toolRequested,
} from './support/facts.ts';
import { type Fact, given } from './support/scenario.ts';

const due = [...quietCall(), elapsed('rollOver')];
const turnTaken = [...quietCall(), callerStarts, callerStops];
const takenOver = { states: { model: 'ready.steady' }, commands: ['closeModel 1', 'joinModel 2'] };

describe('a session that will end', () => {
  it('has the next one opened before', () => {
    const call = given(created(), claimed('one'), answered).when(modelOpened(1, { expiresAt: 3_600_000 }));
    expect(call.remainingMs('rollOver')).toBe(3_600_000 - 120_000 - call.state.at);
    given(...due).leadsTo({
      states: { model: 'ready.rollingOver' },
      commands: ['openModel 2'],
      context: { model: { generation: 1, newest: 2, sessionId: 'session1' } },
    });
  });

  it('hands over where nobody speaks', () => {
    given(...due)
      .when(modelOpened(2))
      .leadsTo({ ...takenOver, context: { model: { generation: 2, newest: 2, sessionId: 'session2' } } })
      .when(modelClosed(1))
      .leadsTo({ states: { model: 'ready.steady', turn: 'listening' }, commands: [] });
  });

  it('hands over again and again in a long call', () => {
    const second = given(...due).when(modelOpened(2, { expiresAt: 100_000_000 }));
    expect(second.remainingMs('rollOver')).toBe(100_000_000 - 120_000 - second.state.at);
    second
      .when(elapsed('rollOver'), modelOpened(3))
      .leadsTo({ states: { model: 'ready.steady' }, commands: ['closeModel 2', 'joinModel 3'] });
  });

  it('is not waited for where it never told when', () => {
    expect(given(...quietCall()).remainingMs('rollOver')).toBeGreaterThan(12 * 3_600_000);
  });

  it('is waited out within the turn: nothing is opened while anybody speaks or is waited for', () => {
    const busy: Fact[][] = [
      [...quietCall(), callerStarts],
      turnTaken,
      [...turnTaken, replyStarted()],
      [...turnTaken, replyStarted(), replyVoiced()],
      [...turnTaken, replyStarted(), toolRequested()],
      [...turnTaken, replyStarted(), toolRequested(), replyVoiced(), replyFinished(), replyPlayed()],
      [...turnTaken, replyStarted(), hangUpToolRequested],
      [...quietCall(), hangUpRequested],
    ];
    for (const facts of busy) {
      given(...facts)
        .when(elapsed('rollOver'))
        .leadsTo({ states: { model: 'ready.rollOverDue' }, commands: [] });
    }
  });

  it('has the next one opened when the turn is over', () => {
    given(...turnTaken, replyStarted(), replyVoiced(), replyFinished(), elapsed('rollOver'))
      .when(replyPlayed())
      .leadsTo({ states: { model: 'ready.rollingOver', turn: 'listening' }, commands: ['openModel 2'] });
  });
});

describe('a caller who speaks while the next session is opened', () => {
  it('is heard by the old one, and the new one, which will not know of it, is not waited for', () => {
    given(...due)
      .when(callerStarts)
      .leadsTo({
        states: { model: 'ready.rollOverDue', turn: 'callerSpeaking' },
        commands: ['closeModel 2', 'interruptReply'],
      })
      .when(modelOpened(2))
      .leadsTo({ states: { model: 'ready.rollOverDue' }, commands: [] })
      .when(modelClosed(2))
      .leadsTo({ states: { model: 'ready.rollOverDue' }, commands: [] });
  });

  it('delays it to the end of the turn', () => {
    given(...due, callerStarts, modelOpened(2), callerStops, replyStarted(), replyVoiced(), replyFinished())
      .when(replyPlayed())
      .leadsTo({ states: { model: 'ready.rollingOver' }, commands: ['openModel 3'] })
      .when(modelOpened(3))
      .leadsTo({ states: { model: 'ready.steady' }, commands: ['closeModel 1', 'joinModel 3'] });
  });
});

describe('a goodbye that is asked for while the next session is opened', () => {
  it('is said by the old one', () => {
    given(...due, hangUpRequested)
      .leadsTo({ states: { farewell: 'owed', model: 'ready.rollingOver' } })
      .when(modelOpened(2))
      .leadsTo({ states: { model: 'ready.rollOverDue' }, commands: ['closeModel 2'] });
  });
});

describe('the next session', () => {
  it('is tried again after a pause where it is lost, refused, or never comes', () => {
    for (const [failure, commands] of [
      [modelClosed(2), []],
      [modelRefused(2), []],
      [elapsed('modelConnect'), ['closeModel 2']],
    ] as const) {
      const pausing = given(...due)
        .when(failure)
        .leadsTo({ states: { model: 'ready.pausing' }, commands: [...commands] });
      expect(pausing.remainingMs('rollOverPause')).toBe(5_000);
      pausing
        .when(elapsed('rollOverPause'))
        .leadsTo({ states: { model: 'ready.rollingOver' }, commands: ['openModel 3'] });
    }
  });

  it('is not taken late', () => {
    given(...due, elapsed('modelConnect'))
      .when(modelOpened(2))
      .leadsTo({ states: { model: 'ready.pausing' }, commands: [] });
  });

  it('is given up with the one that it was to replace, and no third is opened beside them', () => {
    given(...due)
      .when(modelClosed(1))
      .leadsTo({ states: { model: 'backingOff' }, commands: ['closeModel 2'] })
      .when(modelOpened(2))
      .leadsTo({ states: { model: 'backingOff' }, commands: [] })
      .when(elapsed('modelBackoff'))
      .leadsTo({ states: { model: 'connecting' }, commands: ['openModel 3'] })
      .when(modelOpened(3))
      .leadsTo({ states: { model: 'ready.steady' }, commands: ['joinModel 3'] });
  });

  it('is closed with the call', () => {
    given(...due, hangUpRequested)
      .when(elapsed('farewell'))
      .leadsTo({ states: { ending: 'hangingUp' }, commands: ['closeModel 1', 'closeModel 2', 'hangUp'] });
  });

  it("is the new owner's own where the call is claimed meanwhile", () => {
    for (const facts of [due, [...due, modelClosed(2)], [...due, callerStarts, modelOpened(2)]]) {
      const claimed = given(...facts).when(claimedByAnother);
      claimed.leadsTo({ states: { model: 'connecting' } });
      expect(claimed.commands.filter((command) => command.startsWith('openModel'))).toHaveLength(1);
      const { model } = claimed.state.snapshot.context;
      expect(model.generation).toBe(model.newest);
    }
  });

  it('leaves a tool result to the session that asked for it', () => {
    given(...turnTaken, replyStarted(), toolRequested(), toolReplyFinished(), elapsed('rollOver'))
      .when(toolFinished())
      .leadsTo({
        states: { model: 'ready.rollOverDue' },
        commands: ['sendToolResult tool1', 'createReply answer'],
      });
  });

  it('is not opened for another stream: what is owed comes first', () => {
    given(...turnTaken, replyStarted(), replyVoiced(), elapsed('rollOver'))
      .when(streamStarted(2))
      .leadsTo({ states: { model: 'ready.rollOverDue', turn: 'thinking' } });
  });
});
