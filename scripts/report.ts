/** Owns: the last line of a build: `N passed, N failed`, from the test runner's own report. Fails where it shows no test. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface RunnerReport {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
}

const file = join(import.meta.dirname, '..', 'reports', 'tests.json');
const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(
  readFileSync(file, 'utf8'),
) as RunnerReport;
const skipped = numPendingTests > 0 ? `, ${numPendingTests} skipped` : '';
console.log(`${numPassedTests} passed, ${numFailedTests} failed${skipped}`);
if (numPassedTests + numFailedTests === 0 || (process.env.REQUIRE_ALL === '1' && numPendingTests > 0))
  process.exitCode = 1;
