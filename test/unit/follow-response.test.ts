import { expect, test } from 'vitest';
import { followResponse } from '../../src/engine/following/follow-response.ts';
import { Hub } from '../../src/engine/following/hub.ts';
import type { ResponseEvent } from '../../src/protocol/events.ts';
import { newResponseId } from '../../src/protocol/ids.ts';
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
const events = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => event(first + index));

interface World {
  /** Events in the log. */
  log: readonly ResponseEvent[];
  inFlight: boolean;
  runsHere: boolean;
  /** Called when the log has been read, and before the reader learns what was in it. */
  onRead: () => void;
}

/** A follower of a response whose log and whereabouts are what `world` says. Pages of the log hold 3 events. */
function startFollower(more: Partial<World> = {}) {
  const world: World = { log: [], inFlight: true, runsHere: true, onRead: () => {}, ...more };
  const hub = new Hub();
  const responseId = newResponseId();
  const sql = async (strings: TemplateStringsArray, ...values: unknown[]) => {
    if (strings.join('').includes('from responses')) return world.inFlight ? [{}] : [];
    const after = Number(values[2]);
    const page = world.log.filter(({ sequenceNumber }) => sequenceNumber > after).slice(0, 3);
    world.onRead();
    return page.length === 0 ? [] : [{ body: JSON.stringify(page) }];
  };
  const following = {
    database: { sql } as unknown as Database,
    hub,
    pollMs: 5,
    runsHere: () => world.runsHere,
    stopping: new AbortController().signal,
  };
  const batches = followResponse(following, { scope, responseId, after: -1 });
  const numbers = async () => (await Array.fromAsync(batches)).flat().map((each) => each.sequenceNumber);
  /** As the recorder does: commits, then tells. */
  const tell = (told: readonly ResponseEvent[]) => {
    world.log = [...world.log, ...told];
    hub.tell(responseId, told);
  };
  return { world, batches, numbers, tell };
}

const upTo = (last: number) => Array.from({ length: last + 1 }, (_, index) => index);

test('what is told while the log is read in pages comes behind it, each event once', async () => {
  const { world, numbers, tell } = startFollower({ log: events(0, 9) });
  const told = [events(10, 11), events(12, 12), [terminal(13)]];
  world.onRead = () => tell(told.shift() ?? []);
  expect(await numbers()).toEqual(upTo(13));
});

test('a follower too far behind for what is kept for it reads it from the log', async () => {
  const { batches, tell } = startFollower({ log: events(0, 0) });
  const seen = [...((await batches.next()).value ?? [])];
  for (let number = 1; number < 4500; number++) tell([event(number)]);
  tell([terminal(4500)]);
  for await (const batch of batches) seen.push(...batch);
  expect(seen.map(({ sequenceNumber }) => sequenceNumber)).toEqual(upTo(4500));
});

test('an end between the look at the row and the look into the log is seen', async () => {
  const { world, numbers } = startFollower({ log: events(0, 2), runsHere: false });
  let reads = 0;
  world.onRead = () => {
    if (++reads < 2) return; // the second look finds nothing new
    world.log = [...events(0, 2), terminal(3)];
    world.inFlight = false;
  };
  expect(await numbers()).toEqual(upTo(3));
});

test('a response that has ended elsewhere and been deleted ends its follower', async () => {
  const { world, numbers } = startFollower({ log: events(0, 1), runsHere: false });
  world.onRead = () => {
    world.log = [];
    world.inFlight = false;
  };
  expect(await numbers()).toEqual(upTo(1));
});

test('a run that moves elsewhere without a word is followed through its log', async () => {
  const { world, numbers, batches, tell } = startFollower({ log: events(0, 0) });
  await batches.next();
  tell(events(1, 1));
  world.runsHere = false; // declared dead: another process ends it
  world.inFlight = false;
  world.log = [...events(0, 1), terminal(2)];
  expect(await numbers()).toEqual([1, 2]);
});
