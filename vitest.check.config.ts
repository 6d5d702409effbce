import { defineConfig } from 'vitest/config';

/** The tests of `npm run check`: rules of the code itself, which need no database. */
export default defineConfig({
  ssr: { resolve: { conditions: ['module', 'node'] } }, // as in vitest.config.ts
  test: { include: ['test/architecture.test.ts', 'test/schema.test.ts'] },
});
