/** Programs that are no part of the project: what needs them is left out where they are not, and is said to be. */
import { spawnSync } from 'node:child_process';
import type { TestContext } from 'vitest';

const isThere = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;

export const missingPrograms = (programs: readonly string[]): string[] =>
  programs.filter((program) => !isThere(program));

/** Ends the test as skipped, with the reason; as failed where REQUIRE_ALL says that everything must be there. */
export function needPrograms(context: TestContext, programs: readonly string[]): void {
  const missing = missingPrograms(programs);
  if (missing.length === 0) return;
  const reason = `${missing.join(' and ')} not found: install Prometheus (Debian: apt-get install prometheus)`;
  if (process.env.REQUIRE_ALL === '1') throw new Error(reason);
  console.warn(`Skipped: ${context.task.name}. ${reason}`);
  context.skip(reason);
}
