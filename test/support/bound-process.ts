/**
 * Owns: processes that end with the one that started them, however that one ends: a killed drill leaves nothing running.
 *
 * Linux can signal a process when its parent has died (prctl(2), `PR_SET_PDEATHSIG`); `setpriv` asks for it and becomes the
 * program, under the same process id. Elsewhere the program is started as it is.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

const setpriv = '/usr/bin/setpriv';
/** Whether it can be asked for here. */
export const isBindable = process.platform === 'linux' && existsSync(setpriv);

/** @param farewell what it is sent when its parent is gone: `SIGTERM` where it has processes of its own to end */
export function spawnBound(
  program: string,
  words: readonly string[],
  options: SpawnOptions,
  farewell: NodeJS.Signals = 'SIGKILL',
): ChildProcess {
  if (!isBindable) return spawn(program, words, options);
  return spawn(setpriv, ['--pdeathsig', farewell.slice('SIG'.length), program, ...words], options);
}
