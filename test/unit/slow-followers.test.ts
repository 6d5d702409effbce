import { expect, test } from 'vitest';
import type { ResponseEvent } from '../../src/protocol/events.ts';
import {
  delta,
  event,
  events,
  next,
  numbers,
  numbersOf,
  startFollowers,
  terminal,
  upTo,
} from '../support/follow-world.ts';

test('one that falls behind is given joined deltas until it is there again, and every number from then on', async () => {
  const { world, follow, tell } = startFollowers({ log: [event(0)], page: 1000 });
  const batches = follow();
  expect(await next(batches)).toEqual([0]);
  tell([delta(1)]);
  expect(await next(batches)).toEqual([1]);
  for (let number = 2; number <= 4500; number++) tell([delta(number)]);
  const caughtUp: ResponseEvent[] = [];
  while (caughtUp.at(-1)?.sequenceNumber !== 4500) caughtUp.push(...((await batches.next()).value ?? []));
  const joined = caughtUp.map((each) => ('delta' in each ? each.delta : '')).join('');
  expect(joined).toBe(
    upTo(4500)
      .slice(2)
      .map((number) => `${number} `)
      .join(''),
  );
  expect(numbersOf(caughtUp).slice(0, 2)).toEqual([1001, 2001]);
  world.onRead = () => expect.unreachable('it is live again');
  for (let number = 4501; number <= 4510; number++) tell([delta(number)]);
  tell([terminal(4511)]);
  expect(await numbers(batches)).toEqual(upTo(4511).slice(4501));
});

test('a few large events are too much to keep as well', async () => {
  const { follow, tell, world } = startFollowers({ log: [event(0)] });
  const batches = follow();
  await batches.next();
  tell([delta(1)]);
  await batches.next();
  const large = 'x'.repeat(1024 * 1024);
  let reads = 0;
  world.onRead = () => reads++;
  for (let number = 2; number <= 5; number++) tell([delta(number, large)]);
  tell([terminal(6)]);
  const rest = (await Array.fromAsync(batches)).flat();
  expect(reads).toBeGreaterThan(0);
  expect(
    rest.map((each) => ('delta' in each ? each.delta.length : 0)).reduce((sum, size) => sum + size),
  ).toBe(4 * large.length);
});

test('a replay sees every number, however much is told meanwhile', async () => {
  const { follow, tell } = startFollowers({ log: events(0, 99, delta) });
  const batches = follow();
  const seen = await next(batches);
  for (let number = 100; number < 4600; number++) tell([delta(number)]);
  tell([terminal(4600)]);
  expect([...seen, ...(await numbers(batches))]).toEqual(upTo(4600));
});
