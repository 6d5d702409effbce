import { expect, test } from 'vitest';
import { createPostgresWakeUps } from '../../src/store/wake-ups/postgres.ts';
import { startDatabaseProxy } from '../support/database-proxy.ts';
import { createTestDatabase } from '../support/test-database.ts';
import { cancel, expectHeard, expectListening, joinOver, logged, SOON, work } from '../support/wake-ups.ts';

const join = (url: string, channel?: string) => joinOver(createPostgresWakeUps, { url, channel });

test('wake-ups reach every other process, and not their own', async () => {
  await using place = await createTestDatabase();
  await using a = join(place.url);
  await using b = join(place.url);
  await using c = join(place.url);
  await Promise.all([a, b, c].map((one) => expectListening(one)));
  const [first, second, third] = [logged(7), cancel(), logged(0)];
  a.send([first, second]);
  await expect.poll(() => b.listener.heard).toEqual([second, first]);
  c.send([third, work]);
  await expect.poll(() => a.listener.heard).toEqual([work, third]);
  await expect.poll(() => b.listener.heard).toEqual([second, first, work, third]);
  expect(c.listener.heard).toEqual([second, first]);
});

test('another channel hears nothing, whatever its name', async () => {
  await using place = await createTestDatabase();
  await using a = join(place.url);
  await using b = join(place.url, 'Some "other" channel.of ours');
  await using c = join(place.url, 'Some "other" channel.of ours');
  await Promise.all([a, b, c].map((one) => expectListening(one)));
  a.send([logged(1)]);
  await expectHeard(b, c);
  expect(b.listener.heard).toEqual([]);
  expect(a.listener.heard).toEqual([]);
});

test('5,000 responses in one send all arrive', async () => {
  await using place = await createTestDatabase();
  await using a = join(place.url);
  await using b = join(place.url);
  await expectListening(b);
  const wakeUps = Array.from({ length: 5_000 }, (_, last) => logged(last));
  a.send(wakeUps);
  await expect.poll(() => b.listener.heard.length, SOON).toBe(5_000);
  expect(b.listener.heard).toEqual(wakeUps);
  expect(a.lines).toEqual([]);
});

test('a foreign message on the channel is passed over', async () => {
  await using place = await createTestDatabase();
  await using a = join(place.url);
  await using b = join(place.url);
  await expectListening(b);
  for (const payload of ['', 'hello', '1 x lnothing:1', '2 x w']) {
    await place.sql`select pg_notify('responses_wake_ups', ${payload})`;
  }
  a.send([work]);
  await expect.poll(() => b.listener.heard).toEqual([work]);
  expect(b.lines).toEqual([]);
});

test('a listener whose connection is ended listens again and is told of the gap, each time', async () => {
  await using place = await createTestDatabase();
  await using a = join(place.url);
  await using b = join(place.url);
  await expectListening(a);
  await expectListening(b);
  for (let round = 2; round <= 21; round++) {
    await place.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'responses-graphql wake-ups'`;
    await expectListening(a, round);
    await expectListening(b, round);
  }
  await expectHeard(a, b);
  const countConnections = () => place.sql`
    select count(*)::int as count from pg_stat_activity
    where datname = current_database() and application_name = 'responses-graphql wake-ups'`;
  await expect.poll(countConnections, SOON).toEqual([{ count: 4 }]); // two each: none is left behind
});

test('a database that is away, again and again, is used as soon as it is back', async () => {
  await using place = await createTestDatabase();
  await using proxy = await startDatabaseProxy(place.url);
  await proxy.goAway();
  await using a = join(proxy.url);
  await using b = join(place.url);
  await expectListening(b);
  for (let round = 1; round <= 3; round++) {
    await expect.poll(() => a.lines.filter(({ level }) => level === 40).length, SOON).toBe(round);
    for (let n = 0; n < 1_000; n++) a.send([logged(n), work]);
    await proxy.comeBack();
    await expectListening(a, round);
    await expectHeard(a, b);
    await expectHeard(b, a);
    await proxy.goAway();
  }
  expect(a.lines[0]).toMatchObject({ level: 40, reason: expect.stringContaining('ECONNREFUSED') });
});

test('a database that stands still holds nobody up, and is used when it goes on', async () => {
  await using place = await createTestDatabase();
  await using proxy = await startDatabaseProxy(place.url);
  await using a = join(proxy.url);
  await using b = join(place.url);
  await expectListening(a);
  await expectHeard(a, b);
  proxy.freeze();
  const before = performance.now();
  for (let n = 0; n < 20_000; n++) a.send([logged(n)]);
  expect(performance.now() - before).toBeLessThan(1_000);
  await expect.poll(() => a.lines.length, SOON).toBe(1);
  proxy.thaw();
  await expectHeard(a, b);
  await expectHeard(b, a);
});

// Vitest fails a run in which a rejection was left unhandled, as Node ends a process for it.
test.each(['responses-graphql', 'listen "', 'select 1', 'pg_notify'])(
  'a connection that breaks at "%s" is replaced by another one',
  async (words) => {
    await using place = await createTestDatabase();
    await using proxy = await startDatabaseProxy(place.url);
    await using b = join(place.url);
    const gone = proxy.swallowAnswerTo(words).then(() => proxy.goAway());
    await using a = join(proxy.url);
    a.send([work]);
    await gone;
    await proxy.comeBack();
    await expectHeard(a, b);
    await expectHeard(b, a);
  },
);

test.each(['away', 'frozen', 'away from the start'])(
  'a close takes a second at most while the database is %s',
  async (how) => {
    await using place = await createTestDatabase();
    await using proxy = await startDatabaseProxy(place.url);
    if (how === 'away from the start') await proxy.goAway();
    const a = join(proxy.url);
    if (how !== 'away from the start') await expectListening(a);
    if (how === 'frozen') proxy.freeze();
    else await proxy.goAway();
    a.send([work]);
    const before = performance.now();
    await a.close();
    expect(performance.now() - before).toBeLessThan(1_000);
  },
);
