/**
 * Owns: `npm run mutate`: has Stryker change the core one place at a time, and writes the result into
 * `docs/mutation.md`. Options go to Stryker: `-m src/runtime/timers.ts` for one file, `--incremental` to keep what is
 * known. A run of some files only is written nowhere.
 * Does not own: what is changed (`stryker.config.mjs`), which tests judge it (`mutate-vitest.ts`).
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Report {
  files: Record<string, { mutants: { status: string }[] }>;
}

type Counts = Record<'found' | 'survived' | 'uncovered' | 'invalid' | 'ignored', number>;

const root = join(import.meta.dirname, '..');
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

rmSync(reportFile, { force: true });
const options = process.argv.slice(2);
const stryker = join(root, 'node_modules', '@stryker-mutator', 'core', 'bin', 'stryker.js');
const { status } = spawnSync(process.execPath, [stryker, 'run', ...options], { cwd: root, stdio: 'inherit' });
const isWhole = !options.some((option) => /^(-m|--mutate|--dryRunOnly)/.test(option));
if (isWhole) keep(table(JSON.parse(readFileSync(reportFile, 'utf8')) as Report));
process.exitCode = status ?? 1;
