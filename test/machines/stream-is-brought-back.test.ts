import { describe, expect, it } from 'vitest';
import {
  answered,
  callerStarts,
  callerStops,
  carrierReported,
  carrierUnreachable,
  claimed,
  claimedByAnother,
  created,
  elapsed,
  mediaResumed,
  mediaStarved,
  quietCall,
  redirectFinished,
  replyFinished,
  replyPlayed,
  replyStarted,
  replyVoiced,
  streamClosed,
  streamClosedInOrder,
  streamFailed,
  streamRequested,
  streamStarted,
  streamStopped,
  toolRequested,
} from './support/facts.ts';
import { type Fact, given } from './support/scenario.ts';

const speaking = [...quietCall(), callerStarts, callerStops, replyStarted(), replyVoiced()];
const secondStream = claimed('one', { why: 'stream', attempt: 2 });

/** The carrier says why before the line closes; it may have begun to already. */
const saidSorry = {
  states: { ending: 'apologising' },
  commands: ['closeModel 1', 'redirectCall'],
  context: { endReason: 'stream.lost', apology: true },
};

describe('a stream that is lost', () => {
  it('is waited for, then asked for, then given up where nobody answers', () => {
    given(...quietCall({ askCarrierTries: 2 }))
      .when(streamClosed())
      .leadsTo({ states: { carrier: 'lost' }, commands: [], context: { stream: { id: null, attempt: 1 } } })
      .when(elapsed('reattach'))
      .leadsTo({ states: { carrier: 'asking' }, commands: ['askCarrier'] })
      .when(carrierUnreachable, elapsed('askCarrier'))
      .leadsTo({ states: { carrier: 'asking' }, commands: ['askCarrier'] })
      .when(elapsed('askCarrier'))
      .leadsTo({
        states: { ending: 'hangingUp' },
        commands: ['closeModel 1', 'hangUp'],
        context: { endReason: 'stream.lost', apology: false },
      });
  });

  it('is waited for anew each time that the carrier asks what to do next', () => {
    const lost = given(...quietCall(), streamClosed());
    const asked = lost.when(streamRequested());
    asked.leadsTo({ states: { carrier: 'lost' }, commands: [], context: { stream: { tries: 1 } } });
    expect([lost, asked].map((call) => call.remainingMs('reattach'))).toEqual([2_000, 4_000]);
    lost.when(elapsed('reattach'), streamRequested()).leadsTo({ states: { carrier: 'lost' }, commands: [] });
  });

  it('is closed from here where the carrier only says that it stopped or failed', () => {
    for (const lost of [streamStopped(), streamFailed()]) {
      given(...quietCall())
        .when(lost)
        .leadsTo({ states: { carrier: 'lost' }, commands: ['closeStream stream1'] })
        .when(streamClosed())
        .leadsTo({ states: { carrier: 'lost' }, commands: [] });
    }
  });

  it('means the end where the carrier says so', () => {
    given(...quietCall(), streamStopped())
      .when(carrierReported('completed'))
      .leadsTo({
        states: { ending: 'concluding' },
        commands: ['closeModel 1', 'concludeCall caller.hungUp'],
        context: { endReason: 'caller.hungUp' },
      });
    given(...quietCall(), streamClosed(), elapsed('reattach'))
      .when(carrierReported('failed'))
      .leadsTo({ context: { endReason: 'carrier.failed' } });
  });

  it('is replaced by the next one, and the agent goes on where the caller stopped hearing', () => {
    given(...speaking)
      .when(streamClosed())
      .leadsTo({ states: { turn: 'listening' }, commands: ['interruptReply'] })
      .when(secondStream, streamStarted(2))
      .leadsTo({
        states: { carrier: 'streaming', turn: 'thinking' },
        commands: ['joinStream stream2', 'createReply continuation'],
        context: { stream: { id: 'stream2', attempt: 2 }, asks: 0 },
      });
  });

  it('takes with it also what had come in full', () => {
    given(...speaking, replyFinished())
      .when(streamStopped())
      .leadsTo({ states: { turn: 'listening' }, commands: ['closeStream stream1', 'interruptReply'] })
      .when(streamStarted(2))
      .leadsTo({ commands: ['joinStream stream2', 'createReply continuation'] });
  });

  it('owes nothing where everything had been heard', () => {
    given(...speaking, replyFinished(), replyPlayed(), streamClosed())
      .when(streamStarted(2))
      .leadsTo({ states: { turn: 'listening' }, commands: ['joinStream stream2'] });
  });

  it('changes nothing where it is not the current one', () => {
    given(...quietCall(), secondStream, streamStarted(2))
      .when(streamClosed(1))
      .leadsTo({ states: { carrier: 'streaming' }, commands: [] });
  });
});

describe('a stream that replaces a living one', () => {
  it('wins, and what the old one had not played is said again', () => {
    given(...speaking, secondStream)
      .when(streamStarted(2))
      .leadsTo({
        states: { carrier: 'streaming', turn: 'thinking' },
        commands: ['joinStream stream2', 'interruptReply', 'createReply continuation'],
      });
  });

  it('leaves the reply to the tool that still runs', () => {
    given(...speaking, toolRequested(), secondStream)
      .when(streamStarted(2))
      .leadsTo({ states: { turn: 'listening' }, commands: ['joinStream stream2', 'interruptReply'] });
  });

  it('loses where it is older', () => {
    given(...quietCall(), secondStream, streamStarted(2))
      .when(streamStarted(1))
      .leadsTo({
        states: { carrier: 'streaming' },
        commands: [],
        context: { stream: { id: 'stream2', attempt: 2 } },
      });
  });
});

describe('a stream that never comes', () => {
  it('is asked for', () => {
    given(created(), claimed('one'), answered)
      .when(elapsed('streamStart'))
      .leadsTo({ states: { carrier: 'asking' }, commands: ['askCarrier'] });
  });
});

describe('a stream that brings no audio', () => {
  it('is trusted again when audio comes', () => {
    given(...quietCall())
      .when(mediaStarved)
      .leadsTo({ states: { media: 'starved' }, commands: [] })
      .when(mediaResumed)
      .leadsTo({ states: { media: 'flowing' }, commands: [] });
  });

  it('is closed after a while, so that the carrier brings a new one', () => {
    given(...quietCall(), mediaStarved)
      .when(elapsed('starved'))
      .leadsTo({ states: { media: 'restarting' }, commands: ['closeStream stream1'] })
      .when(streamClosed())
      .leadsTo({ states: { carrier: 'lost' } })
      .when(streamStarted(2))
      .leadsTo({ states: { carrier: 'streaming', media: 'flowing' } });
  });

  it('is not starved by news of another stream', () => {
    given(...quietCall(), secondStream, streamStarted(2))
      .when(mediaStarved)
      .leadsTo({ states: { media: 'flowing' } });
  });
});

describe('a caller on a line that leads nowhere', () => {
  const lost = [...quietCall(), streamClosed()];
  const rescuing = [...lost, elapsed('reattach'), carrierReported('in-progress')];
  const oneRescue = [redirectFinished('redirected'), streamRequested(2)];

  it('is brought back by a redirect', () => {
    given(...lost, elapsed('reattach'))
      .when(carrierReported('in-progress'))
      .leadsTo({ states: { carrier: 'rescuing' }, commands: ['redirectCall'], context: { asks: 0 } })
      .when(redirectFinished('redirected'))
      .leadsTo({ states: { carrier: 'rescued' }, commands: [] })
      .when(streamRequested(2))
      .leadsTo({ states: { carrier: 'lost' } })
      .when(secondStream, streamStarted(2))
      .leadsTo({ states: { carrier: 'streaming' }, commands: ['joinStream stream2', 'createReply repeat'] });
  });

  it('costs one try, whichever news of it comes first, and also where none comes', () => {
    const tries = (...facts: Parameters<typeof given>): number =>
      given(...rescuing, ...facts).state.snapshot.context.stream.tries;
    expect(tries()).toBe(0);
    expect(tries(...oneRescue)).toBe(1);
    expect(tries(streamRequested(2), redirectFinished('redirected'))).toBe(1);
    expect(tries(redirectFinished('redirected'), elapsed('reattach'))).toBe(1);
    expect(tries(redirectFinished('refused'), elapsed('redirect'))).toBe(1);
    expect(tries(elapsed('redirect'))).toBe(1);
  });

  it('is asked for again where the redirect is refused or not confirmed', () => {
    for (const outcome of ['refused', 'unreachable'] as const) {
      given(...rescuing)
        .when(redirectFinished(outcome))
        .leadsTo({ states: { carrier: 'rescuing' }, commands: [] })
        .when(elapsed('redirect'))
        .leadsTo({ states: { carrier: 'asking' }, commands: ['askCarrier'] });
    }
  });

  it('is given up after as many tries as there are', () => {
    let scenario = given(...quietCall({ streamTries: 3 }), streamClosed());
    for (let tries = 0; tries < 3; tries++) {
      scenario = scenario
        .when(elapsed('reattach'), carrierReported('in-progress'))
        .leadsTo({ states: { carrier: 'rescuing' }, commands: ['redirectCall'] })
        .when(...oneRescue);
    }
    scenario.when(elapsed('reattach'), carrierReported('in-progress')).leadsTo(saidSorry);
  });

  it('is given up where the carrier has asked as often and never brought one', () => {
    given(...lost, streamRequested(2), streamRequested(2), streamRequested(2), elapsed('reattach'))
      .when(carrierReported('in-progress'))
      .leadsTo(saidSorry)
      .when(elapsed('ending'))
      .leadsTo({ states: { ending: 'hangingUp' }, commands: ['hangUp'] });
  });

  it('is left alone by a late confirmation', () => {
    for (const outcome of ['redirected', 'refused', 'unreachable'] as const) {
      given(...rescuing, secondStream, streamStarted(2))
        .when(redirectFinished(outcome))
        .leadsTo({ states: { carrier: 'streaming' }, commands: [] });
    }
  });

  it('has hung up where the carrier says so, whatever was tried', () => {
    for (const facts of [rescuing, [...rescuing, ...oneRescue]]) {
      given(...facts)
        .when(carrierReported('completed'))
        .leadsTo({ states: { ending: 'concluding' } });
    }
  });

  it('belongs to the process that adopts it', () => {
    for (const facts of [lost, rescuing, [...rescuing, redirectFinished('redirected')]]) {
      given(...facts)
        .when(claimedByAnother)
        .leadsTo({ states: { carrier: 'lost', model: 'connecting' }, context: { asks: 0, instance: 'two' } });
    }
  });
});

describe('the tries of a stream', () => {
  const back = [...quietCall(), streamClosed(), streamRequested(2), streamStarted(2)];

  it('are counted up to their limit: one that is forgiven is one to try', () => {
    const spent = [...quietCall({ streamTries: 1 }), streamClosed(), streamRequested(2), streamRequested(2)];
    given(...spent)
      .leadsTo({ context: { stream: { tries: 1 } } })
      .when({ type: 'stream.misdirected', attempt: 2 })
      .leadsTo({ context: { stream: { tries: 0 } } });
  });

  it('are counted anew only once one has been good for a while', () => {
    given(...back)
      .leadsTo({ context: { stream: { tries: 1 } } })
      .when(elapsed('streamSettled'))
      .leadsTo({ states: { carrier: 'streaming' }, commands: [], context: { stream: { tries: 0 } } });
    expect(given(...back).remainingMs('streamSettled')).toBe(10_000);
    given(...back, streamClosed(2)).leadsTo({ context: { stream: { tries: 1 } } });
  });
});

describe('a stream that an instance sent away, which is too old for the call', () => {
  const misdirected: Fact = { type: 'stream.misdirected', attempt: 2 };

  it('costs no try: the next one may come to another instance', () => {
    given(...quietCall(), streamClosed(), streamRequested(2))
      .when(misdirected)
      .leadsTo({ states: { carrier: 'lost' }, context: { stream: { tries: 0 } } })
      .when(misdirected)
      .leadsTo({ context: { stream: { tries: 0 } } });
  });

  it('is waited for anew where it was the first', () => {
    given(created(), claimed('one'), answered, streamRequested(1))
      .when(misdirected)
      .leadsTo({ states: { carrier: 'lost' }, context: { stream: { tries: 0, cut: true } } });
  });

  it('changes nothing about the one that is there', () => {
    given(...quietCall())
      .when(misdirected)
      .leadsTo({ states: { carrier: 'streaming' }, commands: [] });
  });
});

describe('why a call without a stream ended', () => {
  const reasonAfter = (...facts: Parameters<typeof given>): string | null =>
    given(...quietCall(), ...facts, carrierReported('completed')).state.snapshot.context.endReason;

  it("is the caller's will where the carrier stopped the stream, or closed it in order", () => {
    expect(reasonAfter(streamStopped())).toBe('caller.hungUp');
    expect(reasonAfter(streamStopped(), streamClosed())).toBe('caller.hungUp');
    expect(reasonAfter(streamClosedInOrder())).toBe('caller.hungUp');
    expect(reasonAfter()).toBe('caller.hungUp');
  });

  it('is the lost stream where that was cut', () => {
    expect(reasonAfter(streamClosed())).toBe('stream.lost');
    expect(reasonAfter(streamFailed())).toBe('stream.lost');
    expect(reasonAfter(mediaStarved, elapsed('starved'))).toBe('stream.lost');
    expect(reasonAfter(claimedByAnother)).toBe('stream.lost');
  });

  it('is the lost stream where all tries were spent', () => {
    expect(reasonAfter(streamStopped(), streamRequested(), streamRequested(), streamRequested())).toBe(
      'stream.lost',
    );
  });

  it('is the lost stream where the process died before it could write down the first one', () => {
    const { context } = given(
      created(),
      claimed('one'),
      answered,
      claimedByAnother,
      carrierReported('completed'),
    ).state.snapshot;
    expect(context.endReason).toBe('stream.lost');
  });

  it("is the caller's will once a new stream came", () => {
    expect(reasonAfter(streamClosed(), streamStarted(2))).toBe('caller.hungUp');
  });
});

describe('the questions to the carrier', () => {
  it('are counted anew for each loss', () => {
    const again = given(
      ...quietCall(),
      streamClosed(),
      elapsed('reattach'),
      elapsed('askCarrier'),
      streamStarted(2),
    )
      .and(streamClosed(2))
      .when(elapsed('reattach'));
    expect(again.state.snapshot.context.asks).toBe(1);
  });
});
