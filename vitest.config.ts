import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Not the default `development`: Node itself loads packages without it, and two copies of graphql are one too many.
  ssr: { resolve: { conditions: ['module', 'node'] } },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/postgres-setup.ts',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    isolate: false, // no test changes a module, and loading them all for each file takes a third of the time
    maxWorkers: 3, // two cores, and most tests wait
    execArgv: ['--v8-pool-size=1', '--max-semi-space-size=64'], // less work beside the tests, on the same cores
  },
});
