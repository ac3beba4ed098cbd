/** PostgreSQL for the tests of its journal: left out where it is not installed, and said to be. */
import type { TestContext } from 'vitest';
import { findPrograms } from './postgres-cluster.ts';

export const hasPostgres = findPrograms() !== null;

/** Ends the test as skipped, with the reason; as failed where REQUIRE_ALL says that everything must be there. */
export function needPostgres(context: TestContext): void {
  if (hasPostgres) return;
  const reason = 'PostgreSQL not found: install it (Debian: apt-get install postgresql)';
  if (process.env.REQUIRE_ALL === '1') throw new Error(reason);
  console.warn(`Skipped: ${context.task.name}. ${reason}`);
  context.skip(reason);
}
