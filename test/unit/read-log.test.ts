import { expect, test } from 'vitest';
import { lastNumber, readLog } from '../../src/store/event-log.ts';
import { anyEvent, openLogs } from '../support/log-rows.ts';

const scope = { tenant: 'default' };
const events = (count: number, size = 0) =>
  Array.from({ length: count }, (_, number) => anyEvent(number, size));

test('a page has so many rows, or so many bytes, and at least one row', async () => {
  await using logs = await openLogs();
  const pagesOf = async (count: number, size: number) => {
    const responseId = await logs.add({ log: events(count, size) });
    const pages: number[] = [];
    for (let after = -1; ; ) {
      const page = await readLog(logs.database, scope, { responseId, after });
      pages.push(page.events.length);
      expect(page.events[0]?.sequenceNumber).toBe(after + 1);
      after = page.events.at(-1)?.sequenceNumber ?? after;
      if (!page.isCut) return pages;
    }
  };
  expect(await pagesOf(1200, 0)).toEqual([500, 500, 200]);
  expect(await pagesOf(8, 100_000)).toEqual([3, 3, 2]);
  expect(await pagesOf(2, 2_000_000)).toEqual([1, 1]);
});

test('a page tells what the response is at that moment', async () => {
  await using logs = await openLogs();
  const log = events(3);
  const stateOf = async (row: object, after = -1) => {
    const responseId = await logs.add({ log, ...row });
    const { events: found, ...rest } = await readLog(logs.database, scope, { responseId, after });
    return [found.length, rest.response];
  };
  expect(await stateOf({})).toEqual([3, { lastSequence: null, isTrimmed: false }]);
  expect(await stateOf({}, 2)).toEqual([0, { lastSequence: null, isTrimmed: false }]);
  expect(await stateOf({ endedAgo: 5 }, 1)).toEqual([1, { lastSequence: 2, isTrimmed: false }]);
  expect(await stateOf({ endedAgo: 5, isTrimmed: true, log: [] })).toEqual([
    0,
    { lastSequence: 0, isTrimmed: true },
  ]);
  // Deleted in flight, it is heard to its end; deleted later, it is gone at once.
  expect(await stateOf({ endedAgo: 5, isDeleted: true })).toEqual([3, { lastSequence: 2, isTrimmed: false }]);
  expect(await stateOf({ endedAgo: 5, isDeleted: true, isTrimmed: true, log: [] })).toEqual([0, null]);
  const other = { tenant: 'other' };
  const responseId = await logs.add({ log });
  expect(await readLog(logs.database, other, { responseId, after: -1 })).toEqual({
    events: [],
    isCut: false,
    response: null,
  });
});

test('the last number is that of the log in flight, and of the row from its end on', async () => {
  await using logs = await openLogs();
  const log = events(7);
  const last = async (row: object, tenant = 'default') =>
    lastNumber(logs.database, { tenant }, await logs.add({ log, ...row }));
  expect(await last({})).toBe(6);
  expect(await last({ log: [] })).toBe(-1);
  expect(await last({ endedAgo: 5 })).toBe(6);
  expect(await last({ isDeleted: true, endedAgo: 5 })).toBeNull();
  expect(await last({}, 'other')).toBeNull();
});
