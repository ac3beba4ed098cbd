/**
 * Owns: what an older version tells the carrier to do next, in the place of `src/machines/instruction.ts`: as chart 1 had
 * it, in the words of the present edge.
 */
import type { SnapshotFrom } from 'xstate';
import type { machine } from '../../src/machines/charts/1/machine.ts';

/** Pauses before a new stream grow with the streams that the call has used up. */
const pauseMsBefore = (attempt: number): number => (attempt <= 2 ? 0 : 1_000);

export function instructionFor(snapshot: SnapshotFrom<typeof machine>): object {
  const { stream, settings, apology } = snapshot.context;
  if (snapshot.hasTag('ending') || snapshot.status !== 'active') {
    return apology && snapshot.status === 'active'
      ? { do: 'apologise', apology: 'trouble' }
      : { do: 'hangUp' };
  }
  const attempt = stream.attempt + 1;
  return attempt > settings.streamTries
    ? { do: 'apologise', apology: 'trouble' }
    : { do: 'connect', attempt, pauseMs: pauseMsBefore(attempt) };
}
