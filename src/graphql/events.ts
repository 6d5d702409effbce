import { builder } from './builder.ts';
import { ContentPart } from './content.ts';
import {
  ContentPartEvent,
  eventRef,
  OutputItemEvent,
  ResponseEvent,
  ResponseLifecycleEvent,
} from './event-types.ts';
import { Item } from './item-types.ts';

builder.objectType(eventRef('response.created'), {
  description: 'The response was created.',
  interfaces: [ResponseLifecycleEvent, ResponseEvent],
});

builder.objectType(eventRef('response.queued'), {
  description: 'The response waits for a server to run it.',
  interfaces: [ResponseLifecycleEvent, ResponseEvent],
});

builder.objectType(eventRef('response.in_progress'), {
  description: 'The run has started.',
  interfaces: [ResponseLifecycleEvent, ResponseEvent],
});

builder.objectType(eventRef('response.completed'), {
  description: 'The run came to its end. The last event.',
  interfaces: [ResponseLifecycleEvent, ResponseEvent],
});

builder.objectType(eventRef('response.incomplete'), {
  description: 'The run stopped at a limit. The last event.',
  interfaces: [ResponseLifecycleEvent, ResponseEvent],
});

builder.objectType(eventRef('response.failed'), {
  description: 'The run failed. The last event.',
  interfaces: [ResponseLifecycleEvent, ResponseEvent],
});

builder.objectType(eventRef('response.cancelled'), {
  description: 'The run was cancelled. The last event.',
  interfaces: [ResponseLifecycleEvent, ResponseEvent],
});

builder.objectType(eventRef('response.snapshot'), {
  description:
    'Forget what was accumulated and start from this: the log before it was trimmed, or another process took the run over and dropped a half-spoken round.',
  interfaces: [ResponseLifecycleEvent, ResponseEvent],
});

builder.objectType(eventRef('response.output_item.added'), {
  description: 'An item begins: its kind and name are known.',
  interfaces: [OutputItemEvent, ResponseEvent],
  fields: (t) => ({
    item: t.field({
      type: Item,
      description: 'The item as of this event.',
      resolve: ({ event, base }) => ({ item: event.item, responseId: base.id }),
    }),
  }),
});

builder.objectType(eventRef('response.output_item.done'), {
  description: 'An item is over: this is how it stays.',
  interfaces: [OutputItemEvent, ResponseEvent],
  fields: (t) => ({
    item: t.field({
      type: Item,
      description: 'The item as of this event.',
      resolve: ({ event, base }) => ({ item: event.item, responseId: base.id }),
    }),
  }),
});

builder.objectType(eventRef('response.content_part.added'), {
  description: 'A part of an item begins.',
  interfaces: [ContentPartEvent, OutputItemEvent, ResponseEvent],
  fields: (t) => ({
    part: t.field({
      type: ContentPart,
      description: 'The part as of this event.',
      resolve: ({ event }) => event.part,
    }),
  }),
});

builder.objectType(eventRef('response.content_part.done'), {
  description: 'A part of an item is over: this is how it stays.',
  interfaces: [ContentPartEvent, OutputItemEvent, ResponseEvent],
  fields: (t) => ({
    part: t.field({
      type: ContentPart,
      description: 'The part as of this event.',
      resolve: ({ event }) => event.part,
    }),
  }),
});
