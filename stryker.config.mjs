/** What `npm run mutate` does: `docs/mutation.md`. */
export default {
  mutate: [
    'src/machines/**/*.ts',
    'src/runtime/**/*.ts',
    // Charts that are kept as they were, for the logs that they wrote.
    '!src/machines/charts/**',
    // Interfaces.
    '!src/runtime/ports/**',
  ],
  ignorers: ['error-messages'],
  plugins: ['@stryker-mutator/vitest-runner', './scripts/mutate-ignore.ts'],

  testRunner: 'vitest',
  // `related` would look for tests by imports; which test covers which mutant is measured anyway.
  vitest: { configFile: 'scripts/mutate-vitest.ts', related: false },
  coverageAnalysis: 'perTest',
  concurrency: 1,
  // Room for a machine that does something else as well: a mutant that only was slow would count as found.
  timeoutMS: 20_000,
  warnings: { slow: false },

  // Stryker would rewrite it with TypeScript's JavaScript API, which version 7 does not have.
  tsconfigFile: 'none.json',
  ignorePatterns: ['/agents', '/data', '/deploy', '/dist', '/docs', '/reports'],
  tempDirName: 'reports/mutation/sandboxes',
  incrementalFile: 'reports/mutation/incremental.json',

  reporters: ['progress-append-only', 'clear-text', 'json', 'html'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: 'reports/mutation/mutation.json' },
  htmlReporter: { fileName: 'reports/mutation/mutation.html' },
  thresholds: { high: 90, low: 80, break: 80 },
};
