/** Balancers are no part of the project: what needs one is left out where it is not, and is said to be. */
import { spawnSync } from 'node:child_process';
import type { TestContext } from 'vitest';

const packages = { nginx: 'nginx-light', haproxy: 'haproxy', openssl: 'openssl' } as const;
export type Program = keyof typeof packages;

const isThere = (program: Program): boolean =>
  spawnSync(program, [program === 'openssl' ? 'version' : '-v']).error === undefined;

/** Ends the test as skipped, with the reason; as failed where REQUIRE_ALL says that everything must be there. */
export function needPrograms(context: TestContext, programs: readonly Program[]): void {
  const missing = programs.filter((program) => !isThere(program));
  if (missing.length === 0) return;
  const wanted = missing.map((program) => packages[program]).join(' ');
  const reason = `${missing.join(' and ')} not found (Debian: apt-get install ${wanted})`;
  if (process.env.REQUIRE_ALL === '1') throw new Error(reason);
  console.warn(`Skipped: ${context.task.name}. ${reason}`);
  context.skip(reason);
}
