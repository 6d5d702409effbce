import { attachmentsOf, type ChatMessage, type ChatRequest, textOf } from './chat-request.ts';
import { citeSources } from './cite-sources.ts';
import { type Call, readSteps, WEB_SEARCH, type Wish } from './read-steps.ts';
import { sampleJson } from './sample-json.ts';
import { toCallRule } from './tool-choice.ts';

export type Answer =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'calls'; readonly calls: readonly Call[] };

/** What the user wants done, and how many rounds of calls were made for it. */
interface Order {
  readonly said: string;
  readonly rounds: number;
}

const NOTHING_SAID: ChatMessage = { role: 'user', content: '' };
const WHAT_I_AM = 'I am the demo model: I repeat what I am told, and am no language model.';
const TOLD_NAME = /\bmy\s+name\s+is\s+([\p{L}\p{N}][\p{L}\p{M}\p{N}'’-]*)/giu;
const ASKED_NAME = /\bwhat(?:\s+is|['’]s)\s+my\s+name\b/i;

/** What the demo model says to a conversation: always the same to the same request. */
export function answer(request: ChatRequest): Answer {
  const outputs = latestOutputs(request.messages);
  const asked = request.messages.findLast((message) => message.role === 'user') ?? NOTHING_SAID;
  const said = textOf(asked);

  const order = outputs.length > 0 ? orderUnderWay(request.messages) : { said, rounds: 0 };
  const { calls, problem } = callsToMake(request, order);
  if (calls.length > 0) return { type: 'calls', calls };

  const format = request.response_format;
  if (format?.type === 'json_object') return asJson({ you_said: said });
  if (format?.type === 'json_schema') return asJson(sampleJson(format.json_schema.schema, said));

  const quoted = outputs.length > 0 ? quote(outputs, request.messages) : [];
  const lines = problem === undefined ? quoted : [...quoted, problem];
  return { type: 'text', text: lines.length > 0 ? lines.join('\n') : reply(asked, request.messages) };
}

const asJson = (value: unknown): Answer => ({ type: 'text', text: JSON.stringify(value) });

/** The last order in words: what follows it are calls, their outputs, and images that came with those. */
function orderUnderWay(messages: readonly ChatMessage[]): Order {
  const at = messages.findLastIndex((message) => message.role === 'user' && textOf(message).trim() !== '');
  const rounds = messages
    .slice(at + 1)
    .filter((message) => message.role === 'assistant' && (message.tool_calls ?? []).length > 0);
  return { said: textOf(messages[at] ?? NOTHING_SAID), rounds: rounds.length };
}

/** The calls of the next step; with none of them, what stands in the way of those still asked for. */
function callsToMake(
  request: ChatRequest,
  { said, rounds }: Order,
): { readonly calls: readonly Call[]; readonly problem?: string } {
  const rule = toCallRule(request);
  if (rule.kind === 'never' || rule.kind === 'impossible') return { calls: [] };

  const all = readSteps(said, rule.offered).slice(rounds);
  const steps = request.parallel_tool_calls === false ? all.map((step) => step.slice(0, 1)) : all;
  const calls = (steps[0] ?? []).flatMap((wish) => (wish.kind === 'call' ? [wish.call] : []));
  if (rule.kind === 'must') {
    return { calls: calls.length > 0 ? calls : [{ name: rule.offered[0], arguments: '{}' }] };
  }
  // Also of later steps: better to say so now than to stop half-way.
  const problem = steps
    .flat()
    .map((wish) => problemWith(wish, rule.offered))
    .find((text) => text !== undefined);
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
    case 'no_search':
      return 'I was not offered a web search. To offer one: tools: [{ webSearch: {} }].';
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

/** A line for each output, as a model would answer with it. */
function quote(outputs: readonly ChatMessage[], messages: readonly ChatMessage[]): readonly string[] {
  const calls = messages.flatMap((message) =>
    message.role === 'assistant' ? (message.tool_calls ?? []) : [],
  );
  return outputs.map((message) => {
    if (message.role !== 'tool') return `This came${attachmentsOf(message)}.`;
    const call = calls.findLast(({ id }) => id === message.tool_call_id);
    const name = call?.function.name ?? message.tool_call_id;
    const cited = name === WEB_SEARCH ? citeSources(textOf(message)) : undefined;
    return cited ?? `${name} answered: ${textOf(message)}`;
  });
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
