import { attachmentsOf, type ChatMessage, type ChatRequest, textOf } from './chat-request.ts';
import { type Call, readCalls, type Wish } from './read-calls.ts';
import { sampleJson } from './sample-json.ts';
import { toCallRule } from './tool-choice.ts';

export type Answer =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'calls'; readonly calls: readonly Call[] };

const NOTHING_SAID: ChatMessage = { role: 'user', content: '' };
const WHAT_I_AM = 'I am the demo model: I repeat what I am told, and am no language model.';
const TOLD_NAME = /\bmy\s+name\s+is\s+([\p{L}\p{N}][\p{L}\p{M}\p{N}'’-]*)/giu;
const ASKED_NAME = /\bwhat(?:\s+is|['’]s)\s+my\s+name\b/i;

/** What the demo model says to a conversation: always the same to the same request. */
export function answer(request: ChatRequest): Answer {
  const outputs = latestOutputs(request.messages);
  const asked = request.messages.findLast((message) => message.role === 'user') ?? NOTHING_SAID;
  const said = textOf(asked);

  const { calls, problem } = callsToMake(request, outputs.length > 0 ? '' : said);
  if (calls.length > 0) return { type: 'calls', calls };

  const format = request.response_format;
  if (format?.type === 'json_object') return asJson({ you_said: said });
  if (format?.type === 'json_schema') return asJson(sampleJson(format.json_schema.schema, said));

  if (problem !== undefined) return { type: 'text', text: problem };
  if (outputs.length > 0) return { type: 'text', text: quote(outputs, request.messages) };
  return { type: 'text', text: reply(asked, request.messages) };
}

const asJson = (value: unknown): Answer => ({ type: 'text', text: JSON.stringify(value) });

/** The calls this answer makes; with none of them, what stood in the way of those that were asked for. */
function callsToMake(request: ChatRequest, said: string): { calls: readonly Call[]; problem?: string } {
  const rule = toCallRule(request);
  if (rule.kind === 'never' || rule.kind === 'impossible') return { calls: [] };

  const all = readCalls(said, rule.offered);
  const wishes = request.parallel_tool_calls === false ? all.slice(0, 1) : all;
  const calls = wishes.flatMap((wish) => (wish.kind === 'call' ? [wish.call] : []));
  if (rule.kind === 'must') {
    return { calls: calls.length > 0 ? calls : [{ name: rule.offered[0], arguments: '{}' }] };
  }
  const problem = wishes.map((wish) => problemWith(wish, rule.offered)).find((text) => text !== undefined);
  return problem === undefined ? { calls } : { calls: [], problem };
}

function problemWith(wish: Wish, offered: readonly string[]): string | undefined {
  switch (wish.kind) {
    case 'call':
      return undefined;
    case 'unknown': {
      const instead = offered.length === 0 ? ' no functions' : `: ${offered.join(', ')}`;
      return `I was not offered a function called ${wish.name}. I was offered${instead}.`;
    }
    case 'broken':
      return `I cannot call ${wish.name}: what follows "with" is not a JSON object.`;
    default:
      return wish satisfies never;
  }
}

/**
 * The tool outputs that wait for an answer: the messages after the last one of another role. A last user message
 * that holds only attachments belongs to them, since a tool message cannot hold an image.
 */
function latestOutputs(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const last = messages.at(-1);
  const attached = last?.role === 'user' && textOf(last).trim() === '' && attachmentsOf(last) !== '';
  const end = attached ? messages.length - 1 : messages.length;
  const before = messages.slice(0, end).findLastIndex((message) => message.role !== 'tool');
  return before + 1 === end ? [] : messages.slice(before + 1);
}

function quote(outputs: readonly ChatMessage[], messages: readonly ChatMessage[]): string {
  const calls = messages.flatMap((message) =>
    message.role === 'assistant' ? (message.tool_calls ?? []) : [],
  );
  const lines = outputs.map((message) => {
    if (message.role !== 'tool') return `This came${attachmentsOf(message)}.`;
    const call = calls.findLast(({ id }) => id === message.tool_call_id);
    return `${call?.function.name ?? message.tool_call_id} answered: ${textOf(message)}`;
  });
  return lines.join('\n');
}

function reply(asked: ChatMessage, messages: readonly ChatMessage[]): string {
  const said = textOf(asked);
  if (ASKED_NAME.test(said)) {
    const users = messages.filter((message) => message.role === 'user');
    const name = users.flatMap((message) => namesIn(textOf(message))).at(-1);
    return name === undefined ? 'You have not told me your name yet.' : `Your name is ${name}.`;
  }
  const name = namesIn(said).at(-1);
  if (name !== undefined) {
    return `Nice to meet you, ${name}. Ask me "What is my name?" later in this conversation.`;
  }
  return `You said: "${said}"${attachmentsOf(asked)}. ${WHAT_I_AM}`;
}

const namesIn = (text: string) => [...text.matchAll(TOLD_NAME)].flatMap(([, name]) => name ?? []);
