import type { InputPart, OutputPart } from '../../protocol/content.ts';
import type { ItemId } from '../../protocol/ids.ts';
import type { Item, MessageRole } from '../../protocol/items.ts';
import { invalidInput, type RequestError } from '../../protocol/request-error.ts';
import type { CreateInput } from './create-input.ts';
import { type ReferencedItems, toReferenced } from './item-references.ts';
import { fresh, type ItemInput, toToolItem } from './to-tool-items.ts';

type ContentInput = NonNullable<ItemInput['message']>['content'];
type PartInput = NonNullable<ContentInput['parts']>[number];

/** What a request brings. */
export interface OwnInput {
  /** Its items, with ids of their own. */
  readonly input: readonly Item[];
  /** Where the request says which call an item is or answers. */
  readonly places: ReadonlyMap<ItemId, readonly string[]>;
}

/** The items that a request brings. Errors name the fields that cannot be what they are. */
export function toItems(
  input: CreateInput['input'],
  referenced: ReferencedItems,
  errors: RequestError[],
): OwnInput {
  if (typeof input.text === 'string') {
    const content = [{ type: 'input_text' as const, text: input.text }];
    return { input: [{ ...fresh('msg'), type: 'message', role: 'user', content }], places: new Map() };
  }
  const placed = (input.items ?? []).flatMap((given, index) => {
    const path = ['input', 'items', String(index)];
    const items =
      typeof given.itemReference === 'string'
        ? toReferenced(given.itemReference, referenced, { path, errors })
        : (toToolItem(given, { path, errors }) ?? toItem(given, path, errors));
    return items.map((item) => ({ item, place: [...path, ...idFieldOf(given)] }));
  });
  return {
    input: placed.map(({ item }) => item),
    places: new Map(placed.map(({ item, place }) => [item.id, place])),
  };
}

/** The field that says which call an item is or answers. */
function idFieldOf(given: ItemInput): readonly string[] {
  if (typeof given.itemReference === 'string') return ['itemReference'];
  if (given.functionCall) return ['functionCall', 'callId'];
  if (given.functionCallOutput) return ['functionCallOutput', 'callId'];
  return given.mcpApprovalResponse ? ['mcpApprovalResponse', 'approvalRequestId'] : [];
}

function toItem(input: ItemInput, path: readonly string[], errors: RequestError[]): Item[] {
  const { message, functionCall, functionCallOutput, reasoning } = input;
  if (message) {
    const at = [...path, 'message', 'content'];
    return [
      { ...fresh('msg'), type: 'message', role: message.role, content: toContent(message, at, errors) },
    ];
  }
  if (functionCall) {
    const { callId, name, arguments: json } = functionCall;
    return [{ ...fresh('fc'), type: 'function_call', callId, name, arguments: json, error: null }];
  }
  if (functionCallOutput) {
    const { callId, output } = functionCallOutput;
    const content = toToolOutput(output, [...path, 'functionCallOutput', 'output'], errors);
    return [{ ...fresh('fco'), type: 'function_call_output', callId, content }];
  }
  if (reasoning) {
    const content = (reasoning.content ?? []).map((text) => ({ type: 'reasoning_text' as const, text }));
    const { summary, encryptedContent } = reasoning;
    const rest = { content, summary: summary ?? [], encryptedContent: encryptedContent ?? null };
    return [{ ...fresh('rs'), type: 'reasoning', ...rest }];
  }
  return [];
}

function toContent(
  { role, content }: NonNullable<ItemInput['message']>,
  path: readonly string[],
  errors: RequestError[],
): (InputPart | OutputPart)[] {
  if (typeof content.text === 'string') return [toText(content.text, role)];
  return (content.parts ?? []).flatMap((part, index) => {
    const at = [...path, 'parts', String(index)];
    if (typeof part.text === 'string') return [toText(part.text, role)];
    if (typeof part.refusal === 'string') {
      if (role === 'assistant') return [{ type: 'refusal' as const, refusal: part.refusal }];
      errors.push(invalidInput([...at, 'refusal'], 'Only an assistant message can hold a refusal.'));
      return [];
    }
    const media = toMedia(part);
    if (media !== null && role !== 'user') {
      const message = 'Only a user message can hold images and files.';
      errors.push(invalidInput([...at, part.image ? 'image' : 'file'], message));
      return [];
    }
    return media ?? [];
  });
}

function toText(text: string, role: MessageRole): InputPart | OutputPart {
  return role === 'assistant'
    ? { type: 'output_text', text, annotations: [], logprobs: null }
    : { type: 'input_text', text };
}

function toToolOutput(output: ContentInput, path: readonly string[], errors: RequestError[]): InputPart[] {
  if (typeof output.text === 'string') return [{ type: 'input_text', text: output.text }];
  return (output.parts ?? []).flatMap((part, index) => {
    if (typeof part.text === 'string') return [{ type: 'input_text' as const, text: part.text }];
    const media = toMedia(part);
    if (media === null) {
      errors.push(
        invalidInput([...path, 'parts', String(index), 'refusal'], 'A tool output holds no refusal.'),
      );
    }
    return media ?? [];
  });
}

function toMedia({ image, file }: PartInput): InputPart | null {
  if (image) return { type: 'input_image', imageUrl: image.imageUrl, detail: image.detail };
  if (!file) return null;
  const { fileData, fileUrl } = file.source;
  return {
    type: 'input_file',
    filename: file.filename ?? null,
    fileData: fileData ?? null,
    fileUrl: fileUrl ?? null,
  };
}
