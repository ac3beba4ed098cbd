/**
 * Owns: `npm test`: types, lint, then every test with coverage, each step with its outcome and time.
 * Does not own: what the runner's report is turned into on a build server (`scripts/report.ts`).
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const binary = (name: string): string => join(root, 'node_modules', '.bin', name);

interface Step {
  name: string;
  command: string;
  arguments: string[];
}

const steps: Step[] = [
  { name: 'types', command: binary('tsc'), arguments: ['--noEmit'] },
  { name: 'types of the page', command: binary('tsc'), arguments: ['-p', 'src/console/page'] },
  { name: 'lint', command: binary('biome'), arguments: ['check', '--error-on-warnings', '.'] },
  {
    name: 'tests',
    command: process.execPath,
    arguments: [
      join(root, 'node_modules', 'vitest', 'vitest.mjs'),
      'run',
      '--coverage',
      '--reporter=default',
      '--reporter=json',
      '--outputFile.json=reports/tests.json',
    ],
  },
];

function run({ name, command, arguments: options }: Step): boolean {
  console.log(`\n▸ ${name}`);
  const started = performance.now();
  const { status } = spawnSync(command, options, { cwd: root, stdio: 'inherit' });
  const tookS = ((performance.now() - started) / 1_000).toFixed(1);
  console.log(status === 0 ? `✓ ${name}: passed in ${tookS} s` : `✗ ${name}: FAILED after ${tookS} s`);
  return status === 0;
}

mkdirSync(join(root, 'reports'), { recursive: true });
const failed = steps.filter((step) => !run(step)).map(({ name }) => name);
console.log(failed.length === 0 ? '\nAll passed.' : `\nFailed: ${failed.join(', ')}.`);
process.exitCode = failed.length === 0 ? 0 : 1;
