/** PostgreSQL for the tests of its journal: left out where it is not installed, and said to be. */
import type { TestContext } from 'vitest';
import { leaveOut } from './leave-out.ts';
import { findPrograms } from './postgres-cluster.ts';

export const hasPostgres = findPrograms() !== null;

export function needPostgres(context: TestContext): void {
  if (hasPostgres) return;
  const reason = 'PostgreSQL not found: install it (Debian: apt-get install postgresql)';
  leaveOut(context, reason);
}
