/** Owns: the test runner's own report: where it lies, its shape, reading it. Does not own: what is made of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface RunnerReport {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  success: boolean;
  testResults: TestFile[];
}

export interface TestFile {
  name: string;
  status: string;
  message: string;
  assertionResults: { status: string; fullName: string; failureMessages: string[] }[];
}

export const runnerReportPath = join(import.meta.dirname, '..', 'reports', 'tests.json');

export const readRunnerReport = (): RunnerReport =>
  JSON.parse(readFileSync(runnerReportPath, 'utf8')) as RunnerReport;
