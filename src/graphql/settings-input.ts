import { builder } from './builder.ts';
import {
  AllowedToolsMode,
  ReasoningEffort,
  ReasoningSummary,
  SimpleTextFormat,
  ToolChoiceSetting,
  Verbosity,
} from './enums.ts';

const FunctionToolInput = builder.inputType('FunctionToolInput', {
  description: 'A function that the model may call and the client runs.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Letters, digits, "_" and "-", at most 64.' }),
    description: t.string({ description: 'What it does, for the model.' }),
    parameters: t.field({
      type: 'JSON',
      description: 'A JSON schema of its arguments; absent: it has none.',
    }),
    strict: t.boolean({
      description: 'true: the arguments follow the schema exactly, where the upstream can.',
    }),
  }),
});

export const ToolInput = builder.inputType('ToolInput', {
  description: 'A tool for the model.',
  isOneOf: true,
  fields: (t) => ({
    function: t.field({ type: FunctionToolInput, description: 'A function of the client.' }),
  }),
});

const AllowedToolInput = builder.inputType('AllowedToolInput', {
  description: 'A tool that is offered although others are not.',
  isOneOf: true,
  fields: (t) => ({ function: t.string({ description: 'The name of a function among the tools.' }) }),
});

const AllowedToolsInput = builder.inputType('AllowedToolsInput', {
  description: 'Some of the tools. The others stay with the response but are not offered.',
  fields: (t) => ({
    mode: t.field({
      type: AllowedToolsMode,
      required: true,
      description: 'What the model may do with them.',
    }),
    tools: t.field({ type: [AllowedToolInput], required: true, description: 'The tools that are offered.' }),
  }),
});

export const ToolChoiceInput = builder.inputType('ToolChoiceInput', {
  description: 'What the model may do with the tools.',
  isOneOf: true,
  fields: (t) => ({
    mode: t.field({ type: ToolChoiceSetting, description: 'A rule for all tools.' }),
    function: t.string({ description: 'The function to call in the first round.' }),
    allowedTools: t.field({ type: AllowedToolsInput, description: 'Only some of the tools.' }),
  }),
});

const JsonSchemaFormatInput = builder.inputType('JsonSchemaFormatInput', {
  description: 'JSON that follows a schema.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Letters, digits, "_" and "-", at most 64.' }),
    description: t.string({ description: 'What it is for, for the model.' }),
    schema: t.field({ type: 'JSON', required: true, description: 'A JSON schema: an object.' }),
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
