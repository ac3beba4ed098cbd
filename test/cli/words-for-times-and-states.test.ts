/** How durations, moments and states are written. */
import { describe, expect, it } from 'vitest';
import { formatDuration, formatMoment, formatOffset } from '../../src/cli/time.ts';
import { formatState } from '../../src/service/words/states.ts';

describe('a duration', () => {
  it.each([
    [0, '0.0 s'],
    [4_249, '4.2 s'],
    [59_949, '59.9 s'],
    [60_000, '1 min 00 s'],
    [119_600, '2 min 00 s'],
    [185_000, '3 min 05 s'],
  ])('of %i ms is %s', (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });
});

describe('a moment', () => {
  it('is in UTC, and within a call in seconds since it began', () => {
    expect(formatMoment(Date.UTC(2026, 10, 25, 1, 2, 3, 400))).toBe('2026-11-25 01:02:03 UTC');
    expect(formatOffset(12_345, 0)).toBe('12.345');
  });
});

describe('a state', () => {
  it.each([
    ['ended', 'ended'],
    [{ ending: 'hangingUp' }, 'ending hangingUp'],
    [{ live: { carrier: 'streaming', tools: 'idle', farewell: 'none' } }, 'live: carrier streaming'],
    [
      { live: { carrier: { streaming: 'steady' }, model: { ready: 'steady' } } },
      'live: carrier streaming, model ready',
    ],
    [{ live: { carrier: { streaming: 'leaving' } } }, 'live: carrier streaming leaving'],
    [
      { live: { model: { ready: 'rollingOver' }, silence: 'holding' } },
      'live: model ready rollingOver, silence holding',
    ],
    [{ live: { turn: 'listening', silence: 'filled' } }, 'live: turn listening'],
    [{ live: { turn: 'thinking', silence: 'waiting' } }, 'live: turn thinking'],
    [{ transferring: 'dialing' }, 'transferring dialing'],
    [null, 'unknown'],
    [7, 'unknown'],
  ])('%o is written as %s', (value, text) => {
    expect(formatState(value)).toBe(text);
  });
});
