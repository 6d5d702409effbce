import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/postgres-setup.ts',
    testTimeout: 15_000,
    hookTimeout: 30_000,
    maxWorkers: 3, // two cores, and most tests wait
  },
});
