import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Rooms whose tests leave nothing behind: their files share a process, which spares loading every module for each. */
const together = [
  'adapters',
  'agent',
  'config',
  'drills',
  'machines',
  'media',
  'platform',
  'runtime',
  'telemetry',
  'twin',
];

/** These put another module in the place of one of ours. */
const replacing = [
  'test/runtime/logs-fold-by-the-chart-they-name.test.ts',
  'test/adapters/http/admin-server-serves-the-operator.test.ts',
];

export const coverageThresholds = { lines: 90, branches: 90 };

const filesOf = (rooms: string): string => `test/${rooms}/**/*.test.ts`;

export default defineConfig({
  resolve: { conditions: ['holdfast-source'] },
  ssr: { resolve: { conditions: ['holdfast-source'] } },
  test: {
    pool: 'forks',
    testTimeout: 20_000,
    // Many tests wait for real time to pass: on two cores, one worker (the default) takes two thirds longer.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: [filesOf(`{${together.join(',')}}`)],
          exclude: replacing,
          isolate: false,
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: [filesOf(`!(${together.join('|')})`), ...replacing] },
      },
    ],
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
      thresholds: coverageThresholds,
      reportOnFailure: true,
      reportsDirectory: 'reports/coverage',
    },
  },
});
