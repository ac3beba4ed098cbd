/**
 * Owns: what several machines did together, in figures: how soon calls were taken over, and what must be none: lost
 * entries, holes, second writers, gaps in a console.
 * Does not own: finding it (`takeovers.ts`, `acknowledged.ts`, `onlooker.ts`), the table's form (`table.ts`).
 */
import type { LogFindings } from './acknowledged.ts';
import type { Takeover } from './takeovers.ts';

export interface FleetFigures {
  /** From the end of a process to the claim of each of its calls by another one. */
  takeoversMs: readonly number[];
  /** The same as if Twilio had reconnected at once. */
  takeoversBeyondMs: readonly number[];
  /** Entries that an instance was told are durable. */
  acknowledged: number;
  /** Of those, the ones that the logs do not hold, or hold otherwise. */
  lost: number;
  /** Logs in which a number is missing. */
  holes: number;
  /** Commits that were acknowledged to an instance which did not own the call. */
  secondWriters: number;
  /** Calls of which the console did not see every entry, once and in order. */
  feedGaps: number;
}

export const figuresOf = (
  takeovers: readonly Takeover[],
  { acknowledged, lost, foreign, holed }: LogFindings,
  feedGaps: number,
): FleetFigures => ({
  takeoversMs: takeovers.flatMap(({ afterMs }) => afterMs ?? []),
  takeoversBeyondMs: takeovers.flatMap(({ beyondMs }) => beyondMs ?? []),
  acknowledged,
  lost: lost.length,
  holes: holed.length,
  secondWriters: foreign.length,
  feedGaps,
});

export const addFigures = (one: FleetFigures, other: FleetFigures): FleetFigures => ({
  takeoversMs: [...one.takeoversMs, ...other.takeoversMs],
  takeoversBeyondMs: [...one.takeoversBeyondMs, ...other.takeoversBeyondMs],
  acknowledged: one.acknowledged + other.acknowledged,
  lost: one.lost + other.lost,
  holes: one.holes + other.holes,
  secondWriters: one.secondWriters + other.secondWriters,
  feedGaps: one.feedGaps + other.feedGaps,
});

export const figuresNote = ({ acknowledged, lost, holes, secondWriters, feedGaps }: FleetFigures): string =>
  `acknowledged entries ${acknowledged}, lost ${lost}; holes ${holes}; second writers ${secondWriters}; feed gaps ${feedGaps}`;
