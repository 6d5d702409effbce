import { builder } from './builder.ts';
import { ReasoningEffort, ReasoningSummary, SimpleTextFormat, Verbosity } from './enums.ts';
import { JSON_LIMITS } from './tools-input.ts';

const JsonSchemaFormatInput = builder.inputType('JsonSchemaFormatInput', {
  description: 'JSON that follows a schema.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Letters, digits, "_" and "-", at most 64.' }),
    description: t.string({ description: 'What it is for, for the model.' }),
    schema: t.field({
      type: 'JSON',
      required: true,
      description: `A JSON schema: an object. ${JSON_LIMITS}`,
    }),
    strict: t.boolean({ description: 'true: the text follows the schema exactly, where the upstream can.' }),
  }),
});

const TextFormatInput = builder.inputType('TextFormatInput', {
  description: 'The form of what the model writes.',
  isOneOf: true,
  fields: (t) => ({
    type: t.field({ type: SimpleTextFormat, description: 'A form without a schema.' }),
    jsonSchema: t.field({ type: JsonSchemaFormatInput, description: 'JSON that follows a schema.' }),
  }),
});

export const TextConfigInput = builder.inputType('TextConfigInput', {
  description: 'How the model is to write.',
  fields: (t) => ({
    format: t.field({ type: TextFormatInput, description: 'In which form; free text without it.' }),
    verbosity: t.field({ type: Verbosity, description: 'How much.' }),
  }),
});

export const ReasoningConfigInput = builder.inputType('ReasoningConfigInput', {
  description: 'How the model is to think.',
  fields: (t) => ({
    effort: t.field({ type: ReasoningEffort, description: 'How much.' }),
    summary: t.field({
      type: ReasoningSummary,
      description:
        'Kept with the response. Chat Completions takes no such setting, so it changes nothing upstream.',
    }),
  }),
});
