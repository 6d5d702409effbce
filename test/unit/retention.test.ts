import { expect, test } from 'vitest';
import { followResponse } from '../../src/engine/following/follow-response.ts';
import { Hub } from '../../src/engine/following/hub.ts';
import { LogReader } from '../../src/engine/following/log-reader.ts';
import { trimLogs as trimAll } from '../../src/engine/following/trim-logs.ts';
import { trimLogs } from '../../src/store/retention.ts';
import { anyEvent, openLogs } from '../support/log-rows.ts';

const log = [anyEvent(0), anyEvent(1)];

test('logs go once they are old enough, the oldest first; the others stay', async () => {
  await using logs = await openLogs();
  const older = await logs.add({ endedAgo: 20, log });
  const old = await logs.add({ endedAgo: 11, log });
  await logs.add({ endedAgo: 11, isDeleted: true });
  const young = await logs.add({ endedAgo: 9, log });
  const inFlight = await logs.add({ log });
  const left = async () =>
    new Set((await logs.sql`select response_id as id from events`).map(({ id }) => id));
  expect(await trimLogs(logs.database, { minutes: 10, limit: 1 })).toBe(1);
  expect(await left()).toEqual(new Set([old, young, inFlight]));
  await trimAll(logs.database, 10);
  expect(await left()).toEqual(new Set([young, inFlight]));
  const marked = await logs.sql`select id from responses where trimmed_at is not null`;
  expect(new Set(marked.map(({ id }) => id))).toEqual(new Set([older, old]));
  expect(await trimLogs(logs.database, { minutes: 10, limit: 1 })).toBe(0);
});

test('instances that trim at one moment share the work, and wait for nobody', async () => {
  await using logs = await openLogs();
  for (let count = 0; count < 40; count++) await logs.add({ endedAgo: 20, log });
  const trimmed = await Promise.all(
    Array.from({ length: 8 }, () => trimLogs(logs.database, { minutes: 10, limit: 10 })),
  );
  await Promise.all([trimAll(logs.database, 10), trimAll(logs.database, 10)]);
  expect(trimmed.reduce((sum, each) => sum + each)).toBeLessThanOrEqual(40);
  expect(await logs.sql`select 1 from events`).toHaveLength(0);
  expect(await logs.sql`select 1 from responses where trimmed_at is null`).toHaveLength(0);
});

test('a follower whose log is trimmed between two pages gets a snapshot and the end, and no quiet gap', async () => {
  await using logs = await openLogs();
  const long = Array.from({ length: 1200 }, (_, number) => anyEvent(number));
  const responseId = await logs.add({ endedAgo: 20, log: long });
  const { database } = logs;
  const following = { database, hub: new Hub(), reader: new LogReader(database), recentOf: () => undefined };
  const follow = (after: number) =>
    followResponse(following, { scope: { tenant: 'default' }, responseId, after });
  const told = async (batches: ReturnType<typeof follow>) =>
    (await Array.fromAsync(batches)).flat().map(({ type, sequenceNumber }) => [type, sequenceNumber]);
  const [early, late] = [follow(-1), follow(698)];
  expect((await early.next()).value).toEqual(long.slice(0, 500));
  expect((await late.next()).value).toEqual(long.slice(699, 1199));
  await trimAll(database, 10);
  expect(await told(early)).toEqual([
    ['response.snapshot', 1198],
    ['response.completed', 1199],
  ]);
  expect(await told(late)).toEqual([['response.completed', 1199]]); // it had everything before that
  expect(await told(follow(1199))).toEqual([]);
});
