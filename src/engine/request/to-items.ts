import type { InputPart, OutputPart } from '../../protocol/content.ts';
import type { Item, MessageRole } from '../../protocol/items.ts';
import { invalidInput, type RequestError } from '../../protocol/request-error.ts';
import type { CreateInput } from './create-input.ts';
import { fresh, type ItemInput, toToolItem } from './to-tool-items.ts';

type ContentInput = NonNullable<ItemInput['message']>['content'];
type PartInput = NonNullable<ContentInput['parts']>[number];

/** The items that a request brings, with ids of their own. Errors name the fields that cannot be what they are. */
export function toItems(input: CreateInput['input'], errors: RequestError[]): readonly Item[] {
  if (typeof input.text === 'string') {
    const content = [{ type: 'input_text' as const, text: input.text }];
    return [{ ...fresh('msg'), type: 'message', role: 'user', content }];
  }
  return (input.items ?? []).flatMap((item, index) => {
    const path = ['input', 'items', String(index)];
    return toToolItem(item, { path, errors }) ?? toItem(item, path, errors);
  });
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
