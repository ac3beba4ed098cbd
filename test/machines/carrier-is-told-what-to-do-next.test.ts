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
  streamStarted,
} from './support/facts.ts';
import { type Fact, given } from './support/scenario.ts';

const instruction = (...facts: Fact[]) => instructionFor(given(...facts).state.snapshot);
const streams = (count: number): Fact[] =>
  Array.from({ length: count }, (_, index) => [
    claimed('one', { why: 'stream', attempt: index + 1 }),
    streamStarted(index + 1),
  ]).flat();

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

  it('pauses before a stream once the call has used up two', () => {
    const begun = [created(), claimed('one'), answered];
    expect(instruction(...begun, ...streams(2))).toEqual({ do: 'connect', attempt: 3, pauseMs: 1_000 });
  });

  it('is told to apologise where the call has used up its streams', () => {
    const begun = [created({ streamTries: 2 }), claimed('one'), answered];
    expect(instruction(...begun, ...streams(1))).toMatchObject({ do: 'connect' });
    expect(instruction(...begun, ...streams(2))).toEqual({ do: 'apologise' });
  });

  it('is told to apologise where something of ours failed', () => {
    expect(instruction(...quietCall(), modelRefused())).toEqual({ do: 'apologise' });
    expect(instruction(...quietCall(), journalLost)).toEqual({ do: 'apologise' });
    expect(instruction(...quietCall(), modelRefused(), elapsed('ending'))).toEqual({ do: 'apologise' });
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
