/** Balancers are no part of the project: what needs one is left out where it is not, and is said to be. */
import { spawnSync } from 'node:child_process';
import type { TestContext } from 'vitest';
import { leaveOut } from '../../support/leave-out.ts';

const packages = { nginx: 'nginx-light', haproxy: 'haproxy', openssl: 'openssl' } as const;
export type Program = keyof typeof packages;

const isThere = (program: Program): boolean =>
  spawnSync(program, [program === 'openssl' ? 'version' : '-v']).error === undefined;

export function needPrograms(context: TestContext, programs: readonly Program[]): void {
  const missing = programs.filter((program) => !isThere(program));
  if (missing.length === 0) return;
  const wanted = missing.map((program) => packages[program]).join(' ');
  const reason = `${missing.join(' and ')} not found (Debian: apt-get install ${wanted})`;
  leaveOut(context, reason);
}
