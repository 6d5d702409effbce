import { asResponseId } from '../protocol/ids.ts';
import { AppError } from '../util/errors.ts';
import { builder } from './builder.ts';
import { ResponseEventType } from './event-names.ts';
import { type EventNode, ResponseEvent } from './event-types.ts';
import { EventNodes } from './live/event-nodes.ts';

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
      coalesceMs: t.arg.int({
        required: true,
        defaultValue: 0,
        description:
          'Join adjacent text deltas of one content part for up to this many milliseconds (0 to 1000).',
      }),
      types: t.arg({
        type: [ResponseEventType],
        description: 'Only these types; lifecycle events always come.',
      }),
    },
    subscribe: async (_root, { id, after, types, coalesceMs }, { engine, scope }) => {
      const responseId = asResponseId(id);
      if (responseId === null) throw new AppError('NOT_FOUND', `There is no response "${id.slice(0, 100)}".`);
      const wish = { cursor: after ?? null, types: types ? new Set(types) : null, coalesceMs };
      return new EventNodes(await engine.follow(scope, responseId, wish));
    },
    resolve: (node: EventNode) => node,
  }),
}));
