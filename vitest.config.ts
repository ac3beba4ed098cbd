import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['holdfast-source'] },
  ssr: { resolve: { conditions: ['holdfast-source'] } },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 20_000,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      // These run in a browser alone, where the tests of the console try them.
      exclude: [
        'src/console/page/*.ts',
        'src/console/page/calls/**',
        'src/console/page/call/!(call-model|line-state|hearing|cursor).ts',
        'src/console/page/state/{server,scene}.ts',
        'src/console/page/try/{audio,phone,try-scene,worklet}.ts',
      ],
      reporter: ['text-summary', 'json-summary'],
      thresholds: { lines: 90, branches: 90 },
      reportsDirectory: 'reports/coverage',
    },
  },
});
