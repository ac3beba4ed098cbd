/**
 * Owns: the end of a build: what failed or was skipped, by name and with the first line of why, then the last line,
 * `N passed, N failed`, from the test runner's own report. Fails where it shows no test, or, with REQUIRE_ALL=1, a skip.
 */
import { join, relative } from 'node:path';
import { readRunnerReport, type TestFile } from './runner-report.ts';

const root = join(import.meta.dirname, '..');
const report = readRunnerReport();

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
