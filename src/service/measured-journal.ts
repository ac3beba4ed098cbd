/**
 * Owns: measuring how long a journal takes to make entries durable.
 * Does not own: the journal.
 */
import type { Clock } from '../runtime/ports/clock.ts';
import { HoldfastError } from '../runtime/ports/errors.ts';
import type { Journal } from '../runtime/ports/journal.ts';

export type AppendOutcome = 'durable' | 'conflict' | 'failed';
export type NoteAppend = (outcome: AppendOutcome, ms: number) => void;

const outcomeOf = (error: unknown): AppendOutcome =>
  error instanceof HoldfastError && error.code === 'journal.conflict' ? 'conflict' : 'failed';

/** The same journal; each append of it is told once it has an outcome. */
export function measureAppends(journal: Journal, clock: Clock, note: NoteAppend): Journal {
  const append = journal.append.bind(journal);
  journal.append = async (commit) => {
    const startedMs = clock.monotonic();
    const tell = (outcome: AppendOutcome): void => note(outcome, clock.monotonic() - startedMs);
    try {
      await append(commit);
      tell('durable');
    } catch (error) {
      tell(outcomeOf(error));
      throw error;
    }
  };
  return journal;
}
