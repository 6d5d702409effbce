import { defineConfig } from 'vitest/config';

/** What takes minutes: real processes, killed, stopped and restarted under load. Run by hand: `npm run chaos`. */
export default defineConfig({
  ssr: { resolve: { conditions: ['module', 'node'] } }, // as in vitest.config.ts
  test: {
    include: ['test/chaos/*.chaos.ts'],
    globalSetup: 'test/support/postgres-setup.ts',
    testTimeout: 900_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    disableConsoleIntercept: true,
  },
});
