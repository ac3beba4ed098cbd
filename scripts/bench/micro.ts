/**
 * Owns: the small benchmarks beside the whole one: they are run as they stand, and what they print is shown.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

const benches = [
  { title: 'Step and fold', file: '../bench-core.ts' },
  { title: 'Append, in commits of the journal', file: '../bench-journal.ts' },
  { title: 'A frame in, a delta out: the bridge', file: '../bench-media.ts' },
  { title: 'A frame in, a delta out: the messages', file: 'messages.ts' },
] as const;

export async function runMicro(print: (text: string) => void): Promise<void> {
  for (const { title, file } of benches) {
    const { stdout } = await execute(process.execPath, [
      '--disable-warning=ExperimentalWarning',
      '--conditions=holdfast-source',
      join(import.meta.dirname, file),
    ]);
    print(`\n${title}\n${stdout.trimEnd()}`);
  }
}
