import { isLifecycle, type ResponseEvent } from '../../protocol/events.ts';
import { sizeOfItem } from '../../protocol/items.ts';

/** About the size of a batch in memory, in characters: what grows in it is text, and what tools gave. */
export function sizeOfEvents(events: readonly ResponseEvent[]): number {
  let size = 0;
  for (const event of events) {
    size += 100;
    if ('delta' in event) size += event.delta.length;
    else if ('text' in event) size += event.text.length;
    else if ('item' in event) size += sizeOfItem(event.item);
    else if (isLifecycle(event)) for (const item of event.state.output) size += sizeOfItem(item);
  }
  return size;
}
