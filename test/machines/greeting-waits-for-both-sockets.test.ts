import { describe, expect, it } from 'vitest';
import {
  answered,
  callEnded,
  callerStarts,
  callerStops,
  carrierReported,
  claimed,
  created,
  declined,
  elapsed,
  hangUpRequested,
  journalLost,
  modelOpened,
  streamStarted,
  toolFinished,
  toolRequested,
} from './support/facts.ts';
import { given } from './support/scenario.ts';

const streamClaimed = claimed('one', { why: 'stream', attempt: 1 });
const answeredCall = [created(), claimed('one'), answered];

describe('a call that begins', () => {
  it('opens the model session when the webhook is answered, not when the stream comes', () => {
    given(created(), claimed('one'))
      .when(answered)
      .leadsTo({
        states: { carrier: 'awaitingStream', model: 'connecting', turn: 'listening', farewell: 'none' },
        commands: ['openModel 1'],
      });
  });

  it('greets when the stream comes last', () => {
    given(...answeredCall, modelOpened(), streamClaimed)
      .when(streamStarted())
      .leadsTo({
        states: { carrier: 'streaming', model: 'ready', turn: 'thinking' },
        commands: ['joinStream stream1', 'createReply greeting'],
      });
  });

  it('greets when the model comes last', () => {
    given(...answeredCall, streamClaimed, streamStarted())
      .when(modelOpened())
      .leadsTo({ states: { turn: 'thinking' }, commands: ['joinModel 1', 'createReply greeting'] });
  });

  it('greets nobody before both are there', () => {
    given(...answeredCall)
      .when(modelOpened())
      .leadsTo({ states: { turn: 'listening' }, commands: ['joinModel 1'] });
    given(...answeredCall, streamClaimed)
      .when(streamStarted())
      .leadsTo({ states: { turn: 'listening' }, commands: ['joinStream stream1'] });
  });

  it('gives up the greeting for a caller who speaks first', () => {
    given(...answeredCall, modelOpened(), streamClaimed, streamStarted(), callerStarts, callerStops)
      .when(elapsed('replyStart'))
      .leadsTo({ commands: ['createReply answer true'] });
  });

  it('ends where nobody answers it in time', () => {
    given(created(), claimed('one'))
      .when(elapsed('streamStart'))
      .leadsTo({
        states: { ending: 'hangingUp' },
        commands: ['closeModel 0', 'hangUp'],
        context: { endReason: 'call.notAnswered' },
      });
  });

  it('ends where the caller gives up before the answer', () => {
    given(created(), claimed('one'))
      .when(carrierReported('canceled'))
      .leadsTo({
        states: { ending: 'concluding' },
        commands: ['closeModel 0', 'concludeCall carrier.canceled'],
      });
  });

  it('ends where an operator wants it to end before the answer', () => {
    given(created(), claimed('one'))
      .when(hangUpRequested)
      .leadsTo({ states: { ending: 'hangingUp' }, commands: ['closeModel 0', 'hangUp'] });
  });

  it('goes on where the carrier only tells how far it is', () => {
    given(created(), claimed('one'))
      .when(carrierReported('ringing'))
      .leadsTo({ states: 'ringing', commands: [] });
    given(...answeredCall)
      .when(carrierReported('in-progress'))
      .leadsTo({ states: { model: 'connecting' }, commands: [] });
  });
});

describe('a call that was declined and is in the log all the same', () => {
  it('ends, and the carrier is told nothing: the caller may be talking to somebody else', () => {
    given(...answeredCall)
      .when(declined)
      .leadsTo({ states: { ending: 'concluding' }, commands: ['closeModel 1', 'concludeCall declined'] })
      .when(callEnded)
      .leadsTo({ states: 'ended' });
  });
});

describe('a call whose journal is lost', () => {
  it('apologises and ends', () => {
    given(...answeredCall, modelOpened(), streamClaimed, streamStarted())
      .when(journalLost)
      .leadsTo({
        states: { ending: 'apologising' },
        commands: ['closeModel 1', 'redirectCall'],
        context: { endReason: 'journal.lost', apology: true },
      });
  });
});

describe('the context of a call', () => {
  it('keeps no more open tool calls than its limit', () => {
    const many = Array.from({ length: 40 }, (_, index) => toolRequested(`tool${index}`));
    const { state } = given(...answeredCall, ...many);
    expect(state.snapshot.context.tools).toHaveLength(32);
  });

  it('takes a tool call once, whatever is told twice', () => {
    given(...answeredCall, toolRequested())
      .when(toolRequested())
      .leadsTo({ commands: [], context: { tools: ['tool1'] } })
      .when(toolFinished(), toolFinished())
      .leadsTo({ states: { tools: 'idle' }, commands: [], context: { tools: [] } });
  });
});
