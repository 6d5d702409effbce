import type { EventType } from '../protocol/events.ts';
import { builder } from './builder.ts';
import { Annotation, ContentPart, TokenLogprob } from './content.ts';
import {
  EVENT_TYPE_NAMES,
  type EventOf,
  OutputItemEvent,
  ResponseEvent,
  ResponseLifecycleEvent,
} from './event-types.ts';
import { Item } from './item-types.ts';

function eventRef<Type extends EventType>(type: Type) {
  return builder.objectRef<EventOf<Type>>(EVENT_TYPE_NAMES[type]);
}

builder.objectType(eventRef('response.created'), {
  description: 'The response was created.',
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
  interfaces: [OutputItemEvent, ResponseEvent],
  fields: (t) => ({
    contentIndex: t.int({
      description: 'The place of the part in the content.',
      resolve: ({ event }) => event.contentIndex,
    }),
    part: t.field({
      type: ContentPart,
      description: 'The part as of this event.',
      resolve: ({ event }) => event.part,
    }),
  }),
});

builder.objectType(eventRef('response.content_part.done'), {
  description: 'A part of an item is over: this is how it stays.',
  interfaces: [OutputItemEvent, ResponseEvent],
  fields: (t) => ({
    contentIndex: t.int({
      description: 'The place of the part in the content.',
      resolve: ({ event }) => event.contentIndex,
    }),
    part: t.field({
      type: ContentPart,
      description: 'The part as of this event.',
      resolve: ({ event }) => event.part,
    }),
  }),
});

builder.objectType(eventRef('response.output_text.delta'), {
  description: 'More text.',
  interfaces: [OutputItemEvent, ResponseEvent],
  fields: (t) => ({
    contentIndex: t.int({
      description: 'The place of the part in the content.',
      resolve: ({ event }) => event.contentIndex,
    }),
    delta: t.string({ description: 'The text to append.', resolve: ({ event }) => event.delta }),
    logprobs: t.field({
      type: [TokenLogprob],
      nullable: true,
      description: 'The tokens of the text and how likely they were, if asked for.',
      resolve: ({ event }) => event.logprobs,
    }),
  }),
});

builder.objectType(eventRef('response.output_text.done'), {
  description: 'The text of a part is whole.',
  interfaces: [OutputItemEvent, ResponseEvent],
  fields: (t) => ({
    contentIndex: t.int({
      description: 'The place of the part in the content.',
      resolve: ({ event }) => event.contentIndex,
    }),
    text: t.string({ description: 'The whole text.', resolve: ({ event }) => event.text }),
  }),
});

builder.objectType(eventRef('response.output_text.annotation.added'), {
  description: 'The text of a part names a source.',
  interfaces: [OutputItemEvent, ResponseEvent],
  fields: (t) => ({
    contentIndex: t.int({
      description: 'The place of the part in the content.',
      resolve: ({ event }) => event.contentIndex,
    }),
    annotationIndex: t.int({
      description: 'The place of the remark among those of the part.',
      resolve: ({ event }) => event.annotationIndex,
    }),
    annotation: t.field({
      type: Annotation,
      description: 'The remark.',
      resolve: ({ event }) => event.annotation,
    }),
  }),
});

builder.objectType(eventRef('response.refusal.delta'), {
  description: 'More of a refusal.',
  interfaces: [OutputItemEvent, ResponseEvent],
  fields: (t) => ({
    contentIndex: t.int({
      description: 'The place of the part in the content.',
      resolve: ({ event }) => event.contentIndex,
    }),
    delta: t.string({ description: 'The text to append.', resolve: ({ event }) => event.delta }),
  }),
});

builder.objectType(eventRef('response.refusal.done'), {
  description: 'A refusal is whole.',
  interfaces: [OutputItemEvent, ResponseEvent],
  fields: (t) => ({
    contentIndex: t.int({
      description: 'The place of the part in the content.',
      resolve: ({ event }) => event.contentIndex,
    }),
    refusal: t.string({ description: 'The whole text.', resolve: ({ event }) => event.refusal }),
  }),
});

builder.objectType(eventRef('response.function_call_arguments.delta'), {
  description: 'More of the arguments of a call.',
  interfaces: [OutputItemEvent, ResponseEvent],
  fields: (t) => ({
    delta: t.string({ description: 'The text to append.', resolve: ({ event }) => event.delta }),
  }),
});

builder.objectType(eventRef('response.function_call_arguments.done'), {
  description: 'The arguments of a call are whole.',
  interfaces: [OutputItemEvent, ResponseEvent],
  fields: (t) => ({
    name: t.string({ description: 'The function.', resolve: ({ event }) => event.name }),
    arguments: t.string({
      description: 'The whole arguments, as the model wrote them.',
      resolve: ({ event }) => event.arguments,
    }),
  }),
});

builder.objectType(eventRef('response.reasoning_text.delta'), {
  description: 'More of what the model thinks.',
  interfaces: [OutputItemEvent, ResponseEvent],
  fields: (t) => ({
    contentIndex: t.int({
      description: 'The place of the part in the content.',
      resolve: ({ event }) => event.contentIndex,
    }),
    delta: t.string({ description: 'The text to append.', resolve: ({ event }) => event.delta }),
  }),
});

builder.objectType(eventRef('response.reasoning_text.done'), {
  description: 'A thought is whole.',
  interfaces: [OutputItemEvent, ResponseEvent],
  fields: (t) => ({
    contentIndex: t.int({
      description: 'The place of the part in the content.',
      resolve: ({ event }) => event.contentIndex,
    }),
    text: t.string({ description: 'The whole text.', resolve: ({ event }) => event.text }),
  }),
});
