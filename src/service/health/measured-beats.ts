/**
 * Owns: looking at the journal by the beats that this process sends to it anyway.
 * Does not own: the beats (`../presence.ts`), the journal.
 */
import type { Clock } from '../../runtime/ports/clock.ts';
import type { Journal } from '../../runtime/ports/journal.ts';
import { stallMs } from '../stall.ts';

export interface BeatListener {
  answered(tookMs: number): void;
  refused(error: unknown, tookMs: number): void;
  /** The beat is still under way after `stallMs`. */
  stalled(): void;
}

/** The same journal; each beat of it is told. */
export function measureBeats(journal: Journal, clock: Clock, listener: BeatListener): Journal {
  const beat = journal.beat.bind(journal);
  journal.beat = async (instance) => {
    const startedMs = clock.monotonic();
    const timer = clock.setTimeout(() => listener.stalled(), stallMs);
    try {
      const journalNow = await beat(instance);
      listener.answered(clock.monotonic() - startedMs);
      return journalNow;
    } catch (error) {
      listener.refused(error, clock.monotonic() - startedMs);
      throw error;
    } finally {
      clock.clearTimeout(timer);
    }
  };
  return journal;
}
