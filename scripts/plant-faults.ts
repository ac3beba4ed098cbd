/**
 * Owns: `npm run plant`: one fault for each invariant, planted in a copy of the project, and the tests that must find
 * it. A fault that survives is a test that does not bite.
 *
 * Takes a few minutes and changes nothing here. Exit code 1 where a fault survives.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Plant {
  invariant: string;
  /** What the fault would be called in a review. */
  fault: string;
  file: string;
  find: string;
  replacement: string;
  /** The tests that must fail, as vitest takes them. */
  tests: string[];
}

const wholeCalls = 'test/simulation';

const plants: Plant[] = [
  {
    invariant: 'I1',
    fault: 'an assignment reads the machine’s own clock',
    file: 'src/machines/call/assignments.ts',
    find: 'export const countAsk = ({ context }: Scope): Change => ({ asks: context.asks + 1 });',
    replacement:
      'export const countAsk = ({ context }: Scope): Change => ({ asks: context.asks + (Math.floor(performance.now() * 1e3) % 2) });',
    tests: [wholeCalls, 'test/runtime'],
  },
  {
    invariant: 'I2',
    fault: 'a process that lost the call goes on stepping it',
    file: 'src/runtime/call.ts',
    find: '    this.#abandon(error);\n    this.stop();',
    replacement: '    this.#abandon(error);',
    tests: ['test/runtime'],
  },
  {
    invariant: 'I4',
    fault: 'the parts of an ended call are kept',
    file: 'src/service/assembly.ts',
    find: '    over: ({ callId }) => {\n      live.release(callId);',
    replacement: '    over: ({ callId }) => {\n      void callId;',
    tests: [wholeCalls],
  },
  {
    invariant: 'I6',
    fault: 'what was sent counts as heard',
    file: 'src/media/playback-ledger.ts',
    find: 'playedMs: Math.floor(item.playedBytes / bytesPerMs),',
    replacement: 'playedMs: Math.floor(item.markedBytes / bytesPerMs),',
    tests: [wholeCalls, 'test/media'],
  },
  {
    invariant: 'I7',
    fault: 'an interruption does not flush the line',
    file: 'src/media/reply-player.ts',
    find: '    this.#line?.clear();',
    replacement: '',
    tests: [wholeCalls],
  },
  {
    invariant: 'I9',
    fault: 'the ring never forgets',
    file: 'src/media/ring.ts',
    find: '    this.forgetBefore(this.#end - this.#capacityBytes);',
    replacement: '',
    tests: ['test/media'],
  },
  {
    invariant: 'I10',
    fault: 'a webhook without a signature is let in',
    file: 'src/adapters/twilio/webhooks.ts',
    find: '    if (signed) return;',
    replacement: '    if (signed || !signed) return;',
    tests: ['test/adapters/twilio'],
  },
];

const root = join(import.meta.dirname, '..');
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

interface TestReport {
  testResults: { assertionResults: { status: string; fullName: string; failureMessages: string[] }[] }[];
}

/** A copy of the project with the fault in it; none for the first, sound one. */
function copyWith(plant: Plant | null): string {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-plant-'));
  for (const name of copied) cpSync(join(root, name), join(directory, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  if (!plant) return directory;
  const { file, find, replacement } = plant;
  const source = readFileSync(join(directory, file), 'utf8');
  if (!source.includes(find)) throw new Error(`${file} no longer has the lines that the fault replaces`);
  writeFileSync(join(directory, file), source.replace(find, replacement));
  return directory;
}

/** The first failure among the tests, and after how many runs its property failed; null where all pass. */
function test(directory: string, tests: readonly string[]): string | null {
  const runner = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const options = ['--silent', '--bail', '1', '--reporter=json', '--outputFile=report.json'];
  const environment = { ...process.env, SIMULATION_RUNS: '100' };
  spawnSync(process.execPath, [runner, 'run', ...options, ...tests], { cwd: directory, env: environment });
  const report = JSON.parse(readFileSync(join(directory, 'report.json'), 'utf8')) as TestReport;
  const failed = report.testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .find(({ status }) => status === 'failed');
  if (!failed) return null;
  const runs = /failed after (?<runs>\d+) tests/.exec(failed.failureMessages.join('\n'))?.groups?.runs;
  return runs ? `${failed.fullName} (run ${runs})` : failed.fullName;
}

function finding(plant: Plant | null, tests: readonly string[]): string | null {
  const directory = copyWith(plant);
  try {
    return test(directory, tests);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const sound = finding(null, [...new Set(plants.flatMap(({ tests }) => tests))]);
if (sound !== null) throw new Error(`Without a fault this fails already: ${sound}`);

let survivors = 0;
for (const plant of plants) {
  const found = finding(plant, plant.tests);
  survivors += found === null ? 1 : 0;
  console.log(`${plant.invariant.padEnd(5)}${plant.fault}`);
  console.log(found === null ? '     SURVIVED' : `     found by: ${found}`);
}
process.exitCode = survivors === 0 ? 0 : 1;
