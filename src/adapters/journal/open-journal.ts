/** Owns: which journal a `JOURNAL_URL` names. */
import type { Clock } from '../../runtime/ports/clock.ts';
import { FixCallError } from '../../runtime/ports/errors.ts';
import type { Journal } from '../../runtime/ports/journal.ts';
import { createMemoryStore, openMemoryJournal } from './memory.ts';
import { openPostgresJournal } from './postgres/postgres.ts';
import { describeTarget, isPostgresUrl, readTarget } from './postgres/target.ts';
import { openSqliteJournal } from './sqlite.ts';

export interface OpenOptions {
  clock: Clock;
  /** The process's name, where it has one: PostgreSQL shows it with each of its connections. */
  instance?: string;
}

/**
 * `memory:` is a new, empty journal that ends with the process; `sqlite:PATH` is a file, relative to the working
 * directory or absolute; `postgres://` (or `postgresql://`) is a database, on one host or several.
 *
 * @throws FixCallError `journal.url`, and what `openSqliteJournal` and `openPostgresJournal` throw
 */
export async function openJournal(url: string, { clock, instance }: OpenOptions): Promise<Journal> {
  if (url === 'memory:') return openMemoryJournal(createMemoryStore(), { clock });
  if (isPostgresUrl(url)) return await openPostgresJournal(url, { clock, instance });
  const path = /^sqlite:(?![:/]\/?\/|:|file:)(?<path>.+)$/s.exec(url)?.groups?.path;
  if (path !== undefined) return await openSqliteJournal(path, { clock });
  throw new FixCallError('journal.url', refusalOf(url));
}

/** For people: where the journal is, without the password that its URL may hold. @throws FixCallError `journal.url` */
export function describeJournal(url: string): string {
  return isPostgresUrl(url) ? describeTarget(readTarget(url, process.env)) : url;
}

/** The rest of a URL may hold a password. */
function refusalOf(url: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0] ?? 'nothing that looks like a URL';
  return `JOURNAL_URL must be sqlite:PATH (as sqlite:data/holdfast.db), postgres://USER@HOST/DATABASE or memory:, not ${scheme}`;
}
