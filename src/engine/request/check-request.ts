import type { z } from 'zod';
import type { ResponseSettings } from '../../protocol/request.ts';
import { invalidInput, type RequestError } from '../../protocol/request-error.ts';
import type { McpSecrets } from '../../protocol/tools.ts';
import { blockedReason } from '../../tools/outbound.ts';
import { checkToolChoice, checkTools, type ToolRules } from './check-tools.ts';
import { type CheckedInput, type CreateInput, CreateInputRules } from './create-input.ts';
import { isDataUrl, isWebUrl } from './fields.ts';
import { checkCopiedSize, type ReferencedItems } from './item-references.ts';
import { type OwnInput, toItems } from './to-items.ts';
import { toSettings } from './to-settings.ts';
import { toSecrets } from './to-tools.ts';

/** A request that can be run, as far as it can be judged without the database. */
export interface CheckedRequest extends OwnInput {
  readonly settings: ResponseSettings;
  /** Of its MCP servers: for the run, and for nothing that is kept. */
  readonly secrets: McpSecrets;
}

/** A request that cannot. Its input is given all the same, so that its place in a conversation can be checked too. */
export interface RefusedRequest extends OwnInput {
  readonly errors: readonly RequestError[];
}

export interface RequestRules extends ToolRules {
  readonly defaultModel: string | null;
  /** What the input refers to. */
  readonly referenced: ReferencedItems;
}

/** A request with what the rules for each field alone say of it. */
export interface ReadRequest {
  readonly input: CreateInput;
  readonly parsed: z.ZodSafeParseResult<CheckedInput>;
}

export function readRequest(input: CreateInput): ReadRequest {
  return { input, parsed: CreateInputRules.safeParse(input) };
}

/** Checks a request; every error is found, not the first only, nor those of the first rule only. */
export function checkRequest(
  { input, parsed }: ReadRequest,
  rules: RequestRules,
): CheckedRequest | RefusedRequest {
  const errors = (parsed.error?.issues ?? []).map(({ path, message }) => {
    const names = path.map(String);
    return invalidInput(names, `${names.join('.')} ${message}`);
  });
  const own = toItems(input.input, rules.referenced, errors);
  const model = input.model ?? rules.defaultModel;
  if (model === null) errors.push(invalidInput(['model'], 'Name a model: this server has no default one.'));
  checkStore(input, errors);
  checkCopiedSize(input.input, rules.referenced, errors);
  checkMedia(input.input, rules, errors);
  checkTools(input, rules, errors);
  checkToolChoice(input, errors);
  if (!parsed.success || model === null || errors.length > 0) return { errors, ...own };
  const secrets = toSecrets(parsed.data.tools);
  return { settings: toSettings(parsed.data, model), secrets, ...own };
}

/** What only a stored response can do. */
function checkStore({ store, background, idempotencyKey, input }: CreateInput, errors: RequestError[]): void {
  if (store) return;
  input.items?.forEach(({ mcpApprovalResponse }, index) => {
    if (!mcpApprovalResponse) return;
    const message = 'An approval counts once, and that has to be kept: store the response that gives it.';
    errors.push(invalidInput(['input', 'items', String(index), 'mcpApprovalResponse'], message));
  });
  if (background) {
    const message = 'What runs in the background has to be stored: leave out background, or store it.';
    errors.push(invalidInput(['background'], message));
  }
  if (idempotencyKey) {
    const message =
      'A response that is not stored cannot be found again: leave out idempotencyKey, or store it.';
    errors.push(invalidInput(['idempotencyKey'], message));
  }
}

/** The model's server fetches what it is given the address of: it is not to be sent into a private network. */
function checkMedia({ items }: CreateInput['input'], rules: ToolRules, errors: RequestError[]): void {
  const check = (url: string | null | undefined, path: readonly string[]) => {
    if (typeof url !== 'string' || isDataUrl(url) || !isWebUrl(url)) return;
    const reason = blockedReason(url, rules);
    if (reason !== null) errors.push(invalidInput(path, reason));
  };
  items?.forEach(({ message, functionCallOutput }, index) => {
    const [parts, at] = message
      ? [message.content.parts, ['message', 'content']]
      : [functionCallOutput?.output.parts, ['functionCallOutput', 'output']];
    parts?.forEach(({ image, file }, part) => {
      const path = ['input', 'items', String(index), ...at, 'parts', String(part)];
      check(image?.imageUrl, [...path, 'image', 'imageUrl']);
      check(file?.source.fileUrl, [...path, 'file', 'source', 'fileUrl']);
    });
  });
}
