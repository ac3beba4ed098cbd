/**
 * Owns: measuring how long a journal takes to make entries durable.
 * Does not own: the journal.
 */
import type { Clock } from '../runtime/ports/clock.ts';
import { HoldfastError } from '../runtime/ports/errors.ts';
import type { Journal } from '../runtime/ports/journal.ts';
import type { Metrics } from '../telemetry/metrics/metrics.ts';

type AppendOutcome = 'durable' | 'conflict' | 'failed';

const outcomeOf = (error: unknown): AppendOutcome =>
  error instanceof HoldfastError && error.code === 'journal.conflict' ? 'conflict' : 'failed';

/** The same journal; each append of it is measured once it has an outcome. */
export function measureAppends(journal: Journal, clock: Clock, metrics: Pick<Metrics, 'observe'>): Journal {
  const append = journal.append.bind(journal);
  journal.append = async (commit) => {
    const startedMs = clock.monotonic();
    const tell = (outcome: AppendOutcome): void =>
      metrics.observe('journalAppend', { outcome }, (clock.monotonic() - startedMs) / 1_000);
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
