/**
 * Owns: whether in a round the audio arrived: one that lost some may be fast with the rest.
 * Does not own: the counting (`round.ts`).
 */
import type { Round } from './round.ts';

/** At the window's borders some frames are on their way, and a call that hangs up leaves one or two behind. */
const leastKeptUp = 0.98;

/** What is no number, as of no frames at all, has not. */
export const hasKeptUp = ({ keptUp }: Pick<Round, 'keptUp'>): boolean => keptUp >= leastKeptUp;
