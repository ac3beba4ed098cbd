/**
 * Owns: `npm run mutate`: has Stryker change the core one place at a time, and writes the result into
 * `docs/mutation.md`. Options go to Stryker: `-m src/runtime/timers.ts` for one file, `--incremental` to keep what is
 * known; `--sample 300,1` for so many lines, drawn at random with that seed. A run of some files is written nowhere.
 * Does not own: what is changed (`stryker.config.mjs`), which tests judge it (`mutate-vitest.ts`).
 */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';
import { seededRandom } from '../src/twin/random.ts';

interface Report {
  files: Record<string, { mutants: { status: string }[] }>;
}

type Counts = Record<'found' | 'survived' | 'uncovered' | 'invalid' | 'ignored', number>;

const root = join(import.meta.dirname, '..');
const config = (await import(join(root, 'stryker.config.mjs'))).default as { mutate: string[] };
const reportFile = join(root, 'reports', 'mutation', 'mutation.json');
const documentFile = join(root, 'docs', 'mutation.md');
const [begin, end] = ['<!-- result -->', '<!-- end of result -->'];

const columns: Record<string, keyof Counts> = {
  Killed: 'found',
  Timeout: 'found',
  Survived: 'survived',
  NoCoverage: 'uncovered',
  Ignored: 'ignored',
};

function count(mutants: readonly { status: string }[]): Counts {
  const counts: Counts = { found: 0, survived: 0, uncovered: 0, invalid: 0, ignored: 0 };
  for (const { status } of mutants) counts[columns[status] ?? 'invalid']++;
  return counts;
}

function row(name: string, { found, survived, uncovered, invalid, ignored }: Counts): string {
  const judged = found + survived + uncovered;
  const score = judged === 0 ? '–' : ((100 * found) / judged).toFixed(1);
  return `| ${[name, score, found, survived, uncovered, invalid, ignored].join(' | ')} |`;
}

function table({ files }: Report): string {
  const rows = Object.entries(files).map(([file, { mutants }]) => row(`\`${file}\``, count(mutants)));
  const all = count(Object.values(files).flatMap(({ mutants }) => mutants));
  return [
    '| File | Score | Found | Survived | Not reached | Invalid | Ignored |',
    '|---|--:|--:|--:|--:|--:|--:|',
    row('**all**', all),
    ...rows.sort(),
  ].join('\n');
}

function keep(result: string): void {
  const text = readFileSync(documentFile, 'utf8');
  const [before, after] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
  writeFileSync(documentFile, `${text.slice(0, before)}\n\n${result}\n\n${text.slice(after)}`);
}

/** Where a sample is drawn, what Stryker is told and what is written above the table; nothing where none is. */
interface Sample {
  options: string[];
  words: string;
}

/** `--sample LINES,SEED` is taken out of the options. A mutant that reaches over several lines is in no sample. */
function takeSample(given: string[]): Sample {
  const place = given.indexOf('--sample');
  if (place < 0) return { options: [], words: '' };
  const [size = 0, seed = 1] = (given.splice(place, 2)[1] ?? '').split(',').map(Number);
  const random = seededRandom(seed);
  const lines = mutatedFiles().flatMap(linesOf);
  const drawn = lines
    .map((line) => ({ line, order: random() }))
    .sort((one, other) => one.order - other.order)
    .slice(0, size);
  const words = `A sample: ${drawn.length} of ${lines.length} lines of code, drawn at random (seed ${seed}).\n\n`;
  return { options: ['-m', drawn.map(({ line }) => line).join(',')], words };
}

const mutatedFiles = (): string[] =>
  config.mutate
    .filter((pattern) => !pattern.startsWith('!'))
    .flatMap((pattern) => globSync(pattern, { cwd: root }))
    .filter(
      (file) =>
        !config.mutate.some((pattern) => pattern.startsWith('!') && matchesGlob(file, pattern.slice(1))),
    );

/** Without comments and empty lines: nothing is mutated there. */
const linesOf = (file: string): string[] =>
  readFileSync(join(root, file), 'utf8')
    .split('\n')
    .flatMap((text, index) => (/^\s*($|\/?\*|\/\/)/.test(text) ? [] : [`${file}:${index + 1}-${index + 1}`]));

rmSync(reportFile, { force: true });
const options = process.argv.slice(2);
const stryker = join(root, 'node_modules', '@stryker-mutator', 'core', 'bin', 'stryker.js');
const sample = takeSample(options);
const { status } = spawnSync(process.execPath, [stryker, 'run', ...options, ...sample.options], {
  cwd: root,
  stdio: 'inherit',
});
const isWhole = !options.some((option) => /^(-m|--mutate|--dryRunOnly)/.test(option));
if (isWhole) keep(sample.words + table(JSON.parse(readFileSync(reportFile, 'utf8')) as Report));
process.exitCode = status ?? 1;
