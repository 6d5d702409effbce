import { expect } from 'vitest';
import { feedForeignAccumulator } from './foreign-accumulator.ts';
import { checkItemRules } from './item-rules.ts';
import type { StreamEvent } from './stream.ts';

const TERMINAL = {
  ResponseCompletedEvent: 'COMPLETED',
  ResponseIncompleteEvent: 'INCOMPLETE',
  ResponseFailedEvent: 'FAILED',
  ResponseCancelledEvent: 'CANCELLED',
} as const;

/**
 * The rules of every stream, checked on one that was read from its start to its end: order, numbers, indexes,
 * one end, and that deltas, done events, items and the terminal event all say the same.
 */
export function checkEventRules(events: readonly StreamEvent[]): void {
  expect(events.map(({ sequenceNumber }) => sequenceNumber)).toEqual(events.map((_, index) => index));
  expect(new Set(events.map(({ cursor }) => cursor)).size).toBe(events.length);
  expect(events.slice(0, 2).map(({ __typename }) => __typename)).toEqual([
    'ResponseCreatedEvent',
    'ResponseInProgressEvent',
  ]);
  const last = events.at(-1);
  expect(Object.keys(TERMINAL)).toContain(last?.__typename);
  const items = byItem(events.slice(2, -1));
  for (const each of items) checkItemRules(each);
  checkEnd(
    last as StreamEvent,
    items.map((each) => each.at(-1)?.['item']),
  );
  feedForeignAccumulator(events);
}

/** The events of each item, in order. An item takes the next index; nothing of it comes before or after it. */
function byItem(events: readonly StreamEvent[]): readonly (readonly StreamEvent[])[] {
  const items: StreamEvent[][] = [];
  const open = new Map<number, string>();
  for (const event of events) {
    const { __typename: type, itemId, outputIndex } = event;
    if (type === 'OutputItemAddedEvent') {
      expect(outputIndex).toBe(items.length);
      items.push([]);
      open.set(outputIndex, itemId);
    }
    expect(itemId, `${type} ${event.sequenceNumber}: not of an open item`).toBe(open.get(outputIndex));
    if (event['item']) expect(event['item'].id).toBe(itemId);
    items[outputIndex]?.push(event);
    if (type === 'OutputItemDoneEvent') open.delete(outputIndex);
  }
  expect([...open.keys()], 'items still open at the end').toEqual([]);
  return items;
}

/** The last event, given the items as they were when they were done. */
// biome-ignore lint/suspicious/noExplicitAny: items as they come
function checkEnd({ __typename: type, response }: StreamEvent, output: readonly any[]): void {
  expect(response.status).toBe(TERMINAL[type as keyof typeof TERMINAL]);
  expect(response.completedAt).not.toBeNull();
  expect(response.output).toEqual(output);
  expect(response.outputText).toBe(
    output.map((item) => (item.__typename === 'Message' ? item.text : '')).join(''),
  );
  expect(response.error === null).toBe(response.status !== 'FAILED');
  expect(response.incompleteDetails === null).toBe(response.status !== 'INCOMPLETE');
  if (response.status === 'COMPLETED') {
    expect(output.filter((item) => item.status === 'INCOMPLETE')).toEqual([]);
  }
}
