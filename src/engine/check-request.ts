import type { Item } from '../protocol/items.ts';
import type { ResponseSettings } from '../protocol/request.ts';
import { invalidInput, type RequestError } from '../protocol/request-error.ts';
import { type CreateInput, CreateInputRules } from './create-input.ts';
import { toItems } from './to-items.ts';
import { toSettings } from './to-settings.ts';

/** A request that can be run, as far as it can be judged without the database. */
export interface CheckedRequest {
  readonly settings: ResponseSettings;
  /** The request's own input, with ids of its own. */
  readonly input: readonly Item[];
}

/** A request that cannot. Its input is given all the same, so that its place in a conversation can be checked too. */
export interface RefusedRequest {
  readonly errors: readonly RequestError[];
  readonly input: readonly Item[];
}

/** Checks a request; every error is found, not the first only, nor those of the first rule only. */
export function checkRequest(
  input: CreateInput,
  { defaultModel }: { readonly defaultModel: string | null },
): CheckedRequest | RefusedRequest {
  const parsed = CreateInputRules.safeParse(input);
  const errors = (parsed.error?.issues ?? []).map(({ path, message }) => {
    const names = path.map(String);
    return invalidInput(names, `${names.join('.')} ${message}`);
  });
  const items = toItems(input.input, errors);
  const model = input.model ?? defaultModel;
  if (model === null) errors.push(invalidInput(['model'], 'Name a model: this server has no default one.'));
  checkStore(input, errors);
  checkTools(input.tools, errors);
  checkToolChoice(input, errors);
  if (!parsed.success || model === null || errors.length > 0) return { errors, input: items };
  return { settings: toSettings(parsed.data, model), input: items };
}

/** What only a stored response can do. */
function checkStore({ store, stream, idempotencyKey }: CreateInput, errors: RequestError[]): void {
  if (store) return;
  if (stream) {
    const message = 'A response that is not stored cannot be followed: leave out stream, or store it.';
    errors.push(invalidInput(['stream'], message));
  }
  if (idempotencyKey) {
    const message =
      'A response that is not stored cannot be found again: leave out idempotencyKey, or store it.';
    errors.push(invalidInput(['idempotencyKey'], message));
  }
}

function checkTools(tools: CreateInput['tools'], errors: RequestError[]): void {
  const seen = new Set<string>();
  tools?.forEach(({ function: tool }, index) => {
    if (!tool) return;
    if (seen.has(tool.name)) {
      const path = ['tools', String(index), 'function', 'name'];
      errors.push(invalidInput(path, `There is more than one function called "${tool.name}".`));
    }
    seen.add(tool.name);
  });
}

/** A choice can name only what is among the tools. */
function checkToolChoice({ tools, toolChoice }: CreateInput, errors: RequestError[]): void {
  const names = new Set(tools?.map(({ function: tool }) => tool?.name));
  const demand = (name: string | null | undefined, path: readonly string[]) => {
    if (typeof name === 'string' && !names.has(name))
      errors.push(invalidInput(path, `There is no function "${name}" among the tools.`));
  };
  demand(toolChoice?.function, ['toolChoice', 'function']);
  toolChoice?.allowedTools?.tools.forEach(({ function: name }, index) => {
    demand(name, ['toolChoice', 'allowedTools', 'tools', String(index), 'function']);
  });
  if (toolChoice?.mode === 'required' && names.size === 0) {
    errors.push(invalidInput(['toolChoice', 'mode'], 'A tool call is required, but there are no tools.'));
  }
}
