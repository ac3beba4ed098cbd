import { describe, expect, it } from 'vitest';
import {
  callEnded,
  callerStarts,
  carrierReported,
  claimedByAnother,
  elapsed,
  hangUpFinished,
  hangUpRequested,
  modelClosed,
  modelOpened,
  modelRefused,
  quietCall,
  redirectFinished,
  streamClosed,
  streamStarted,
  toolFinished,
} from './support/facts.ts';
import { given } from './support/scenario.ts';

const hangingUp = [...quietCall(), hangUpRequested, elapsed('farewell')];
const apologising = [...quietCall(), modelRefused()];

describe('a decided end', () => {
  it('closes the model session at once, for every second costs', () => {
    given(...quietCall(), hangUpRequested)
      .when(elapsed('farewell'))
      .leadsTo({ states: { ending: 'hangingUp' }, commands: ['closeModel 1', 'hangUp'] });
  });

  it('is concluded when the carrier has hung up', () => {
    given(...hangingUp)
      .when(hangUpFinished('completed'))
      .leadsTo({ states: { ending: 'concluding' }, commands: ['concludeCall operator.hungUp'] })
      .when(callEnded)
      .leadsTo({ states: 'ended', commands: [] });
  });

  it('is concluded when the carrier refuses, for nothing more can be asked of it', () => {
    given(...hangingUp)
      .when(hangUpFinished('refused'))
      .leadsTo({ states: { ending: 'concluding' } });
  });

  it('is concluded when the carrier reports the end first, and keeps its own reason', () => {
    given(...hangingUp)
      .when(carrierReported('completed'))
      .leadsTo({ states: { ending: 'concluding' }, commands: ['concludeCall operator.hungUp'] });
  });

  it('closes the stream where the carrier cannot be reached, and is concluded in any case', () => {
    given(...hangingUp)
      .when(hangUpFinished('unreachable'))
      .leadsTo({ states: { ending: 'hangingUp' }, commands: ['closeStream stream1'] })
      .when(elapsed('ending'))
      .leadsTo({
        states: { ending: 'concluding' },
        commands: ['closeStream stream1', 'concludeCall operator.hungUp'],
      });
  });

  it('closes a stream that was still on its way', () => {
    given(...quietCall(), streamClosed(), hangUpRequested, elapsed('farewell'))
      .when(streamStarted(2))
      .leadsTo({ states: { ending: 'hangingUp' }, commands: ['closeStream stream2'] });
  });

  it('is moved by nothing else', () => {
    for (const fact of [callerStarts, modelOpened(), modelClosed(), toolFinished(), hangUpRequested]) {
      given(...hangingUp)
        .when(fact)
        .leadsTo({ states: { ending: 'hangingUp' }, commands: [] });
    }
  });
});

describe('an apology', () => {
  it('is said by the carrier, which is told so at once', () => {
    given(...apologising)
      .leadsTo({ states: { ending: 'apologising' }, commands: ['closeModel 1', 'redirectCall'] })
      .when(redirectFinished('redirected'))
      .leadsTo({ states: { ending: 'apologising' }, commands: [] })
      .when(streamClosed())
      .leadsTo({ states: { ending: 'apologising' }, commands: [] })
      .when(carrierReported('completed'))
      .leadsTo({ states: { ending: 'concluding' }, commands: ['concludeCall model.refused'] });
  });

  it('is asked for by the carrier once the stream is closed, where it cannot be told', () => {
    for (const outcome of ['refused', 'unreachable'] as const) {
      given(...apologising)
        .when(redirectFinished(outcome))
        .leadsTo({ states: { ending: 'apologising' }, commands: ['closeStream stream1'] });
    }
  });

  it('is not asked for because an earlier request came to nothing', () => {
    given(...apologising)
      .when(redirectFinished('unreachable', { told: 'connect' }))
      .leadsTo({ states: { ending: 'apologising' }, commands: [] });
  });

  it('is followed by a request to hang up where the carrier does not end the call', () => {
    given(...apologising)
      .when(elapsed('ending'))
      .leadsTo({ states: { ending: 'hangingUp' }, commands: ['hangUp'] });
  });
});

describe('a call that is over', () => {
  it('waits for nothing and asks for nothing, whatever comes', () => {
    const over = given(...hangingUp, hangUpFinished('completed'), callEnded);
    expect(over.waits).toEqual([]);
    for (const fact of [
      claimedByAnother,
      streamStarted(2),
      modelOpened(1),
      callerStarts,
      carrierReported('completed'),
    ]) {
      over.when(fact).leadsTo({ states: 'ended', commands: [] });
    }
  });
});
