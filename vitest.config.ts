import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Not the default `development`: Node itself loads packages without it, and two copies of graphql are one too many.
  ssr: { resolve: { conditions: ['module', 'node'] } },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/postgres-setup.ts',
    testTimeout: 15_000,
    hookTimeout: 30_000,
    maxWorkers: 3, // two cores, and most tests wait
  },
});
