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

const SNAPSHOT = 'ResponseSnapshotEvent';

/** Statuses of items that may still change. */
const OPEN = ['IN_PROGRESS', 'SEARCHING', 'CALLING'];

// biome-ignore lint/suspicious/noExplicitAny: items as they come
type AnyItem = any;

/**
 * The rules of every stream, checked on one that was read from its start to its end: order, numbers, indexes,
 * one end, and that deltas, done events, items and the terminal event all say the same. At a snapshot everything
 * begins anew with what is in it. `joined`: deltas may have been joined for this follower, so that numbers skip.
 */
export function checkEventRules(events: readonly StreamEvent[], { joined = false } = {}): void {
  checkNumbers(events, joined);
  expect(new Set(events.map(({ cursor }) => cursor)).size).toBe(events.length);
  const last = events.at(-1);
  expect(Object.keys(TERMINAL)).toContain(last?.__typename);
  const [whole = [], ...others] = atSnapshots(events.slice(0, -1));
  const beginning = whole[0]?.__typename === SNAPSHOT ? 0 : beginningOf(events);
  const [first, ...rest] = [whole.slice(beginning), ...others];
  const stretches = [first, ...rest].map(byItem);
  for (const items of stretches)
    for (const { isWhole, events: own } of items) if (isWhole) checkItemRules(own);
  const final = stretches.at(-1) ?? [];
  expect(final.filter(({ item }) => OPEN.includes(item.status)).length, 'items still open at the end').toBe(
    0,
  );
  checkEnd(
    last as StreamEvent,
    final.map(({ item }) => item),
  );
  feedForeignAccumulator(events);
}

/**
 * Numbers go up by one. A stream of a trimmed log begins with a snapshot, whatever its number, and one that was
 * trimmed while it was followed jumps to that: then its end comes next.
 */
function checkNumbers(events: readonly StreamEvent[], joined: boolean): void {
  for (const [index, { __typename: type, sequenceNumber, delta }] of events.entries()) {
    const next = (events[index - 1]?.sequenceNumber ?? -1) + 1;
    if (sequenceNumber > next && type === SNAPSHOT) expect(index, 'a jump').toBe(events.length - 2);
    else if (joined && delta !== undefined) expect(sequenceNumber).toBeGreaterThanOrEqual(next);
    else expect(sequenceNumber, type).toBe(next);
  }
}

/** How many events a stream has before its first item: those that say that the run began, or why it never did. */
function beginningOf(events: readonly StreamEvent[]): number {
  const [created, queued, begun] = events.map(({ __typename }) => __typename);
  expect(created).toBe('ResponseCreatedEvent');
  if (queued !== 'ResponseQueuedEvent') {
    expect(queued).toBe('ResponseInProgressEvent');
    return 2;
  }
  // It may be cancelled before anybody ran it, and whoever ran it first may have died at once.
  const next = ['ResponseInProgressEvent', SNAPSHOT, 'ResponseCancelledEvent', 'ResponseFailedEvent'];
  expect(next).toContain(begun);
  return begun === 'ResponseInProgressEvent' ? 3 : 2;
}

/** The events up to the first snapshot, then from each snapshot up to the next. */
function atSnapshots(events: readonly StreamEvent[]): readonly (readonly StreamEvent[])[] {
  const stretches: StreamEvent[][] = [[]];
  for (const event of events) {
    if (event.__typename === SNAPSHOT && stretches.flat().length > 0) stretches.push([]);
    stretches.at(-1)?.push(event);
  }
  return stretches;
}

interface ItemEvents {
  /** All events of the item, unless part of them came before a snapshot. */
  readonly events: StreamEvent[];
  /** True if it was added and done in this stretch. */
  isWhole: boolean;
  /** As of its last event that shows it. */
  item: AnyItem;
}

/**
 * The events of each item of a stretch, in order. An item takes the next index; nothing of it comes before or after
 * it. The items of a snapshot are there already, and those that it shows open may still change.
 */
function byItem(stretch: readonly StreamEvent[]): readonly ItemEvents[] {
  const shown: readonly AnyItem[] = stretch[0]?.['response']?.output ?? [];
  const items: ItemEvents[] = shown.map((item) => ({ events: [], isWhole: false, item }));
  const open = new Map<number, string>();
  for (const [index, { id, status }] of shown.entries()) if (OPEN.includes(status)) open.set(index, id);
  if (stretch[0]?.__typename === SNAPSHOT) expect(stretch[0]['response'].status).toBe('IN_PROGRESS');
  for (const event of stretch[0]?.__typename === SNAPSHOT ? stretch.slice(1) : stretch) {
    const { __typename: type, itemId, outputIndex, item } = event;
    const added = type === 'OutputItemAddedEvent';
    if (added) {
      expect(outputIndex).toBe(items.length);
      items.push({ events: [], isWhole: false, item });
      open.set(outputIndex, itemId);
    }
    expect(itemId, `${type} ${event.sequenceNumber}: not of an open item`).toBe(open.get(outputIndex));
    if (item) expect(item.id).toBe(itemId);
    const own = items[outputIndex];
    own?.events.push(event);
    if (type !== 'OutputItemDoneEvent' || own === undefined) continue;
    open.delete(outputIndex);
    own.item = item;
    own.isWhole = own.events[0]?.__typename === 'OutputItemAddedEvent';
  }
  return items;
}

/** The last event, given the items as they were when they were done. */
function checkEnd({ __typename: type, response }: StreamEvent, output: readonly AnyItem[]): void {
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
