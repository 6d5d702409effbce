import type OpenAI from 'openai';
import type { InputPart, OutputPart } from '../protocol/content.ts';
import { textOf } from '../protocol/content.ts';
import type { Item, MessageItem } from '../protocol/items.ts';
import { toLegalName } from '../protocol/tools.ts';
import { type CallAnswer, readAnswers } from './chat-answers.ts';
import { type CallItem, type ModelTurn, toTurns } from './chat-turns.ts';

type ChatMessage = OpenAI.ChatCompletionMessageParam;
type ChatPart = OpenAI.ChatCompletionContentPart;

/**
 * The chat messages of a conversation. One round's text and calls are one assistant message, followed by one
 * tool message for each call, wherever its answer stands. Calls that nobody answered are left out (an upstream
 * refuses them), and so are reasoning and the lists of tools.
 */
export function toChatMessages(instructions: string | null, context: readonly Item[]): ChatMessage[] {
  const answerTo = readAnswers(context);
  const chat = toTurns(context).flatMap((turn) =>
    turn.type === 'input' ? [toInputMessage(turn.message)] : toModelMessages(turn, answerTo),
  );
  return instructions === null ? chat : [{ role: 'system', content: instructions }, ...chat];
}

function toModelMessages(
  { messages, calls }: ModelTurn,
  answerTo: (call: CallItem) => CallAnswer | null,
): ChatMessage[] {
  const answered = calls.flatMap((call) => {
    const answer = answerTo(call);
    return answer === null ? [] : [{ call, answer }];
  });
  const text = messages.map(({ content }) => textOf(content)).join('');
  const refusal = messages.map(({ content }) => refusalOf(content)).join('');
  if (text === '' && refusal === '' && answered.length === 0) return [];
  const assistant: OpenAI.ChatCompletionAssistantMessageParam = {
    role: 'assistant',
    content: text === '' && answered.length > 0 ? null : text,
    ...(refusal !== '' && { refusal }),
    ...(answered.length > 0 && { tool_calls: answered.map(({ call }) => toToolCall(call)) }),
  };
  const tools = answered.map(({ call, answer }) => ({
    role: 'tool' as const,
    tool_call_id: call.callId,
    content: answer.text,
  }));
  // A tool message holds text only; pictures and files follow in the user's name.
  const media = answered.flatMap(({ answer }) => answer.media.map(toPart));
  return [assistant, ...tools, ...(media.length > 0 ? [{ role: 'user' as const, content: media }] : [])];
}

function toToolCall(call: CallItem): OpenAI.ChatCompletionMessageToolCall {
  const { callId, arguments: json } = call;
  const name = call.type === 'function_call' ? call.name : call.calledAs;
  return {
    id: callId,
    type: 'function',
    // A model may call a name that no tool could have: sent as it is, upstreams would refuse the conversation.
    function: { name: toLegalName(name) || 'unknown', arguments: json === '' ? '{}' : json },
  };
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
