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
  transcribed,
} from './support/facts.ts';
import { type Fact, given, type Scenario } from './support/scenario.ts';

const due = [...quietCall(), elapsed('rollOver')];
const turnTaken = [...quietCall(), callerStarts, callerStops];
const answering = [...turnTaken, replyStarted(), replyVoiced()];
/** The same, with the next session open by the time. */
const withNext = (...facts: Fact[]): Scenario => {
  const at = facts.indexOf(callerStarts);
  return given(...facts.slice(0, at + 1), elapsed('rollOver'), modelOpened(2), ...facts.slice(at + 1));
};
const takenOver = { states: { model: 'ready.steady' }, commands: ['joinModel 2', 'closeModel 1'] };
const standsBy = { states: { model: 'ready.standingBy' }, commands: [] };

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
      .leadsTo({
        ...takenOver,
        context: { model: { generation: 2, newest: 2, sessionId: 'session2', next: null } },
      })
      .when(modelClosed(1))
      .leadsTo({ states: { model: 'ready.steady', turn: 'listening' }, commands: [] });
  });

  it('hands over again and again in a long call', () => {
    const second = given(...due).when(modelOpened(2, { expiresAt: 100_000_000 }));
    expect(second.remainingMs('rollOver')).toBe(100_000_000 - 120_000 - second.state.at);
    second
      .when(elapsed('rollOver'), modelOpened(3))
      .leadsTo({ states: { model: 'ready.steady' }, commands: ['joinModel 3', 'closeModel 2'] });
  });

  it('is not waited for where it never told when', () => {
    expect(given(...quietCall()).remainingMs('rollOver')).toBeGreaterThan(12 * 3_600_000);
  });

  it('is waited out within the turn: the next one is opened and stands by while anybody speaks or is waited for', () => {
    const busy: Fact[][] = [
      [...quietCall(), callerStarts],
      turnTaken,
      [...turnTaken, replyStarted()],
      answering,
      [...turnTaken, replyStarted(), toolRequested()],
      [...answering, toolRequested(), replyFinished()],
      [...answering, toolRequested(), replyFinished(), replyPlayed()],
      [...answering, toolRequested(), replyFinished(), toolFinished()],
      [...turnTaken, replyStarted(), hangUpToolRequested],
      [...answering, hangUpToolRequested, replyFinished()],
      [...answering, replyFinished('reply1', { status: 'failed' })],
      [...quietCall(), hangUpRequested],
    ];
    for (const facts of busy) {
      given(...facts)
        .when(elapsed('rollOver'))
        .leadsTo({ states: { model: 'ready.rollingOver' }, commands: ['openModel 2'] })
        .when(modelOpened(2))
        .leadsTo({ ...standsBy, context: { model: { generation: 1, sessionId: 'session1' } } });
    }
  });

  it('hands over when the turn is over, however short the pause', () => {
    withNext(...turnTaken, replyStarted(), toolRequested(), toolReplyFinished(), toolFinished())
      .and(replyStarted('reply2'), replyVoiced('reply2'))
      .leadsTo(standsBy)
      .when(replyFinished('reply2'))
      .leadsTo({ ...takenOver, states: { model: 'ready.steady', turn: 'agentSpeaking' } })
      .when(replyPlayed('reply2'))
      .leadsTo({ states: { turn: 'listening' }, context: { owed: null } });
  });

  it('does not hand over after a reply with a tool call that nobody runs: the session goes on by itself', () => {
    withNext(...answering)
      .when(replyFinished('reply1', { toolCalls: 1 }))
      .leadsTo(standsBy)
      .when(replyStarted('reply2'), replyVoiced('reply2'), replyFinished('reply2'))
      .leadsTo(takenOver);
  });

  it('has the answer to such a call asked for by the next one where it is lost before', () => {
    withNext(...answering)
      .when(replyFinished('reply1', { toolCalls: 1 }), modelClosed(1))
      .leadsTo({ states: { turn: 'agentSpeaking' }, commands: ['joinModel 2', 'createReply answer'] })
      .when(replyPlayed())
      .leadsTo({ states: { turn: 'thinking' } });
  });

  it('hands over while the line plays a reply of which all has come, and the caller may still interrupt it', () => {
    withNext(...answering)
      .leadsTo(standsBy)
      .when(replyFinished())
      .leadsTo(takenOver)
      .when(modelClosed(1))
      .leadsTo({ states: { turn: 'agentSpeaking' }, commands: [] })
      .when(callerStarts)
      .leadsTo({ states: { turn: 'callerSpeaking' }, commands: ['interruptReply'] });
  });
});

describe('an announced end that tells nothing, or little', () => {
  const openedAfterMs = 1_000;
  /** A call whose session tells, as it opens, that it ends so much later. */
  const ending = (inMs: number): Scenario => {
    const scenario = given(created(), claimed('one'), answered);
    return scenario.when(modelOpened(1, { expiresAt: scenario.state.at + openedAfterMs + inMs }));
  };

  it('is not waited for where it had passed, or all but, as the session opened: the clocks disagree', () => {
    for (const inMs of [9_999, 1, 0, -1, -3_600_000, -1e12]) {
      expect(ending(inMs).remainingMs('rollOver')).toBeGreaterThan(12 * 3_600_000);
    }
  });

  it('is prepared for at half of the life where that is short', () => {
    for (const [lifeMs, afterMs] of [
      [300_000, 180_000],
      [240_000, 120_000],
      [239_999, 119_999],
      [60_000, 30_000],
      [20_000, 10_000],
      [10_000, 5_000],
    ] as const) {
      expect([lifeMs, Math.ceil(ending(lifeMs).remainingMs('rollOver'))]).toEqual([lifeMs, afterMs]);
    }
  });

  it('leaves the next session time to wait for the end of a turn', () => {
    for (const rollOverMs of [7_000, 120_000]) {
      for (const lifeMs of [10_000, 12_000, 14_000, 20_000, 60_000, 600_000]) {
        const begun = given(created({ rollOverMs }), claimed('one'), answered);
        const expiresAt = begun.state.at + openedAfterMs + lifeMs;
        const call = begun.when(modelOpened(1, { expiresAt }), callerStarts, elapsed('rollOver'));
        const leftMs = call.when(modelOpened(2)).remainingMs('lastTakeOver') ?? 0;
        expect([lifeMs, leftMs >= 1_500]).toEqual([lifeMs, true]);
      }
    }
  });

  /** Generation after generation, each with this life: true where every session opens 5 s after the one before, or later. */
  function isPaced(lifeMs: number, callerSpeaks: boolean): boolean {
    const greeted = ending(lifeMs).when(streamStarted(1), replyStarted(), replyVoiced(), replyFinished());
    let call = greeted.when(callerSpeaks ? callerStarts : replyPlayed());
    let openedAt = greeted.state.at - 4_000;
    for (let generation = 2; generation < 6; generation++) {
      const expiresAt = call.when(elapsed('rollOver')).state.at + openedAfterMs + lifeMs;
      call = call.when(elapsed('rollOver'), modelOpened(generation, { expiresAt }));
      if (call.state.at - openedAt < 5_000) return false;
      openedAt = call.state.at;
      if (callerSpeaks) call = call.when(elapsed('lastTakeOver'), modelClosed(generation - 1), callerStarts);
      call.leadsTo({ states: { model: 'ready.steady' } });
    }
    return true;
  }

  it('has no session opened within 5 s of the one before, however often, in silence and while the caller speaks', () => {
    for (const lifeMs of [-1, 1, 9_999, 10_000, 15_000, 60_000]) {
      expect([lifeMs, isPaced(lifeMs, false), isPaced(lifeMs, true)]).toEqual([lifeMs, true, true]);
    }
  });

  it('counts from when the next session opened, not from when it took over', () => {
    const call = ending(60_000).when(callerStarts, elapsed('rollOver'));
    const opened = call.when(modelOpened(2, { expiresAt: call.state.at + openedAfterMs + 60_000 }));
    const busy = opened.leadsTo({ states: { model: 'ready.standingBy' } }).when(callerStops, replyStarted());
    const taken = busy.when(replyVoiced(), replyFinished()).leadsTo({ states: { model: 'ready.steady' } });
    expect(taken.remainingMs('rollOver')).toBe(opened.state.at + 30_000 - taken.state.at);
  });

  it('breaks off no turn where it has passed and the session still serves', () => {
    const waiting = Array.from({ length: 6 }, () => toolFinished('none'));
    const call = ending(10_000).when(callerStarts, elapsed('rollOver'), ...waiting);
    const standing = call.when(modelOpened(2)).leadsTo({ states: { model: 'ready.standingBy' } });
    expect(standing.remainingMs('lastTakeOver')).toBeGreaterThan(12 * 3_600_000);
  });
});

describe('a caller who speaks while the next session is opened', () => {
  it('is heard and answered by the old one, and the next one waits for the end of the turn', () => {
    given(...due)
      .when(callerStarts)
      .leadsTo({
        states: { model: 'ready.rollingOver', turn: 'callerSpeaking' },
        commands: ['interruptReply'],
      })
      .when(modelOpened(2))
      .leadsTo(standsBy)
      .when(callerStops, replyStarted(), replyVoiced())
      .leadsTo(standsBy)
      .when(replyFinished())
      .leadsTo(takenOver);
  });
});

describe('a goodbye that is asked for while the next session is opened', () => {
  it('is said by the old one', () => {
    given(...due, hangUpRequested)
      .leadsTo({ states: { farewell: 'owed', model: 'ready.rollingOver' } })
      .when(modelOpened(2))
      .leadsTo(standsBy);
  });
});

describe('a session that stands by', () => {
  const noPause = withNext(...answering);
  const last = (scenario: Scenario): Scenario => scenario.when(elapsed('lastTakeOver'));

  it('takes over 5 s before the end in any case, and the turn that was begun is heard and answered', () => {
    const serving = given(created(), claimed('one'), answered, modelOpened(1, { expiresAt: 3_600_000 }));
    const call = serving.when(elapsed('rollOver'), callerStarts, modelOpened(2));
    expect(call.remainingMs('lastTakeOver')).toBe(3_600_000 - 5_000 - call.state.at);
    for (const facts of [[], [callerStops], [callerStops, replyStarted()]]) {
      last(withNext(...quietCall(), callerStarts).when(...facts))
        .leadsTo({ states: { model: 'ready.parting' }, commands: ['closeModel 1'] })
        .when(modelClosed(1, { reaction: 'retry' }))
        .leadsTo({
          states: { model: 'ready.steady', turn: 'listening' },
          context: { owed: null, callerTurnOpen: false, model: { generation: 2, sessionId: 'session2' } },
        })
        .when(callerStarts)
        .leadsTo({ states: { turn: 'callerSpeaking' } });
    }
  });

  it('answers at once a turn of which it has the words', () => {
    last(withNext(...turnTaken, transcribed))
      .leadsTo({ commands: ['closeModel 1'] })
      .when(modelClosed(1))
      .leadsTo({ states: { turn: 'thinking' }, commands: ['joinModel 2', 'createReply answer'] });
  });

  it('has the result of a tool sent when it comes', () => {
    last(withNext(...turnTaken, replyStarted(), toolRequested(), toolReplyFinished()))
      .when(modelClosed(1))
      .leadsTo({
        states: { model: 'ready.steady', tools: 'running' },
        commands: ['joinModel 2', 'interruptReply'],
      })
      .when(toolFinished())
      .leadsTo({ commands: ['sendToolResult tool1', 'createReply answer'] });
  });

  it('does not break off a reply: it waits for its end, or for that of the session', () => {
    const waiting = last(noPause).leadsTo({ states: { model: 'ready.overdue' }, commands: [] });
    waiting.when(replyFinished()).leadsTo(takenOver);
    waiting.when(modelClosed(1)).leadsTo({
      states: { model: 'ready.steady', turn: 'thinking' },
      commands: ['joinModel 2', 'interruptReply', 'createReply continuation'],
    });
  });

  it('takes over at once where the other one is lost', () => {
    noPause.when(modelClosed(1)).leadsTo({
      states: { model: 'ready.steady', turn: 'thinking' },
      commands: ['joinModel 2', 'interruptReply', 'createReply continuation'],
      context: { model: { generation: 2, newest: 2, sessionId: 'session2', next: null, tries: 1 } },
    });
    withNext(...quietCall(), callerStarts)
      .when(modelClosed(1))
      .leadsTo({ states: { turn: 'listening' }, commands: ['joinModel 2'] });
  });

  it('gives the answer to a tool that the other one owed after a reply', () => {
    withNext(...answering, toolRequested(), replyFinished(), toolFinished())
      .leadsTo({ states: { turn: 'agentSpeaking' } })
      .when(modelClosed(1))
      .leadsTo({ states: { turn: 'agentSpeaking' }, commands: ['joinModel 2', 'createReply answer'] });
  });

  it('does not talk over the caller with it', () => {
    withNext(...turnTaken, replyStarted(), toolRequested(), toolReplyFinished())
      .and(callerStarts, toolFinished(), modelClosed(1))
      .leadsTo({ states: { turn: 'listening' }, commands: ['joinModel 2', 'interruptReply'] });
  });

  it('is of no help where the model refuses for good', () => {
    noPause.when(modelRefused(1)).leadsTo({ states: 'ending' });
  });

  it('is opened anew where it is lost', () => {
    for (const scenario of [noPause, last(noPause)]) {
      scenario
        .when(modelClosed(2))
        .leadsTo({ states: { model: 'ready.pausing' }, commands: [], context: { model: { next: null } } })
        .when(elapsed('rollOverPause'))
        .leadsTo({ states: { model: 'ready.rollingOver' }, commands: ['openModel 3'] });
    }
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
    withNext(...turnTaken, replyStarted(), toolRequested(), toolReplyFinished())
      .when(toolFinished())
      .leadsTo({
        states: { model: 'ready.standingBy' },
        commands: ['sendToolResult tool1', 'createReply answer'],
      });
  });

  it('does not take over for another stream: what is owed comes first', () => {
    withNext(...answering)
      .when(streamStarted(2))
      .leadsTo({ states: { model: 'ready.standingBy', turn: 'thinking' } });
  });
});
