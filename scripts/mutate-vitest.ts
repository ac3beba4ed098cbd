/**
 * Owns: which tests judge a mutant, and how they run: in one worker, each with the same random numbers every time.
 * Does not own: what is mutated (`stryker.config.mjs`).
 *
 * Left out are a test that reads the sources, which are instrumented here, and the one that compares a chart with its
 * fingerprint: every change of a chart fails it, so that it would call a chart tested that nothing tests. So is the one
 * that puts other charts in the place of ours: modules are loaded once for all tests here.
 */
import { defineConfig } from 'vitest/config';
import base from '../vitest.config.ts';

const { projects: _, ...common } = base.test ?? {};

export default defineConfig({
  ...base,
  test: {
    ...common,
    include: ['test/{machines,runtime}/**/*.test.ts'],
    exclude: [
      'test/machines/charts-are-pure.test.ts',
      'test/machines/formats-are-pinned-to-their-numbers.test.ts',
      'test/runtime/logs-fold-by-the-chart-they-name.test.ts',
    ],
    // The worker is a new one for each mutant, so that also what a module does when it is loaded is mutated.
    isolate: false,
    setupFiles: ['scripts/mutate-seed.ts'],
  },
});
