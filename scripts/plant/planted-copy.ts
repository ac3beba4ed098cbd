/**
 * Owns: a copy of the project in which faults are planted, one at a time, and what a finder says of it there.
 * Does not own: the faults (`faults.ts`).
 *
 * Invariants:
 * P2. A fault counts as found only where the named test itself fails: not where a file does not load.
 */
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Finder, PlantedFault } from './faults.ts';

export const projectRoot = join(import.meta.dirname, '..', '..');

const copied = [
  'src',
  'test',
  'agents',
  'scripts',
  'docs',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
  '.env.example',
];

/** `failed`: the test did, in the n-th run of its property where it is one; `broken`: it came to no judgement. */
export type Finding =
  | { outcome: 'passed' }
  | { outcome: 'failed'; test: string; file: string; run: number | null }
  | { outcome: 'broken'; why: string };

interface TestReport {
  testResults: {
    name: string;
    message: string;
    assertionResults: { status: string; fullName: string; failureMessages: string[] }[];
  }[];
}

export class PlantedCopy {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async make(): Promise<PlantedCopy> {
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-plant-'));
    for (const name of copied) await cp(join(projectRoot, name), join(directory, name), { recursive: true });
    await symlink(join(projectRoot, 'node_modules'), join(directory, 'node_modules'));
    return new PlantedCopy(directory);
  }

  /** What the finder says while the fault is planted; the copy is sound again afterwards. */
  async plant({ file, place, replacement, finder }: PlantedFault): Promise<Finding> {
    const path = join(this.#directory, file);
    const source = await readFile(path, 'utf8');
    const places = source.split(place).length - 1;
    if (places !== 1) return { outcome: 'broken', why: `${file} has the place ${places} times` };
    await writeFile(
      path,
      source.replace(place, () => replacement),
    );
    try {
      return await this.ask([finder]);
    } finally {
      await writeFile(path, source);
    }
  }

  /** What the finders say of the copy as it is. */
  async ask(finders: readonly Finder[]): Promise<Finding> {
    const reportFile = join(this.#directory, 'report.json');
    await rm(reportFile, { force: true });
    const output = await this.#run(finders, reportFile);
    try {
      return findingOf(JSON.parse(await readFile(reportFile, 'utf8')) as TestReport);
    } catch {
      return { outcome: 'broken', why: output };
    }
  }

  remove(): Promise<void> {
    return rm(this.#directory, { recursive: true, force: true });
  }

  #run(finders: readonly Finder[], reportFile: string): Promise<string> {
    const pattern = [...new Set(finders.map(({ test }) => escaped(test)))].join('|');
    const command = [
      join(projectRoot, 'node_modules', 'vitest', 'vitest.mjs'),
      'run',
      '--silent',
      '--bail=1',
      '--reporter=json',
      `--outputFile=${reportFile}`,
      `--testNamePattern=${pattern}`,
      ...new Set(finders.map(({ file }) => file)),
    ];
    const child = spawn(process.execPath, command, { cwd: this.#directory, env: environment() });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (piece: Buffer) => {
        output = (output + piece.toString()).slice(-2_000);
      });
    return new Promise((resolve) => child.on('close', () => resolve(output)));
  }
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** Without what a runner of tests tells its own processes. */
function environment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_|TEST$|MODE$)/.test(name));
  return { ...Object.fromEntries(inherited), SIMULATION_RUNS: '100', SIMULATION_SHRINKS: 'no' };
}

function findingOf({ testResults }: TestReport): Finding {
  const tests = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map((result) => ({ ...result, file: name })),
  );
  const failed = tests.find(({ status }) => status === 'failed');
  if (failed) {
    const { groups } = /failed after (?<runs>\d+) tests/.exec(failed.failureMessages.join('\n')) ?? {};
    return {
      outcome: 'failed',
      test: failed.fullName,
      file: failed.file,
      run: groups?.runs === undefined ? null : Number(groups.runs),
    };
  }
  if (tests.some(({ status }) => status === 'passed')) return { outcome: 'passed' };
  return { outcome: 'broken', why: testResults.map(({ message }) => message).join('\n') || 'no test ran' };
}
