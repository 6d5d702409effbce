import type { ResponseEvent } from '../../protocol/events.ts';
import { joinDeltas } from '../../protocol/join-deltas.ts';

/** A delta that has become this long is joined no further: a slow client is to see that something moves. In characters. */
const LONG = 16 * 1024;

/** The same events with adjacent deltas joined; each joined one has the number of the last in it. */
export function joinAll(events: readonly ResponseEvent[]): readonly ResponseEvent[] {
  const joined: ResponseEvent[] = [];
  for (const event of events) {
    const last = joined.at(-1);
    const isLong = last !== undefined && 'delta' in last && last.delta.length >= LONG;
    const both = isLong ? null : joinDeltas(last, event);
    if (both === null) joined.push(event);
    else joined[joined.length - 1] = both;
  }
  return joined;
}
