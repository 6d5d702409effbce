import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { send } from '../support/graphql.ts';
import { startTestApp } from '../support/test-app.ts';

test('nothing is kept of documents that cannot be executed, however many come', async () => {
  await using app = await startTestApp();
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const fields = Array.from({ length: 4 }, (_, n) => `b${n}`).join(' ');
  const flood = async () => {
    for (let n = 0; n < 30; n++)
      expect(
        (await send(app, `query Q${Math.random().toString(36).slice(2)} { ${fields} }`)).errors,
      ).toBeDefined();
    collect();
    return process.memoryUsage().heapUsed;
  };
  await flood();
  const before = await flood();
  expect(((await flood()) - before) / 30).toBeLessThan(30_000); // bytes each
});
