import { expect, test } from 'vitest';
import { followResponse } from '../../src/engine/following/follow-response.ts';
import { Hub } from '../../src/engine/following/hub.ts';
import { LogReader } from '../../src/engine/following/log-reader.ts';
import type { ResponseEvent } from '../../src/protocol/events.ts';
import { newItemId, newResponseId } from '../../src/protocol/ids.ts';
import { INITIAL_STATE } from '../../src/protocol/response.ts';
import type { Database } from '../../src/store/database.ts';

const scope = { tenant: 'default' };

const event = (sequenceNumber: number): ResponseEvent => ({
  type: 'response.in_progress',
  state: INITIAL_STATE,
  sequenceNumber,
});
const terminal = (sequenceNumber: number): ResponseEvent => ({
  type: 'response.completed',
  state: { ...INITIAL_STATE, status: 'completed' },
  sequenceNumber,
});
const itemId = newItemId('msg');
const delta = (sequenceNumber: number, text = `${sequenceNumber} `): ResponseEvent => ({
  type: 'response.output_text.delta',
  itemId,
  outputIndex: 0,
  contentIndex: 0,
  delta: text,
  logprobs: null,
  sequenceNumber,
});
const events = (first: number, last: number, make = event) =>
  Array.from({ length: last - first + 1 }, (_, index) => make(first + index));

interface World {
  /** Events in the log. */
  log: readonly ResponseEvent[];
  /** Number of the terminal event, as the row tells it; null while in flight. */
  end: number | null;
  isGone: boolean;
  isAway: boolean;
  /** How many events a page holds. */
  page: number;
  /** Called when the log has been read, and before the reader learns what was in it. */
  onRead: () => void;
}

/** Followers of a response whose log is what `world` says. */
function startFollowers(more: Partial<World> = {}) {
  const world: World = {
    log: [],
    end: null,
    isGone: false,
    isAway: false,
    page: 3,
    onRead: () => {},
    ...more,
  };
  const hub = new Hub();
  const responseId = newResponseId();
  let reads = 0;
  const sql = async (_: TemplateStringsArray, ...values: unknown[]) => {
    reads++;
    if (world.isAway) throw Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
    const missed = world.log.filter(({ sequenceNumber }) => sequenceNumber > Number(values[4]));
    const { isGone, end } = world;
    world.onRead();
    const page = missed.slice(0, world.page);
    const row = { exists: !isGone, lastSequence: end, trimmed: false, found: missed.length };
    if (page.length === 0) return [{ ...row, body: null }];
    const isWhole = page.length === missed.length;
    return [{ ...row, found: isWhole ? 1 : 2, body: JSON.stringify(page) }];
  };
  const database = { sql } as unknown as Database;
  const dependencies = { database, hub, reader: new LogReader(database) };
  const follow = (after = -1) => followResponse(dependencies, { scope, responseId, after });
  /** As the recorder does: commits, then tells. */
  const tell = (told: readonly ResponseEvent[]) => {
    world.log = [...world.log, ...told];
    const last = told.at(-1);
    if (last?.type === 'response.completed') world.end = last.sequenceNumber;
    hub.tell(responseId, told);
  };
  /** As another process does: commits; its wake-up may come. */
  const log = (committed: readonly ResponseEvent[]) => {
    world.log = [...world.log, ...committed];
    const last = committed.at(-1);
    if (last?.type === 'response.completed') world.end = last.sequenceNumber;
    return () => hub.wake(responseId, last?.sequenceNumber ?? 0);
  };
  return { world, hub, responseId, follow, tell, log, reads: () => reads };
}

type Batches = AsyncGenerator<readonly ResponseEvent[], void>;

const numbersOf = (all: readonly ResponseEvent[]) => all.map(({ sequenceNumber }) => sequenceNumber);
const numbers = async (batches: Batches) => numbersOf((await Array.fromAsync(batches)).flat());
const next = async (batches: Batches) => numbersOf((await batches.next()).value ?? []);
const upTo = (last: number) => Array.from({ length: last + 1 }, (_, index) => index);
/** Whatever can happen by itself has happened. */
const settled = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
};

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
  const database = { sql: () => new Promise(() => {}) } as unknown as Database;
  const dependencies = { database, hub, reader: new LogReader(database) };
  const batches = followResponse(dependencies, { scope, responseId, after: -1 });
  const waiting = batches.next();
  expect(hub.followed()).toEqual([responseId]);
  await batches.return();
  expect(await waiting).toEqual({ done: true, value: undefined });
  expect(hub.followed()).toEqual([]);
});
