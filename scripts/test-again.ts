/**
 * Owns: the second look at tests that failed once and hang on the speed of a machine that is shared: those with a browser,
 * a balancer or a database, or processes of ours. Their files are run once more, and what passes then is told by name and
 * counted as passed in the runner's report. What runs on a virtual clock, properties above all, has no second chance.
 * Does not own: the first run (`test.ts`), the last line (`report.ts`).
 *
 * Exit codes: 0 all passed the second time; 1 not, or there is nothing to look at again, or too much for chance.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { coverageThresholds } from '../vitest.config.ts';
import { readRunnerReport, runnerReportPath } from './runner-report.ts';

/** More than this is no chance. */
const mostFiles = 3;

const hangsOnSpeed =
  /\/test\/(console|deploy|end-to-end|grafana|load)\/|\/test\/platform\/reads-are-gathered|\/test\/service\/(all-processes-stop|restarts-turn|service-stops|workers-share)|\/test\/journal\/postgres-/;

const root = join(import.meta.dirname, '..');

function rerun(files: readonly string[]): boolean {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const { status } = spawnSync(process.execPath, [vitest, 'run', ...files], { cwd: root, stdio: 'inherit' });
  return status === 0;
}

/** A failed test must not hide what a whole run demands besides. */
function isCovered(): boolean {
  const file = join(root, 'reports', 'coverage', 'coverage-summary.json');
  const { total } = JSON.parse(readFileSync(file, 'utf8')) as { total: Record<string, { pct: number }> };
  return Object.entries(coverageThresholds).every(([kind, least]) => (total[kind]?.pct ?? 0) >= least);
}

function lookAgain(): boolean {
  const report = readRunnerReport();
  const failed = report.testResults.filter(({ status }) => status === 'failed');
  if (failed.length === 0 || failed.length > mostFiles) return false;
  if (!failed.every(({ name }) => hangsOnSpeed.test(name)) || !isCovered()) return false;
  if (!rerun(failed.map(({ name }) => name))) return false;
  const names = failed.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
  );
  console.log(`Failed once and passed the second time:\n${names.map((name) => `  ${name}`).join('\n')}`);
  const { numPassedTests, numFailedTests } = report;
  const counted = {
    ...report,
    numPassedTests: numPassedTests + numFailedTests,
    numFailedTests: 0,
    success: true,
  };
  writeFileSync(runnerReportPath, JSON.stringify(counted));
  return true;
}

process.exitCode = lookAgain() ? 0 : 1;
