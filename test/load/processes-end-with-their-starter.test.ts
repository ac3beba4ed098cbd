/** What a drill or a measurement starts ends with it, also where it is killed and can clean up nothing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { isBindable } from '../support/bound-process.ts';
import { leaveOut } from '../support/leave-out.ts';

const module = join(import.meta.dirname, '..', 'support', 'bound-process.ts');
/** Starts a process that lives for a minute, tells its id, and lives on itself. */
const starter = `
  const { spawnBound } = await import(${JSON.stringify(module)});
  const child = spawnBound(process.execPath, ['--eval', 'setTimeout(() => {}, 60_000)'], { stdio: 'ignore' });
  console.log(child.pid);
  setTimeout(() => {}, 60_000);
`;

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

it('is gone soon after its starter was killed', async (context) => {
  if (!isBindable) leaveOut(context, 'no process learns of its parent’s death here');
  const parent = spawn(process.execPath, ['--input-type=module', '--eval', starter]);
  const [told] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(told.toString());
  await sleep(200);
  expect(isRunning(pid)).toBe(true);
  parent.kill('SIGKILL');
  await once(parent, 'close');
  await expect.poll(() => isRunning(pid), { timeout: 5_000 }).toBe(false);
});
