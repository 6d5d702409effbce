import type { ResponseSettings, TextConfig } from '../../protocol/request.ts';
import type { CheckedInput } from './create-input.ts';
import { toToolChoice, toTools } from './to-tools.ts';

/** The settings of a request that has been checked. */
export function toSettings(input: CheckedInput, model: string): ResponseSettings {
  return {
    model,
    tools: toTools(input.tools),
    toolChoice: toToolChoice(input.toolChoice),
    instructions: input.instructions ?? null,
    parallelToolCalls: input.parallelToolCalls,
    maxToolCalls: input.maxToolCalls ?? null,
    maxOutputTokens: input.maxOutputTokens ?? null,
    temperature: input.temperature ?? null,
    topP: input.topP ?? null,
    topLogprobs: input.topLogprobs ?? null,
    presencePenalty: input.presencePenalty ?? null,
    frequencyPenalty: input.frequencyPenalty ?? null,
    text: toTextConfig(input.text),
    reasoning: input.reasoning
      ? { effort: input.reasoning.effort ?? null, summary: input.reasoning.summary ?? null }
      : null,
    metadata: Object.fromEntries(
      Object.entries(input.metadata ?? {}).map(([key, value]) => [key, String(value)]),
    ),
    store: input.store,
    stream: input.stream,
    background: input.background,
    truncation: input.truncation,
    serviceTier: input.serviceTier ?? null,
    safetyIdentifier: input.safetyIdentifier ?? null,
    promptCacheKey: input.promptCacheKey ?? null,
  };
}

function toTextConfig(text: CheckedInput['text']): TextConfig {
  const verbosity = text?.verbosity ?? null;
  const schema = text?.format?.jsonSchema;
  if (!schema) return { format: { type: text?.format?.type ?? 'text' }, verbosity };
  const { name, description, schema: body, strict } = schema;
  return {
    format: {
      type: 'json_schema',
      name,
      description: description ?? null,
      schema: body,
      strict: strict ?? null,
    },
    verbosity,
  };
}
