import type { Following } from '../engine/engine.ts';
import { type EventType, isLifecycle } from '../protocol/events.ts';
import { asResponseId } from '../protocol/ids.ts';
import { abortable } from '../util/async-iteration.ts';
import { AppError } from '../util/errors.ts';
import { builder } from './builder.ts';
import { ResponseEventType } from './event-names.ts';
import { type EventNode, ResponseEvent } from './event-types.ts';

builder.subscriptionFields((t) => ({
  responseStream: t.field({
    type: ResponseEvent,
    description:
      'Replays what a response has emitted after `after` (from its start when absent), then follows it live, and completes after the terminal event. Only reads: it never starts, restarts or stops a run.',
    args: {
      id: t.arg.id({ required: true, description: 'The id of a response.' }),
      after: t.arg.string({
        description: 'The cursor of an event or the streamCursor of the response: begin behind it.',
      }),
      types: t.arg({
        type: [ResponseEventType],
        description: 'Only these types; lifecycle events always come.',
      }),
    },
    subscribe: async (_root, { id, after, types }, { engine, scope }) => {
      const responseId = asResponseId(id);
      if (responseId === null) throw new AppError('NOT_FOUND', `There is no response "${id.slice(0, 100)}".`);
      const following = await engine.follow(scope, responseId, after ?? null);
      return toEvents(following, types ? new Set(types) : null);
    },
    resolve: (node: EventNode) => node,
  }),
}));

/** One event at a time, those of `types` and the lifecycle; leaving releases the follower at once. */
function toEvents({ base, batches }: Following, types: ReadonlySet<EventType> | null) {
  return abortable<EventNode>(async function* (signal) {
    signal.addEventListener('abort', () => void batches.return());
    try {
      for await (const batch of batches) {
        for (const event of batch) {
          if (types === null || types.has(event.type) || isLifecycle(event)) yield { event, base };
        }
      }
    } finally {
      await batches.return();
    }
  });
}
