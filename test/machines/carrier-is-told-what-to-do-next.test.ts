import { describe, expect, it } from 'vitest';
import { instructionFor } from '../../src/machines/instruction.ts';
import {
  answered,
  callEnded,
  claimed,
  claimedByAnother,
  created,
  elapsed,
  hangUpFinished,
  hangUpRequested,
  journalLost,
  modelRefused,
  quietCall,
  streamClosed,
  streamRequested,
  streamStarted,
  transferByAgent,
  transferByOperator,
  transferFinished,
} from './support/facts.ts';
import { type Fact, given } from './support/scenario.ts';

const instruction = (...facts: Fact[]) => instructionFor(given(...facts).state.snapshot);
const asked = (times: number): Fact[] => Array.from({ length: times }, () => streamRequested(2));

describe('the carrier', () => {
  it('is told to open the first stream of a new call', () => {
    expect(instruction(created(), claimed('one'))).toEqual({ do: 'connect', attempt: 1, pauseMs: 0 });
    expect(instruction(created(), claimed('one'), answered)).toEqual({
      do: 'connect',
      attempt: 1,
      pauseMs: 0,
    });
  });

  it('is told to open the next one where a stream was lost, whoever owns the call', () => {
    expect(instruction(...quietCall(), streamClosed())).toEqual({ do: 'connect', attempt: 2, pauseMs: 0 });
    expect(instruction(...quietCall(), claimedByAnother)).toEqual({ do: 'connect', attempt: 2, pauseMs: 0 });
  });

  it('is told the same each time it asks', () => {
    const { state } = given(...quietCall(), streamClosed());
    expect(instructionFor(state.snapshot)).toEqual(instructionFor(state.snapshot));
  });

  it('pauses longer before each stream that follows another one soon', () => {
    const lost = [...quietCall(), streamClosed()];
    const pauses = [0, 1, 2].map((tries) => instruction(...lost, ...asked(tries)));
    expect(pauses).toEqual([
      { do: 'connect', attempt: 2, pauseMs: 0 },
      { do: 'connect', attempt: 2, pauseMs: 1_000 },
      { do: 'connect', attempt: 2, pauseMs: 2_000 },
    ]);
  });

  it('is told to apologise where the call has used up its streams, and not before', () => {
    const lost = [...quietCall({ streamTries: 2 }), streamClosed()];
    expect(instruction(...lost, ...asked(1))).toMatchObject({ do: 'connect' });
    expect(instruction(...lost, ...asked(2))).toEqual({ do: 'apologise', apology: 'trouble' });
  });

  it('has all the tries again once a stream has been good for a while', () => {
    const lost = [...quietCall({ streamTries: 2 }), streamClosed(), ...asked(2)];
    expect(instruction(...lost, streamStarted(2), streamClosed(2))).toMatchObject({ do: 'apologise' });
    expect(instruction(...lost, streamStarted(2), elapsed('streamSettled'), streamClosed(2))).toEqual({
      do: 'connect',
      attempt: 3,
      pauseMs: 0,
    });
  });

  it('is told to apologise where something of ours failed, and for what', () => {
    const forModel = { do: 'apologise', apology: 'agentUnavailable' };
    expect(instruction(...quietCall(), modelRefused())).toEqual(forModel);
    expect(instruction(...quietCall(), modelRefused(), elapsed('ending'))).toEqual(forModel);
    expect(instruction(...quietCall(), journalLost)).toEqual({ do: 'apologise', apology: 'trouble' });
  });

  it('is told to dial where the caller is handed on', () => {
    const settings = { ringMs: 20_000 };
    for (const transfer of [transferByAgent, transferByOperator]) {
      expect(instruction(...quietCall(settings), transfer)).toEqual({
        do: 'transfer',
        to: 'requested',
        ringMs: 20_000,
        apology: null,
      });
    }
  });

  it('is told to say why, and to dial, where the agent cannot go on', () => {
    expect(instruction(...quietCall({ fallback: 'transfer' }), modelRefused())).toEqual({
      do: 'transfer',
      to: 'fallback',
      ringMs: 30_000,
      apology: 'agentUnavailable',
    });
  });

  it('is told to open a stream for a caller whom nobody took', () => {
    expect(instruction(...quietCall(), transferByOperator, transferFinished('no-answer'))).toEqual({
      do: 'connect',
      attempt: 2,
      pauseMs: 0,
    });
  });

  it('is told to hang up where the end was decided, or is over', () => {
    const ending = [...quietCall(), hangUpRequested, elapsed('farewell')];
    expect(instruction(...ending)).toEqual({ do: 'hangUp' });
    expect(instruction(...ending, hangUpFinished('completed'), callEnded)).toEqual({ do: 'hangUp' });
    expect(
      instruction(...quietCall(), modelRefused(), elapsed('ending'), hangUpFinished('completed'), callEnded),
    ).toEqual({
      do: 'hangUp',
    });
  });
});
