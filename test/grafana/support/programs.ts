/** Programs that are no part of the project: what needs them is left out where they are not, and is said to be. */
import { spawnSync } from 'node:child_process';
import type { TestContext } from 'vitest';
import { leaveOut } from '../../support/leave-out.ts';

const isThere = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;

export const missingPrograms = (programs: readonly string[]): string[] =>
  programs.filter((program) => !isThere(program));

export function needPrograms(context: TestContext, programs: readonly string[]): void {
  const missing = missingPrograms(programs);
  if (missing.length === 0) return;
  const reason = `${missing.join(' and ')} not found: install Prometheus (Debian: apt-get install prometheus)`;
  leaveOut(context, reason);
}
