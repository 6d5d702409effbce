import { createYoga } from 'graphql-yoga';
import { expect, test } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { useHealth } from '../../src/server/plugins/use-health.ts';

test('however many ask at once whether it is ready, the database is asked once, and anew after that', async () => {
  let asked = 0;
  const isReady = async () => ++asked === 1;
  const server = createYoga({ schema, plugins: [useHealth({ isReady })] });
  const ask = async () => (await server.fetch('http://127.0.0.1/ready')).status;
  const together = await Promise.all(Array.from({ length: 100 }, ask));
  expect([asked, new Set(together)]).toEqual([1, new Set([200])]);
  expect([await ask(), asked]).toEqual([503, 2]);
});
