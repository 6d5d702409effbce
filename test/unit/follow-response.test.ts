import { expect, test } from 'vitest';
import { followResponse } from '../../src/engine/following/follow-response.ts';
import { Hub } from '../../src/engine/following/hub.ts';
import { LogReader } from '../../src/engine/following/log-reader.ts';
import { newResponseId } from '../../src/protocol/ids.ts';
import type { Database } from '../../src/store/database.ts';
import {
  events,
  next,
  numbers,
  scope,
  settled,
  startFollowers,
  terminal,
  upTo,
} from '../support/follow-world.ts';

test('what is told while the log is read in pages comes behind it, each event once', async () => {
  const { world, follow, tell } = startFollowers({ log: events(0, 9) });
  const told = [events(10, 11), events(12, 12), [terminal(13)]];
  world.onRead = () => tell(told.shift() ?? []);
  expect(await numbers(follow())).toEqual(upTo(13));
});

test('an end between the look at the log and the next word of the hub is seen', async () => {
  const { world, follow, log } = startFollowers({ log: events(0, 2) });
  world.onRead = () => {
    world.onRead = () => {};
    log([terminal(3)])();
  };
  expect(await numbers(follow())).toEqual(upTo(3));
});

test('one that has everything is given nothing more, and ends', async () => {
  const { follow } = startFollowers({ log: [...events(0, 2), terminal(3)], end: 3 });
  expect(await numbers(follow(3))).toEqual([]);
  expect(await numbers(follow(2))).toEqual([3]);
  expect(await numbers(follow())).toEqual(upTo(3));
});

test('a wake-up leads to one look into the log, one that says nothing new to none', async () => {
  const { follow, log, reads, hub, responseId } = startFollowers({ log: events(0, 1) });
  const batches = follow();
  expect(await next(batches)).toEqual([0, 1]);
  const waiting = next(batches);
  await settled();
  const before = reads();
  hub.wake(responseId, 0);
  hub.wake(responseId, 1);
  await settled();
  expect(reads()).toBe(before);
  log(events(2, 3))();
  expect(await waiting).toEqual([2, 3]);
  expect(reads()).toBe(before + 1);
  await batches.return();
});

test('a wake-up while the log is read is not lost', async () => {
  const { world, follow, log } = startFollowers({ log: events(0, 0) });
  const batches = follow();
  expect(await next(batches)).toEqual([0]);
  const waiting = next(batches);
  await settled();
  world.onRead = () => {
    world.onRead = () => {};
    log([terminal(2)])(); // committed behind the back of the statement under way
  };
  log(events(1, 1))();
  expect(await waiting).toEqual([1]);
  expect(await numbers(batches)).toEqual([2]);
});

test('a run that moves between processes is followed through all of them', async () => {
  const { follow, tell, log } = startFollowers({ log: events(0, 0) });
  const batches = follow();
  expect(await next(batches)).toEqual([0]);
  tell(events(1, 2));
  expect(await next(batches)).toEqual([1, 2]);
  log(events(3, 4))(); // another process has taken it over
  expect(await next(batches)).toEqual([3, 4]);
  log(events(5, 5)); // its wake-up is lost
  tell(events(6, 6)); // and this process has it again
  expect(await next(batches)).toEqual([5, 6]);
  tell([terminal(7)]);
  expect(await numbers(batches)).toEqual([7]);
});

test('all that are woken together share one look into the log', async () => {
  const { follow, log, reads } = startFollowers({ log: events(0, 0) });
  const followers = Array.from({ length: 200 }, () => follow());
  await Promise.all(followers.map(next));
  expect(reads()).toBe(1);
  const rest = followers.map(numbers);
  await settled();
  log(events(1, 2))();
  await settled();
  log([terminal(3)])();
  expect(await Promise.all(rest)).toEqual(followers.map(() => [1, 2, 3]));
  expect(reads()).toBeLessThanOrEqual(4);
});

test('while the database is away it waits, and goes on where it was', async () => {
  const { world, follow, log } = startFollowers({ log: events(0, 1), isAway: true });
  const rest = numbers(follow());
  await settled();
  log([terminal(2)])();
  world.isAway = false;
  expect(await rest).toEqual([0, 1, 2]);
});

test('a response that is gone before its end was told is an error, never a quiet end', async () => {
  const { world, follow, hub, responseId } = startFollowers({ log: events(0, 1) });
  const batches = follow();
  expect(await next(batches)).toEqual([0, 1]);
  const rest = numbers(batches);
  await settled();
  Object.assign(world, { log: [], isGone: true });
  hub.wake(responseId, Number.POSITIVE_INFINITY);
  await expect(rest).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(hub.isFollowed(responseId)).toBe(false);
});

test('leaving takes effect at once, also while the log does not answer', async () => {
  const hub = new Hub();
  const responseId = newResponseId();
  const database = { as: () => new Promise(() => {}) } as unknown as Database;
  const dependencies = { database, hub, reader: new LogReader(database), recentOf: () => undefined };
  const batches = followResponse(dependencies, { scope, responseId, after: -1 });
  const waiting = batches.next();
  expect(hub.followed()).toEqual([responseId]);
  await batches.return();
  expect(await waiting).toEqual({ done: true, value: undefined });
  expect(hub.followed()).toEqual([]);
});
