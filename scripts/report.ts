/**
 * Owns: the end of a build: what failed or was skipped, by name and with the first line of why, then the last line,
 * `N passed, N failed`, from the test runner's own report. Fails where it shows no test, or, with REQUIRE_ALL=1, a skip.
 */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

interface Assertion {
  status: string;
  fullName: string;
  failureMessages: string[];
}

interface RunnerReport {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  testResults: { name: string; status: string; message: string; assertionResults: Assertion[] }[];
}

type TestFile = RunnerReport['testResults'][number];

const root = join(import.meta.dirname, '..');
const report = JSON.parse(readFileSync(join(root, 'reports', 'tests.json'), 'utf8')) as RunnerReport;

const firstLine = (text = ''): string => text.split('\n', 1)[0] ?? '';

/** A file whose preparation failed has no failed test: its own message says why. */
function troublesOf({ name, status, message, assertionResults }: TestFile): string[] {
  const tests = assertionResults
    .filter((test) => test.status !== 'passed')
    .map((test) => `  ${test.status}: ${test.fullName}\n    ${firstLine(test.failureMessages[0])}`);
  if (tests.length === 0 && status === 'passed') return [];
  return [`${relative(root, name)} ${firstLine(message)}`, ...tests];
}

for (const line of report.testResults.flatMap(troublesOf)) console.log(line);
const { numPassedTests, numFailedTests, numPendingTests } = report;
const skipped = numPendingTests > 0 ? `, ${numPendingTests} skipped` : '';
console.log(`${numPassedTests} passed, ${numFailedTests} failed${skipped}`);
if (numPassedTests + numFailedTests === 0 || (process.env.REQUIRE_ALL === '1' && numPendingTests > 0))
  process.exitCode = 1;
