import type { ResponseEvent as EventShape, EventType } from '../protocol/events.ts';
import type { ResponseBase } from '../protocol/response.ts';
import { builder } from './builder.ts';
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

export type EventOf<Type extends EventType> = EventNode<Shape<Type> & EventShape>;

export const EVENT_TYPE_NAMES = {
  'response.created': 'ResponseCreatedEvent',
  'response.in_progress': 'ResponseInProgressEvent',
  'response.completed': 'ResponseCompletedEvent',
  'response.incomplete': 'ResponseIncompleteEvent',
  'response.failed': 'ResponseFailedEvent',
  'response.cancelled': 'ResponseCancelledEvent',
  'response.output_item.added': 'OutputItemAddedEvent',
  'response.output_item.done': 'OutputItemDoneEvent',
  'response.content_part.added': 'ContentPartAddedEvent',
  'response.content_part.done': 'ContentPartDoneEvent',
  'response.output_text.delta': 'OutputTextDeltaEvent',
  'response.output_text.done': 'OutputTextDoneEvent',
  'response.output_text.annotation.added': 'OutputTextAnnotationAddedEvent',
  'response.refusal.delta': 'RefusalDeltaEvent',
  'response.refusal.done': 'RefusalDoneEvent',
  'response.function_call_arguments.delta': 'FunctionCallArgumentsDeltaEvent',
  'response.function_call_arguments.done': 'FunctionCallArgumentsDoneEvent',
  'response.reasoning_text.delta': 'ReasoningTextDeltaEvent',
  'response.reasoning_text.done': 'ReasoningTextDoneEvent',
} as const satisfies { readonly [Type in EventType]: string };

export const ResponseEventType = builder.enumType('ResponseEventType', {
  description: 'One value for each type of event, named after it.',
  values: {
    RESPONSE_CREATED: { value: 'response.created', description: 'ResponseCreatedEvent.' },
    RESPONSE_IN_PROGRESS: { value: 'response.in_progress', description: 'ResponseInProgressEvent.' },
    RESPONSE_COMPLETED: { value: 'response.completed', description: 'ResponseCompletedEvent.' },
    RESPONSE_INCOMPLETE: { value: 'response.incomplete', description: 'ResponseIncompleteEvent.' },
    RESPONSE_FAILED: { value: 'response.failed', description: 'ResponseFailedEvent.' },
    RESPONSE_CANCELLED: { value: 'response.cancelled', description: 'ResponseCancelledEvent.' },
    OUTPUT_ITEM_ADDED: { value: 'response.output_item.added', description: 'OutputItemAddedEvent.' },
    OUTPUT_ITEM_DONE: { value: 'response.output_item.done', description: 'OutputItemDoneEvent.' },
    CONTENT_PART_ADDED: { value: 'response.content_part.added', description: 'ContentPartAddedEvent.' },
    CONTENT_PART_DONE: { value: 'response.content_part.done', description: 'ContentPartDoneEvent.' },
    OUTPUT_TEXT_DELTA: { value: 'response.output_text.delta', description: 'OutputTextDeltaEvent.' },
    OUTPUT_TEXT_DONE: { value: 'response.output_text.done', description: 'OutputTextDoneEvent.' },
    OUTPUT_TEXT_ANNOTATION_ADDED: {
      value: 'response.output_text.annotation.added',
      description: 'OutputTextAnnotationAddedEvent.',
    },
    REFUSAL_DELTA: { value: 'response.refusal.delta', description: 'RefusalDeltaEvent.' },
    REFUSAL_DONE: { value: 'response.refusal.done', description: 'RefusalDoneEvent.' },
    FUNCTION_CALL_ARGUMENTS_DELTA: {
      value: 'response.function_call_arguments.delta',
      description: 'FunctionCallArgumentsDeltaEvent.',
    },
    FUNCTION_CALL_ARGUMENTS_DONE: {
      value: 'response.function_call_arguments.done',
      description: 'FunctionCallArgumentsDoneEvent.',
    },
    REASONING_TEXT_DELTA: { value: 'response.reasoning_text.delta', description: 'ReasoningTextDeltaEvent.' },
    REASONING_TEXT_DONE: { value: 'response.reasoning_text.done', description: 'ReasoningTextDoneEvent.' },
  } as const satisfies {
    readonly [Name in string]: { readonly value: EventType; readonly description: string };
  },
});

export const ResponseEvent = builder.interfaceRef<EventNode>('ResponseEvent').implement({
  description: 'A step of a run.',
  resolveType: ({ event }) => EVENT_TYPE_NAMES[event.type],
  fields: (t) => ({
    sequenceNumber: t.int({
      description: 'Counts from 0 without a gap in the log of one response; with `types` it only increases.',
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
