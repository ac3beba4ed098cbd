import { describe, expect, it } from 'vitest';
import {
  answered,
  callerStarts,
  callerStops,
  carrierReported,
  carrierUnreachable,
  claimed,
  created,
  elapsed,
  mediaResumed,
  mediaStarved,
  quietCall,
  replyFinished,
  replyPlayed,
  replyStarted,
  replyVoiced,
  streamClosed,
  streamFailed,
  streamStarted,
  streamStopped,
  toolRequested,
} from './support/facts.ts';
import { given } from './support/scenario.ts';

const speaking = [...quietCall(), callerStarts, callerStops, replyStarted(), replyVoiced()];
const secondStream = claimed('one', { why: 'stream', attempt: 2 });

describe('a stream that is lost', () => {
  it('is waited for, then asked for, then given up', () => {
    given(...quietCall())
      .when(streamClosed())
      .leadsTo({ states: { carrier: 'lost' }, commands: [], context: { stream: { id: null, attempt: 1 } } })
      .when(elapsed('reattach'))
      .leadsTo({ states: { carrier: 'asking' }, commands: ['askCarrier'] })
      .when(carrierUnreachable, elapsed('askCarrier'))
      .leadsTo({ states: { carrier: 'asking' }, commands: ['askCarrier'] })
      .when(carrierReported('in-progress'), elapsed('askCarrier'))
      .leadsTo({ states: { carrier: 'asking' }, commands: ['askCarrier'] })
      .when(elapsed('askCarrier'))
      .leadsTo({
        states: { ending: 'hangingUp' },
        commands: ['closeModel 1', 'hangUp'],
        context: { endReason: 'stream.lost', apology: false },
      });
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
