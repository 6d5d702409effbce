import { z } from 'zod';

const Part = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('refusal'), refusal: z.string() }),
  z.object({ type: z.literal('image_url'), image_url: z.object({ url: z.string() }) }),
  z.object({ type: z.literal('input_audio'), input_audio: z.looseObject({}) }),
  z.object({ type: z.literal('file'), file: z.looseObject({}) }),
]);

const Content = z.union([z.string(), z.array(Part)]);

const ToolCall = z.object({
  id: z.string(),
  type: z.literal('function'),
  function: z.object({ name: z.string(), arguments: z.string() }),
});

const Message = z.discriminatedUnion('role', [
  z.object({ role: z.enum(['system', 'developer', 'user']), content: Content }),
  z.object({
    role: z.literal('assistant'),
    content: Content.nullish(),
    tool_calls: z.array(ToolCall).nullish(),
  }),
  z.object({ role: z.literal('tool'), content: Content, tool_call_id: z.string() }),
]);

const NamedFunction = z.object({ type: z.literal('function'), function: z.object({ name: z.string() }) });

const ToolChoice = z.union([z.enum(['none', 'auto', 'required']), NamedFunction]);

const ResponseFormat = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('json_object') }),
  z.object({ type: z.literal('json_schema'), json_schema: z.object({ schema: z.unknown().optional() }) }),
]);

/** What the demo model reads of a Chat Completions request; every other field is allowed and ignored. */
export const ChatRequest = z.object({
  model: z.string(),
  messages: z.array(Message).min(1),
  tools: z.array(NamedFunction).nullish(),
  tool_choice: ToolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  response_format: ResponseFormat.nullish(),
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
});

export type ChatRequest = z.infer<typeof ChatRequest>;
export type ChatMessage = ChatRequest['messages'][number];

/** The text of a message, its parts joined by a space. */
export function textOf({ content }: ChatMessage): string {
  if (typeof content === 'string') return content;
  return (content ?? []).flatMap((part) => (part.type === 'text' ? [part.text] : [])).join(' ');
}

/** What came beside the text, e.g. ` with 2 images and 1 file`; the empty string when nothing did. */
export function attachmentsOf({ content }: ChatMessage): string {
  if (typeof content === 'string') return '';
  const types = (content ?? []).map((part) => part.type);
  const images = types.filter((type) => type === 'image_url').length;
  const files = types.filter((type) => type === 'file' || type === 'input_audio').length;
  const counts = [counted(images, 'image'), counted(files, 'file')].filter((count) => count !== '');
  return counts.length === 0 ? '' : ` with ${counts.join(' and ')}`;
}

const counted = (count: number, noun: string) =>
  count === 0 ? '' : `${count} ${noun}${count === 1 ? '' : 's'}`;

export function countWords(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}
