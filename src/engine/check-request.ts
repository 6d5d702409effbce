import type { Item } from '../protocol/items.ts';
import type { ResponseSettings, TextConfig } from '../protocol/request.ts';
import { invalidInput, type RequestError } from '../protocol/request-error.ts';
import type { Tool, ToolChoice } from '../protocol/tools.ts';
import { type CheckedInput, type CreateInput, CreateInputRules } from './create-input.ts';
import { toItems } from './to-items.ts';

/** A request that can be run, as far as it can be judged without the database. */
export interface CheckedRequest {
  readonly settings: ResponseSettings;
  /** The request's own input, with ids of its own. */
  readonly input: readonly Item[];
}

/** Checks a request; every error is found, not the first only. */
export function checkRequest(
  input: CreateInput,
  { defaultModel }: { readonly defaultModel: string | null },
): CheckedRequest | { readonly errors: readonly RequestError[] } {
  const parsed = CreateInputRules.safeParse(input);
  if (!parsed.success) {
    return {
      errors: parsed.error.issues.map(({ path, message }) => {
        const names = path.map(String);
        return invalidInput(names, `${names.join('.')} ${message}`);
      }),
    };
  }
  const checked = parsed.data;
  const errors: RequestError[] = [];
  const items = toItems(checked.input, errors);
  const model = checked.model ?? defaultModel;
  if (model === null) errors.push(invalidInput(['model'], 'Name a model: this server has no default one.'));
  if (!checked.store && checked.stream) {
    const message = 'A response that is not stored cannot be followed: leave out stream, or store it.';
    errors.push(invalidInput(['stream'], message));
  }
  if (!checked.store && checked.idempotencyKey) {
    const message =
      'A response that is not stored cannot be found again: leave out idempotencyKey, or store it.';
    errors.push(invalidInput(['idempotencyKey'], message));
  }
  const tools = toTools(checked.tools, errors);
  const toolChoice = toToolChoice(checked.toolChoice, tools, errors);
  if (errors.length > 0) return { errors };
  return { settings: toSettings(checked, { model: model ?? '', tools, toolChoice }), input: items };
}

function toSettings(
  input: CheckedInput,
  known: { readonly model: string; readonly tools: readonly Tool[]; readonly toolChoice: ToolChoice },
): ResponseSettings {
  return {
    ...known,
    instructions: input.instructions ?? null,
    parallelToolCalls: input.parallelToolCalls,
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

function toTools(tools: CheckedInput['tools'], errors: RequestError[]): readonly Tool[] {
  const seen = new Set<string>();
  return (tools ?? []).flatMap(({ function: tool }, index) => {
    if (!tool) return [];
    const { name, description, parameters, strict } = tool;
    if (seen.has(name)) {
      const path = ['tools', String(index), 'function', 'name'];
      errors.push(invalidInput(path, `There is more than one function called "${name}".`));
    }
    seen.add(name);
    return [
      {
        type: 'function' as const,
        name,
        description: description ?? null,
        parameters: parameters ?? null,
        strict: strict ?? null,
      },
    ];
  });
}

function toToolChoice(
  choice: CheckedInput['toolChoice'],
  tools: readonly Tool[],
  errors: RequestError[],
): ToolChoice {
  const names = new Set(tools.map((tool) => tool.name));
  const demand = (name: string, path: readonly string[]) => {
    if (!names.has(name)) errors.push(invalidInput(path, `There is no function "${name}" among the tools.`));
  };
  if (typeof choice?.function === 'string') {
    demand(choice.function, ['toolChoice', 'function']);
    return { mode: 'function', name: choice.function };
  }
  if (choice?.allowedTools) {
    const { mode, tools: allowed } = choice.allowedTools;
    allowed.forEach(({ function: name }, index) => {
      if (typeof name === 'string')
        demand(name, ['toolChoice', 'allowedTools', 'tools', String(index), 'function']);
    });
    const allowedTools = allowed.flatMap(({ function: name }) =>
      typeof name === 'string' ? [{ type: 'function' as const, name }] : [],
    );
    return { mode: 'allowed_tools', allowedToolsMode: mode, allowedTools };
  }
  const mode = choice?.mode ?? 'auto';
  if (mode === 'required' && tools.length === 0) {
    errors.push(invalidInput(['toolChoice', 'mode'], 'A tool call is required, but there are no tools.'));
  }
  return { mode };
}
