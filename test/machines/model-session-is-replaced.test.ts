import { describe, expect, it } from 'vitest';
import {
  answered,
  callerStarts,
  callerStops,
  claimed,
  created,
  elapsed,
  emptyReplyFinished,
  greetedBy,
  modelClosed,
  modelOpened,
  modelRefused,
  quietCall,
  replyFinished,
  replyPlayed,
  replyStarted,
  replyVoiced,
  transcribed,
  transcriptMissing,
} from './support/facts.ts';
import { given, type Scenario } from './support/scenario.ts';

const turnTaken = [...quietCall(), callerStarts, callerStops];
const speaking = [...turnTaken, replyStarted(), replyVoiced()];

/** The next session comes after the loss. */
const replaced = (scenario: Scenario): Scenario =>
  scenario.when(modelClosed(), elapsed('modelBackoff'), modelOpened(2));

describe('a session that is lost', () => {
  it('is replaced after a pause', () => {
    given(...quietCall())
      .when(modelClosed())
      .leadsTo({ states: { model: 'backingOff', turn: 'listening' }, commands: [] })
      .when(elapsed('modelBackoff'))
      .leadsTo({ states: { model: 'connecting' }, commands: ['openModel 2'] })
      .when(modelOpened(2))
      .leadsTo({ states: { model: 'ready' }, commands: ['joinModel 2'] });
  });

  it('owes nothing while nobody was spoken to', () => {
    replaced(given(...quietCall())).leadsTo({ states: { turn: 'listening' }, commands: ['joinModel 2'] });
  });

  it('owes the greeting that nobody heard', () => {
    replaced(given(...greetedBy())).leadsTo({ commands: ['joinModel 2', 'createReply greeting'] });
  });

  it('owes the answer to a turn that has words', () => {
    replaced(given(...turnTaken, transcribed)).leadsTo({ commands: ['joinModel 2', 'createReply answer'] });
    replaced(given(...turnTaken, replyStarted(), transcribed)).leadsTo({
      commands: ['joinModel 2', 'createReply answer'],
    });
  });

  it('owes nothing to a turn without words, whose audio the new session hears again', () => {
    replaced(given(...turnTaken)).leadsTo({ states: { turn: 'listening' }, commands: ['joinModel 2'] });
    replaced(given(...turnTaken, transcriptMissing)).leadsTo({ commands: ['joinModel 2'] });
    replaced(given(...quietCall(), callerStarts)).leadsTo({ states: { turn: 'listening' } });
  });

  it('owes the rest of a reply that was cut, and what is on the line is not said twice', () => {
    given(...speaking)
      .when(modelClosed())
      .leadsTo({ states: { turn: 'listening' }, commands: ['interruptReply'] })
      .when(elapsed('modelBackoff'), modelOpened(2))
      .leadsTo({ states: { turn: 'thinking' }, commands: ['joinModel 2', 'createReply continuation'] });
  });

  it('owes the rest also where all that had come was played already', () => {
    replaced(given(...speaking, replyPlayed())).leadsTo({
      commands: ['joinModel 2', 'createReply continuation'],
    });
  });

  it('owes no rest to a caller who had interrupted', () => {
    replaced(given(...speaking, callerStarts)).leadsTo({
      commands: ['joinModel 2'],
      context: { owed: null },
    });
  });

  it('lets a reply that has come in full be played to its end, and nothing is said after it', () => {
    replaced(given(...speaking, replyFinished()))
      .leadsTo({ states: { turn: 'agentSpeaking', model: 'ready' }, commands: ['joinModel 2'] })
      .when(replyPlayed())
      .leadsTo({ states: { turn: 'listening' }, commands: [], context: { owed: null } });
  });

  it('changes nothing where it was not the current one', () => {
    replaced(given(...speaking))
      .when(replyStarted('reply2'), replyVoiced('reply2'), modelClosed(1))
      .leadsTo({ states: { model: 'ready', turn: 'agentSpeaking' }, commands: [] });
  });

  it('is replaced also where it never came', () => {
    given(created(), claimed('one'), answered)
      .when(elapsed('modelConnect'))
      .leadsTo({ states: { model: 'backingOff' }, commands: ['closeModel 1'] })
      .when(modelClosed(1))
      .leadsTo({ states: { model: 'backingOff' }, commands: [] })
      .when(elapsed('modelBackoff'))
      .leadsTo({ commands: ['openModel 2'] })
      .when(modelOpened(1))
      .leadsTo({ states: { model: 'connecting' }, commands: [] });
  });
});

describe('the pause before a new session', () => {
  const pauseMs = (rest: Parameters<typeof modelClosed>[1], losses = 1): number => {
    let scenario = given(...quietCall());
    for (let generation = 1; generation < losses; generation++)
      scenario = scenario.when(modelClosed(generation), elapsed('modelBackoff'));
    return scenario.when(modelClosed(losses, rest)).remainingMs('modelBackoff');
  };

  it('doubles with each loss up to its limit', () => {
    expect([1, 2, 3, 4, 5].map((losses) => pauseMs({ jitter: 1 }, losses))).toEqual([
      250, 500, 1_000, 2_000, 4_000,
    ]);
    const many = greetedBy({ modelTries: 10, modelBackoffLongestMs: 600 });
    const third = given(
      ...many,
      modelClosed(1),
      elapsed('modelBackoff'),
      modelClosed(2),
      elapsed('modelBackoff'),
    );
    expect(third.when(modelClosed(3, { jitter: 1 })).remainingMs('modelBackoff')).toBe(600);
  });

  it('is between half and the whole step', () => {
    expect(pauseMs({ jitter: 0 })).toBe(125);
    expect(pauseMs({ jitter: 1 })).toBe(250);
  });

  it('is never shorter than what the far side asked for', () => {
    expect(pauseMs({ retryAfterMs: 7_000 })).toBe(7_000);
  });

  it('is not waited for where it would take longer than all tries', () => {
    given(...quietCall())
      .when(modelClosed(1, { code: 429, retryAfterMs: 30_001 }))
      .leadsTo({ states: { ending: 'apologising' }, context: { endReason: 'model.unavailable' } });
    expect(pauseMs({ retryAfterMs: 30_000 })).toBe(30_000);
  });

  it('starts small again once a session has spoken, and not because one opened', () => {
    const opened = given(...quietCall(), modelClosed(), elapsed('modelBackoff'), modelOpened(2));
    opened.leadsTo({ context: { model: { generation: 2, sessionId: 'session2', tries: 1, backoffMs: 0 } } });
    opened
      .when(replyStarted(), replyVoiced())
      .leadsTo({ context: { model: { generation: 2, sessionId: 'session2', tries: 0, backoffMs: 0 } } });
  });
});

describe('a session that heard the caller begin and tells nothing more', () => {
  it('is replaced in the end: the next one hears the last words from the ring', () => {
    given(...quietCall(), callerStarts)
      .when(elapsed('longestTurn'))
      .leadsTo({ states: { turn: 'listening' }, commands: ['closeModel 1'] });
  });

  it('is not, where there is none', () => {
    given(...quietCall(), callerStarts, modelClosed(), callerStarts)
      .when(elapsed('longestTurn'))
      .leadsTo({ states: { turn: 'callerSpeaking' }, commands: [] });
  });
});

describe('a model that does not come back', () => {
  it('is given up after its tries, with an apology', () => {
    let scenario = given(...quietCall());
    for (let generation = 1; generation < 6; generation++)
      scenario = scenario.when(modelClosed(generation), elapsed('modelBackoff'));
    scenario.when(modelClosed(6)).leadsTo({
      states: { ending: 'apologising' },
      commands: ['closeModel 6', 'redirectCall'],
      context: { endReason: 'model.unavailable', apology: true },
    });
  });

  it('is given up after its tries also where nothing answers', () => {
    let scenario = given(created({ modelTries: 2, streamStartMs: 60_000 }), claimed('one'), answered);
    scenario = scenario.when(elapsed('modelConnect'), elapsed('modelBackoff'));
    scenario.when(elapsed('modelConnect')).leadsTo({
      states: { ending: 'apologising' },
      context: { endReason: 'model.unavailable' },
    });
  });

  it('is given up after its tries also where it opens each time and is lost at once', () => {
    let scenario = given(...quietCall({ modelTries: 3 }));
    for (const generation of [1, 2])
      scenario = scenario.when(modelClosed(generation), elapsed('modelBackoff'), modelOpened(generation + 1));
    scenario.when(modelClosed(3)).leadsTo({ states: { ending: 'apologising' } });
  });

  it('is given up at once where it refuses for good, with an apology and not one more try', () => {
    for (const facts of [quietCall(), [created(), claimed('one'), answered], speaking]) {
      given(...facts)
        .when(modelRefused())
        .leadsTo({
          states: { ending: 'apologising' },
          context: { endReason: 'model.refused', apology: true },
        });
    }
  });

  it('is not given up because an earlier session was refused', () => {
    given(...quietCall(), modelClosed(), elapsed('modelBackoff'))
      .when(modelRefused(1))
      .leadsTo({ states: { model: 'connecting' }, commands: [] });
  });

  it('is no reason to keep asking an unwilling session for a reply', () => {
    given(...turnTaken, replyStarted('reply1'), emptyReplyFinished('reply1'), modelClosed())
      .when(emptyReplyFinished('reply1'))
      .leadsTo({ states: { turn: 'listening' }, commands: [] });
  });
});
