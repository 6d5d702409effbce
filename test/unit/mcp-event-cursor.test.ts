import { expect, test } from 'vitest';
import { createEventCursor } from '../../src/tools/mcp/event-cursor.ts';

const cursorAfter = (...chunks: readonly string[]) => {
  const cursor = createEventCursor();
  for (const chunk of chunks) cursor.read(new TextEncoder().encode(chunk));
  return cursor;
};

test.each([
  ['with both ends of lines', ['id: 5\r\n\r\n'], '5'],
  ['with returns only, once more has come', ['id: 5\r\r', 'data: x'], '5'],
  ['in pieces', ['i', 'd: ', '5', '\n', '\n'], '5'],
  ['but not where a chunk ends between return and line feed', ['id: 5\r', '\ndata: x'], null],
  ['even if nothing comes in between', ['id: 5\r', '', '\ndata: x'], null],
  ['at the second such end', ['id: 5\r', '\ndata: x\r', '\n\r', '\n'], '5'],
])('an event ends %s', (_, chunks, id) => {
  expect(cursorAfter(...chunks).lastEventId).toBe(id);
});

test('a return at the very end ends its line', () => {
  const cursor = cursorAfter('id: 5\r\r');
  cursor.breakOff();
  expect(cursor.lastEventId).toBe('5');
});

test('the length of an event is counted over its lines, and from its end again', () => {
  const half = 'x'.repeat(3 * 1024 * 1024);
  expect(() => cursorAfter(half, '\n', half)).toThrow('4194304 bytes');
  expect(() => cursorAfter(half, '\n\n', half)).not.toThrow();
  const lists = '[{'.repeat(100_000);
  expect(() => cursorAfter(lists, lists)).toThrow('250000 objects and lists');
  expect(() => cursorAfter(lists, '\n\n', lists)).not.toThrow();
});
