import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { isDatabaseAway, openDatabase } from '../../src/store/database.ts';
import { startDatabaseProxy } from '../support/database-proxy.ts';
import { createTestDatabase } from '../support/test-database.ts';

test('arrays arrive as they were given, whatever stands in their texts', async () => {
  await using place = await createTestDatabase();
  const database = openDatabase(place.url);
  const texts = ['', 'a,b', '"', '\\', '\\"', "'", '{}', 'null', 'NULL', ' x ', '\n', '🔑', '\\u0000', null];
  const numbers = [0, -1, 2_147_483_647, null];
  const rows =
    await database.acrossTenants`select * from unnest(${texts}::text[]) with ordinality as t (text, place)`;
  expect(rows.map(({ text }) => text)).toEqual(texts);
  const found = await database.acrossTenants`select unnest(${numbers}::int[]) as number`;
  expect(found.map(({ number }) => number)).toEqual(numbers);
  expect(await database.acrossTenants`select 1 where 'x' = any(${[]}::text[])`).toEqual([]);
  await database.close();
});

// Vitest fails a run in which a rejection was left unhandled, as Node ends a process for it.
test.each(['responses-graphql', 'pg_type', 'select 42'])(
  'a new connection that breaks at "%s" costs its query at most, never the process',
  async (words) => {
    await using place = await createTestDatabase();
    await using proxy = await startDatabaseProxy(place.url);
    const database = openDatabase(proxy.url);
    const gone = proxy.swallowAnswerTo(words).then(() => proxy.goAway());
    const settled = Promise.allSettled(
      Array.from({ length: 5 }, () => database.acrossTenants`select 42 as answer`),
    );
    if (words !== 'pg_type') await gone; // of that nothing is asked
    const outcomes = await settled;
    await proxy.goAway();
    await proxy.comeBack();
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(isDatabaseAway(outcome.reason)).toBe(true);
    }
    const again = () => database.acrossTenants`select 42 as answer`.catch(() => null);
    await expect.poll(again, { timeout: 5000 }).toEqual([{ answer: 42 }]);
    await database.close();
  },
);

test('no query is forgotten, however often connections break under many of them', async () => {
  await using place = await createTestDatabase();
  await using proxy = await startDatabaseProxy(place.url);
  const database = openDatabase(proxy.url);
  const text = 'more than one packet of the client holds '.repeat(100);
  for (let round = 0; round < 15; round++) {
    const queries = Array.from({ length: 15 }, () =>
      database.acrossTenants`select ${text}::text`.catch(() => {}),
    );
    for (let turn = 0; turn < round; turn++) await nextTurn();
    await proxy.goAway();
    await proxy.comeBack();
    await Promise.all(queries);
  }
  await database.close();
});

test('idle connections that break at one moment, with queries in between, cost no later query its time', async () => {
  await using place = await createTestDatabase();
  await using proxy = await startDatabaseProxy(place.url);
  const database = openDatabase(proxy.url);
  const many = () =>
    Promise.all(Array.from({ length: 10 }, () => database.acrossTenants`select 42 as answer`));
  for (let round = 0; round < 5; round++) {
    await many();
    const away = proxy.goAway();
    const between = [];
    for (let turn = 0; turn < 30; turn++) {
      between.push(database.acrossTenants`select 1`.catch(() => {}));
      await nextTurn();
    }
    await away;
    await proxy.comeBack();
    await Promise.all(between);
    const began = performance.now();
    const back = () =>
      many().then(
        ({ length }) => length,
        () => 0,
      );
    await expect.poll(back, { timeout: 4000 }).toBe(10);
    expect(performance.now() - began).toBeLessThan(4000);
  }
  await database.close();
});
