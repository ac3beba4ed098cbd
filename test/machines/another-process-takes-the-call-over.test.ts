import { describe, expect, it } from 'vitest';
import {
  answered,
  callerStarts,
  callerStops,
  claimed,
  claimedByAnother,
  created,
  elapsed,
  greetedBy,
  hangUpRequested,
  mediaStarved,
  modelClosed,
  modelOpened,
  modelRefused,
  quietCall,
  replyFinished,
  replyPlayed,
  replyStarted,
  replyVoiced,
  streamClosed,
  streamStarted,
  toolFinished,
  toolReplyFinished,
  toolRequested,
  transcribed,
} from './support/facts.ts';
import { type Fact, given, type Scenario } from './support/scenario.ts';

const turnTaken = [...quietCall(), callerStarts, callerStops];
const takenOver = (...facts: Fact[]): Scenario => given(...facts).when(claimedByAnother);
const recovered = (...facts: Fact[]): Scenario => takenOver(...facts).when(streamStarted(2), modelOpened(2));

describe('another process that claims a live call', () => {
  it('waits for a stream, opens its own session, and asks for nothing old', () => {
    for (const facts of [quietCall(), turnTaken, [...turnTaken, replyStarted(), replyVoiced()]]) {
      takenOver(...facts).leadsTo({
        states: { carrier: 'lost', model: 'connecting', media: 'flowing', turn: 'listening', tools: 'idle' },
        commands: ['openModel 2'],
        context: { instance: 'two', stream: { id: null, attempt: 1 } },
      });
    }
  });

  it('opens a session whatever the old one was doing', () => {
    const connecting = [created(), claimed('one'), answered];
    for (const facts of [connecting, [...connecting, modelClosed()], [...quietCall(), modelClosed()]]) {
      const scenario = takenOver(...facts);
      scenario.leadsTo({ states: { model: 'connecting' }, commands: ['openModel 2'] });
      expect(scenario.waits).not.toContain('modelBackoff');
    }
  });

  it('forgets that the old stream was starved', () => {
    const scenario = takenOver(...quietCall(), mediaStarved);
    expect(scenario.waits).not.toContain('starved');
  });

  it('gives the model all its tries again', () => {
    takenOver(...quietCall(), modelClosed(), elapsed('modelBackoff')).leadsTo({
      context: { model: { generation: 3, sessionId: null, tries: 0, backoffMs: 0 } },
    });
  });

  it('asks the carrier as often as the first one did', () => {
    takenOver(...quietCall(), streamClosed(), elapsed('reattach'), elapsed('askCarrier')).leadsTo({
      states: { carrier: 'lost' },
      context: { asks: 0 },
    });
  });

  it('greets where nobody has heard a greeting', () => {
    recovered(...greetedBy()).leadsTo({ commands: ['joinModel 2', 'createReply greeting'] });
  });

  it('goes on with what was not heard', () => {
    const speaking = [...turnTaken, replyStarted(), replyVoiced()];
    recovered(...speaking).leadsTo({ commands: ['joinModel 2', 'createReply continuation'] });
    recovered(...speaking, replyFinished()).leadsTo({
      commands: ['joinModel 2', 'createReply continuation'],
    });
  });

  it('says nothing where everything was heard', () => {
    recovered(...turnTaken, replyStarted(), replyVoiced(), replyFinished(), replyPlayed()).leadsTo({
      commands: ['joinModel 2'],
    });
  });

  it('answers a turn whose words are known', () => {
    recovered(...turnTaken, transcribed).leadsTo({ commands: ['joinModel 2', 'createReply answer'] });
    recovered(...turnTaken, replyStarted(), transcribed).leadsTo({
      commands: ['joinModel 2', 'createReply answer'],
    });
  });

  it('asks the caller to say it again where the words were in the memory of the dead process', () => {
    recovered(...quietCall(), callerStarts).leadsTo({ commands: ['joinModel 2', 'createReply repeat'] });
    recovered(...turnTaken).leadsTo({ commands: ['joinModel 2', 'createReply repeat'] });
    recovered(...turnTaken, replyStarted()).leadsTo({ commands: ['joinModel 2', 'createReply repeat'] });
  });

  it('asks only once', () => {
    recovered(...turnTaken)
      .when(replyStarted('reply2'), replyVoiced('reply2'), replyFinished('reply2'), replyPlayed('reply2'))
      .and(claimed('three', { why: 'orphan' }), streamStarted(3))
      .when(modelOpened(3))
      .leadsTo({ commands: ['joinModel 3'] });
  });

  it('finds out what became of each tool call, and answers once all are in', () => {
    takenOver(
      ...turnTaken,
      replyStarted(),
      toolRequested('tool1'),
      toolRequested('tool2'),
      toolReplyFinished(),
    )
      .leadsTo({
        states: { tools: 'running' },
        commands: ['recoverTool tool1', 'recoverTool tool2', 'openModel 2'],
      })
      .when(toolFinished('tool1', { outcome: 'unknown' }), streamStarted(2), modelOpened(2))
      .leadsTo({ commands: ['joinModel 2'] })
      .when(toolFinished('tool2'))
      .leadsTo({ states: { turn: 'thinking' }, commands: ['sendToolResult tool2', 'createReply answer'] });
  });

  it('answers a tool result whose answer died with the process', () => {
    recovered(...turnTaken, replyStarted(), toolRequested(), toolReplyFinished(), toolFinished()).leadsTo({
      commands: ['joinModel 2', 'createReply answer'],
    });
  });

  it('knows of a later owner by its name, and of itself by why it claims', () => {
    takenOver(...quietCall())
      .when(claimed('two', { why: 'stream', attempt: 2 }))
      .leadsTo({ states: { carrier: 'lost', model: 'connecting' }, commands: [] });
    given(...quietCall())
      .when(claimed('one', { why: 'restarted' }))
      .leadsTo({ states: { carrier: 'lost', model: 'connecting' }, commands: ['openModel 2'] });
  });

  it('is bound by the longest call that the first entry set', () => {
    const scenario = takenOver(...quietCall({ longestCallMs: 60_000 }));
    expect(scenario.remainingMs('longestCall')).toBe(60_000 - (scenario.state.at - 1_000));
  });
});

describe('another process that claims a call with its first stream there', () => {
  it('has the stream by the same commit', () => {
    given(...quietCall(), claimed('two', { why: 'stream', attempt: 2 }))
      .leadsTo({ states: { carrier: 'lost' }, context: { stream: { id: null, attempt: 2 } } })
      .when(streamStarted(2))
      .leadsTo({ states: { carrier: 'streaming' }, commands: ['joinStream stream2'] });
  });
});

describe('another process that claims a call that is ringing', () => {
  it('only notes that it owns it', () => {
    takenOver(created(), claimed('one')).leadsTo({
      states: 'ringing',
      commands: [],
      context: { instance: 'two' },
    });
  });
});

describe('another process that claims a call that is ending', () => {
  it('hangs up, as the apology is lost or was heard', () => {
    takenOver(...quietCall(), modelRefused()).leadsTo({
      states: { ending: 'hangingUp' },
      commands: ['hangUp'],
    });
  });

  it('hangs up again, for nobody knows whether the first request arrived', () => {
    takenOver(...quietCall(), hangUpRequested, elapsed('farewell')).leadsTo({
      states: { ending: 'hangingUp' },
      commands: ['hangUp'],
    });
  });

  it('concludes it', () => {
    const scenario = given(...quietCall(), hangUpRequested, elapsed('farewell'), elapsed('ending'));
    scenario.when(claimedByAnother).leadsTo({
      states: { ending: 'concluding' },
      commands: ['concludeCall operator.hungUp'],
    });
  });
});
