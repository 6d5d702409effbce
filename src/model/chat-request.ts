import type OpenAI from 'openai';
import type { TextFormat } from '../protocol/request.ts';
import type { OfferedChoice, OfferedTool } from '../protocol/tools.ts';
import { toChatMessages } from './chat-messages.ts';
import type { ModelRequest } from './model-client.ts';

type ChatRequest = OpenAI.ChatCompletionCreateParamsStreaming;

/** The name under which the upstream takes the limit of tokens. */
export type TokenLimitField = 'max_tokens' | 'max_completion_tokens';

/** The body of one model call. What was not asked for is left out: many servers refuse what they do not know. */
export function toChatRequest(request: ModelRequest, limitField: TokenLimitField): ChatRequest {
  const { settings, context, tools, toolChoice, maxOutputTokens } = request;
  const format = toResponseFormat(settings.text.format);
  return {
    model: settings.model,
    messages: toChatMessages(settings.instructions, context),
    stream: true,
    stream_options: { include_usage: true },
    ...(tools.length > 0 && {
      tools: tools.map(toChatTool),
      tool_choice: toChatToolChoice(toolChoice),
      ...(!settings.parallelToolCalls && { parallel_tool_calls: false }),
    }),
    ...(format !== null && { response_format: format }),
    ...optional('verbosity', settings.text.verbosity),
    ...optional('reasoning_effort', settings.reasoning?.effort ?? null),
    ...optional(limitField, maxOutputTokens),
    ...optional('temperature', settings.temperature),
    ...optional('top_p', settings.topP),
    ...optional('presence_penalty', settings.presencePenalty),
    ...optional('frequency_penalty', settings.frequencyPenalty),
    ...(settings.topLogprobs !== null && { logprobs: true, top_logprobs: settings.topLogprobs }),
    ...optional('service_tier', settings.serviceTier),
    ...optional('safety_identifier', settings.safetyIdentifier),
    ...optional('prompt_cache_key', settings.promptCacheKey),
  } as ChatRequest; // the client's types lag behind the values that servers take
}

/** Schemas go as they were written: what a server makes of them is between it and their author. */
function toChatTool({ name, description, parameters, strict }: OfferedTool) {
  return {
    type: 'function',
    function: {
      name,
      ...optional('description', description),
      parameters: parameters ?? { type: 'object', properties: {} },
      ...optional('strict', strict),
    },
  };
}

function toChatToolChoice(choice: OfferedChoice): OpenAI.ChatCompletionToolChoiceOption {
  return choice.mode === 'function' ? { type: 'function', function: { name: choice.name } } : choice.mode;
}

function toResponseFormat(format: TextFormat): OpenAI.ChatCompletionCreateParams['response_format'] | null {
  switch (format.type) {
    case 'text':
      return null; // what every server does unasked
    case 'json_object':
      return { type: 'json_object' };
    case 'json_schema': {
      const { name, description, schema, strict } = format;
      return {
        type: 'json_schema',
        json_schema: { name, schema, ...optional('description', description), ...optional('strict', strict) },
      };
    }
    default:
      return format satisfies never;
  }
}

function optional<Key extends string, Value>(key: Key, value: Value | null): { [K in Key]?: Value } {
  return value === null ? {} : ({ [key]: value } as { [K in Key]: Value });
}
