import type { Following } from '../../engine/following/following.ts';
import { abortable } from '../../util/async-iteration.ts';
import type { EventNode } from '../event-types.ts';

/**
 * The source of a subscription: events of one response, one at a time as GraphQL asks for them, or, for whoever can
 * take them so, in batches. To be read in one of the two ways. Leaving releases the follower at once.
 */
export class EventNodes implements AsyncIterable<EventNode> {
  readonly following: Following;

  constructor(following: Following) {
    this.following = following;
  }

  [Symbol.asyncIterator](): AsyncGenerator<EventNode, void> {
    const { base, batches } = this.following;
    return abortable<EventNode>(async function* (signal) {
      signal.addEventListener('abort', () => void batches.return());
      try {
        for await (const batch of batches) for (const event of batch) yield { event, base };
      } finally {
        await batches.return();
      }
    });
  }
}
