import { builder } from './builder.ts';
import { Annotation, TokenLogprob } from './content.ts';
import { ContentPartEvent, eventRef, OutputItemEvent, ResponseEvent } from './event-types.ts';

builder.objectType(eventRef('response.output_text.delta'), {
  description: 'More text.',
  interfaces: [ContentPartEvent, OutputItemEvent, ResponseEvent],
  fields: (t) => ({
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
  interfaces: [ContentPartEvent, OutputItemEvent, ResponseEvent],
  fields: (t) => ({
    text: t.string({ description: 'The whole text.', resolve: ({ event }) => event.text }),
  }),
});

builder.objectType(eventRef('response.output_text.annotation.added'), {
  description: 'The text of a part names a source.',
  interfaces: [ContentPartEvent, OutputItemEvent, ResponseEvent],
  fields: (t) => ({
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
  interfaces: [ContentPartEvent, OutputItemEvent, ResponseEvent],
  fields: (t) => ({
    delta: t.string({ description: 'The text to append.', resolve: ({ event }) => event.delta }),
  }),
});

builder.objectType(eventRef('response.refusal.done'), {
  description: 'A refusal is whole.',
  interfaces: [ContentPartEvent, OutputItemEvent, ResponseEvent],
  fields: (t) => ({
    refusal: t.string({ description: 'The whole text.', resolve: ({ event }) => event.refusal }),
  }),
});

builder.objectType(eventRef('response.reasoning_text.delta'), {
  description: 'More of what the model thinks.',
  interfaces: [ContentPartEvent, OutputItemEvent, ResponseEvent],
  fields: (t) => ({
    delta: t.string({ description: 'The text to append.', resolve: ({ event }) => event.delta }),
  }),
});

builder.objectType(eventRef('response.reasoning_text.done'), {
  description: 'A thought is whole.',
  interfaces: [ContentPartEvent, OutputItemEvent, ResponseEvent],
  fields: (t) => ({
    text: t.string({ description: 'The whole text.', resolve: ({ event }) => event.text }),
  }),
});
