import type {
  TextFormat as FormatShape,
  ReasoningConfig as ReasoningShape,
  TextConfig as TextShape,
} from '../protocol/request.ts';
import type { ResponseError as ErrorShape, IncompleteReason as ReasonShape } from '../protocol/response.ts';
import type { Usage as UsageShape } from '../protocol/usage.ts';
import { builder } from './builder.ts';
import { IncompleteReason, ReasoningEffort, ReasoningSummary, TextFormatType, Verbosity } from './enums.ts';

export const Usage = builder.objectRef<UsageShape>('Usage').implement({
  description: 'The tokens of a run, all model calls together, as the upstream counted them.',
  fields: (t) => ({
    inputTokens: t.exposeInt('inputTokens', { description: 'Tokens that the model read.' }),
    cachedInputTokens: t.exposeInt('cachedInputTokens', {
      description: 'Those of them that came from a cache.',
    }),
    outputTokens: t.exposeInt('outputTokens', { description: 'Tokens that the model wrote.' }),
    reasoningTokens: t.exposeInt('reasoningTokens', { description: 'Those of them that were thoughts.' }),
    totalTokens: t.exposeInt('totalTokens', {
      description: "The upstream's own total, which need not be the sum.",
    }),
  }),
});

export const ResponseError = builder.objectRef<ErrorShape>('ResponseError').implement({
  description: 'Why a run failed.',
  fields: (t) => ({
    code: t.exposeString('code', {
      description: 'One of server_error, rate_limit_exceeded, invalid_prompt or context_length_exceeded.',
    }),
    message: t.exposeString('message', {
      description: "What happened, in the upstream's words where it gave some.",
    }),
  }),
});

export const IncompleteDetails = builder
  .objectRef<{ readonly reason: ReasonShape }>('IncompleteDetails')
  .implement({
    description: 'Why a run stopped before its end.',
    fields: (t) => ({
      reason: t.expose('reason', { type: IncompleteReason, description: 'The limit it met.' }),
    }),
  });

const TextFormat = builder.objectRef<FormatShape>('TextFormat').implement({
  description: 'The form of what the model writes.',
  fields: (t) => ({
    type: t.expose('type', { type: TextFormatType, description: 'The kind of form.' }),
    name: t.string({
      nullable: true,
      description: 'The name of the schema, with type JSON_SCHEMA.',
      resolve: (format) => (format.type === 'json_schema' ? format.name : null),
    }),
    description: t.string({
      nullable: true,
      description: 'What the schema is for, with type JSON_SCHEMA.',
      resolve: (format) => (format.type === 'json_schema' ? format.description : null),
    }),
    schema: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The JSON schema, as it was given.',
      resolve: (format) => (format.type === 'json_schema' ? format.schema : null),
    }),
    strict: t.boolean({
      nullable: true,
      description: 'True: the text follows the schema exactly, where the upstream can see to that.',
      resolve: (format) => (format.type === 'json_schema' ? format.strict : null),
    }),
  }),
});

export const TextConfig = builder.objectRef<TextShape>('TextConfig').implement({
  description: 'How the model is to write.',
  fields: (t) => ({
    format: t.field({ type: TextFormat, description: 'In which form.', resolve: ({ format }) => format }),
    verbosity: t.expose('verbosity', { type: Verbosity, nullable: true, description: 'How much.' }),
  }),
});

export const ReasoningConfig = builder.objectRef<ReasoningShape>('ReasoningConfig').implement({
  description: 'How the model is to think.',
  fields: (t) => ({
    effort: t.expose('effort', { type: ReasoningEffort, nullable: true, description: 'How much.' }),
    summary: t.expose('summary', {
      type: ReasoningSummary,
      nullable: true,
      description: 'The summary asked for.',
    }),
  }),
});
