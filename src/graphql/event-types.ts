import type { ResponseEvent as EventShape, EventType } from '../protocol/events.ts';
import type { ResponseBase } from '../protocol/response.ts';
import { builder } from './builder.ts';
import { EVENT_TYPE_NAMES } from './event-names.ts';
import { Response } from './response-ref.ts';

/** An event as the schema sees it: with the response that it belongs to. */
export interface EventNode<Event extends EventShape = EventShape> {
  readonly event: Event;
  readonly base: ResponseBase;
}

/** The event of one type, also where several types share a shape. */
type Shape<Type extends EventType, Event = EventShape> = Event extends { readonly type: infer Types }
  ? Type extends Types
    ? Event
    : never
  : never;

type EventOf<Type extends EventType> = EventNode<Shape<Type> & EventShape>;

/** The type in the schema of one type of event. */
export function eventRef<Type extends EventType>(type: Type) {
  return builder.objectRef<EventOf<Type>>(EVENT_TYPE_NAMES[type]);
}

export const ResponseEvent = builder.interfaceRef<EventNode>('ResponseEvent').implement({
  description: 'A step of a run.',
  resolveType: ({ event }) => EVENT_TYPE_NAMES[event.type],
  fields: (t) => ({
    sequenceNumber: t.int({
      description:
        'Counts from 0 without a gap in the log of one response. With `types` or `coalesceMs` it only increases: a joined delta carries the number and cursor of the last one in it.',
      resolve: ({ event }) => event.sequenceNumber,
    }),
    cursor: t.string({
      description: 'Opaque; for `after`, to go on behind this event.',
      resolve: ({ event, base }, _args, { engine }) => engine.cursorOf(base.id, event.sequenceNumber),
    }),
  }),
});

type LifecycleNode = EventNode<Extract<EventShape, { readonly state: unknown }>>;

export const ResponseLifecycleEvent = builder
  .interfaceRef<LifecycleNode>('ResponseLifecycleEvent')
  .implement({
    description: 'The response as a whole has changed.',
    interfaces: [ResponseEvent],
    resolveType: ({ event }) => EVENT_TYPE_NAMES[event.type],
    fields: (t) => ({
      response: t.field({
        type: Response,
        description: 'The response as of this event.',
        resolve: ({ event: { state, sequenceNumber }, base }) => ({
          base,
          state,
          output: state.output,
          sequenceNumber,
        }),
      }),
    }),
  });

type ItemEventNode = EventNode<Extract<EventShape, { readonly outputIndex: number }>>;

export const OutputItemEvent = builder.interfaceRef<ItemEventNode>('OutputItemEvent').implement({
  description: 'An item of the output has changed.',
  interfaces: [ResponseEvent],
  resolveType: ({ event }) => EVENT_TYPE_NAMES[event.type],
  fields: (t) => ({
    outputIndex: t.int({
      description: 'Its place in the output.',
      resolve: ({ event }) => event.outputIndex,
    }),
    itemId: t.id({ description: 'The id of the item.', resolve: ({ event }) => event.itemId }),
  }),
});

type PartEventNode = EventNode<Extract<EventShape, { readonly contentIndex: number }>>;

export const ContentPartEvent = builder.interfaceRef<PartEventNode>('ContentPartEvent').implement({
  description: 'A part of an item of the output has changed.',
  interfaces: [OutputItemEvent, ResponseEvent],
  resolveType: ({ event }) => EVENT_TYPE_NAMES[event.type],
  fields: (t) => ({
    contentIndex: t.int({
      description: 'The place of the part in the content.',
      resolve: ({ event }) => event.contentIndex,
    }),
  }),
});
