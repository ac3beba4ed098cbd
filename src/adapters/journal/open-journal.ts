/** Owns: which journal a `JOURNAL_URL` names. */
import type { Clock } from '../../runtime/ports/clock.ts';
import { FixCallError } from '../../runtime/ports/errors.ts';
import type { Journal } from '../../runtime/ports/journal.ts';
import { createMemoryStore, openMemoryJournal } from './memory.ts';
import { openSqliteJournal } from './sqlite.ts';

/**
 * `memory:` is a new, empty journal that ends with the process; `sqlite:PATH` is a file, relative to the working
 * directory or absolute.
 *
 * @throws FixCallError `journal.url`, and what `openSqliteJournal` throws
 */
export async function openJournal(url: string, { clock }: { clock: Clock }): Promise<Journal> {
  if (url === 'memory:') return openMemoryJournal(createMemoryStore(), { clock });
  const path = /^sqlite:(?![:/]\/?\/|:|file:)(?<path>.+)$/s.exec(url)?.groups?.path;
  if (path !== undefined) return await openSqliteJournal(path, { clock });
  throw new FixCallError('journal.url', describe(url));
}

/** The rest of a URL may hold a password. */
function describe(url: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0] ?? 'nothing that looks like a URL';
  return `JOURNAL_URL must be sqlite:PATH (as sqlite:data/holdfast.db) or memory:, not ${scheme}`;
}
