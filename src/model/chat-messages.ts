import type OpenAI from 'openai';
import type { InputPart, OutputPart } from '../protocol/content.ts';
import { textOf } from '../protocol/content.ts';
import type { FunctionCallItem, FunctionCallOutputItem, Item, MessageItem } from '../protocol/items.ts';

type ChatMessage = OpenAI.ChatCompletionMessageParam;
type ChatPart = OpenAI.ChatCompletionContentPart;

/** What a model said in one round: one assistant message, however many items it became. */
interface Said {
  readonly round: number | null;
  readonly messages: MessageItem[];
  readonly calls: FunctionCallItem[];
}

/**
 * The chat messages of a conversation. One round's text and calls are one assistant message, followed by one
 * tool message for each call, wherever its output stands. Calls that nobody answered are left out (an upstream
 * refuses them), and so is reasoning.
 */
export function toChatMessages(instructions: string | null, context: readonly Item[]): ChatMessage[] {
  const outputs = new Map<string, FunctionCallOutputItem>();
  for (const item of context) if (item.type === 'function_call_output') outputs.set(item.callId, item);

  const chat: ChatMessage[] = [];
  if (instructions !== null) chat.push({ role: 'system', content: instructions });
  let said: Said | null = null;
  const flush = () => {
    if (said !== null) chat.push(...toAssistantTurn(said, outputs));
    said = null;
  };
  for (const item of context) {
    switch (item.type) {
      case 'message':
        if (item.role !== 'assistant') {
          flush();
          chat.push(toInputMessage(item));
          break;
        }
        if (said === null || !belongs(item, said)) flush();
        said ??= { round: item.round, messages: [], calls: [] };
        said.messages.push(item);
        break;
      case 'function_call':
        if (said === null || said.round !== item.round) flush();
        said ??= { round: item.round, messages: [], calls: [] };
        said.calls.push(item);
        break;
      case 'function_call_output':
        flush();
        break;
      case 'reasoning': // between two turns it is all that tells them apart
        if (said !== null && said.round !== item.round) flush();
        break;
      default:
        item satisfies never;
    }
  }
  flush();
  return chat;
}

/** Items given as input name no round: there each message begins a new one. */
function belongs(message: MessageItem, said: Said): boolean {
  return message.round === said.round && (message.round !== null || said.messages.length === 0);
}

function toAssistantTurn(said: Said, outputs: ReadonlyMap<string, FunctionCallOutputItem>): ChatMessage[] {
  const answered = said.calls.flatMap((call) => {
    const output = call.status === 'incomplete' ? undefined : outputs.get(call.callId);
    return output === undefined ? [] : [{ call, output }];
  });
  const text = said.messages.map((message) => textOf(message.content)).join('');
  const refusal = said.messages.map((message) => refusalOf(message.content)).join('');
  if (text === '' && refusal === '' && answered.length === 0) return [];
  const assistant: OpenAI.ChatCompletionAssistantMessageParam = {
    role: 'assistant',
    content: text === '' && answered.length > 0 ? null : text,
    ...(refusal !== '' && { refusal }),
    ...(answered.length > 0 && { tool_calls: answered.map(({ call }) => toToolCall(call)) }),
  };
  const tools = answered.map(({ call, output }) => ({
    role: 'tool' as const,
    tool_call_id: call.callId,
    content: textOf(output.content),
  }));
  // A tool message holds text only; pictures and files follow in the user's name.
  const media = answered.flatMap(({ output }) => output.content.filter((part) => part.type !== 'input_text'));
  return [
    assistant,
    ...tools,
    ...(media.length > 0 ? [{ role: 'user' as const, content: media.map(toPart) }] : []),
  ];
}

function toToolCall({
  callId,
  name,
  arguments: json,
}: FunctionCallItem): OpenAI.ChatCompletionMessageToolCall {
  return {
    id: callId,
    type: 'function',
    function: { name: toLegalName(name), arguments: json === '' ? '{}' : json },
  };
}

/** A model may call a name that no tool could have. Sent as it is, upstreams would refuse the whole conversation. */
function toLegalName(name: string): string {
  return name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64) || 'unknown';
}

/** `developer` goes as `system`: every server knows that one, and those that know both treat them alike. */
function toInputMessage({ role, content }: MessageItem): ChatMessage {
  if (role !== 'user') return { role: 'system', content: textOf(content) };
  const onlyText = content.every((part) => part.type === 'input_text');
  return { role: 'user', content: onlyText ? textOf(content) : content.map(toPart) };
}

function toPart(part: InputPart | OutputPart): ChatPart {
  switch (part.type) {
    case 'input_text':
    case 'output_text':
      return { type: 'text', text: part.text };
    case 'refusal':
      return { type: 'text', text: part.refusal };
    case 'input_image':
      return { type: 'image_url', image_url: { url: part.imageUrl, detail: toDetail(part.detail) } };
    case 'input_file': {
      // Chat Completions has no field for a file's URL; the servers that fetch files take it in place of the data.
      const data = part.fileData ?? part.fileUrl ?? '';
      return {
        type: 'file',
        file: { ...(part.filename !== null && { filename: part.filename }), file_data: data },
      };
    }
    default:
      return part satisfies never;
  }
}

/** Chat Completions knows no ORIGINAL; the next best is the highest it has. */
function toDetail(detail: 'auto' | 'low' | 'high' | 'original'): 'auto' | 'low' | 'high' {
  return detail === 'original' ? 'high' : detail;
}

function refusalOf(content: readonly (InputPart | OutputPart)[]): string {
  return content.map((part) => (part.type === 'refusal' ? part.refusal : '')).join('');
}
