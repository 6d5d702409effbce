import { toChatMessages } from '../../src/model/chat-messages.ts';
import { type ItemId, newItemId } from '../../src/protocol/ids.ts';
import type {
  FunctionCallItem,
  FunctionCallOutputItem,
  Item,
  ItemStatus,
  McpApprovalRequestItem,
  McpApprovalResponseItem,
  McpCallItem,
  McpListToolsItem,
  MessageItem,
  ReasoningItem,
  ToolError,
  WebSearchCallItem,
} from '../../src/protocol/items.ts';

export const FAILURE: ToolError = {
  type: 'http',
  code: 503,
  message: 'The server answered with HTTP status 503.',
};
export const IMAGE = { type: 'input_image', imageUrl: 'https://x.example/1.png', detail: 'auto' } as const;
export const SENT_IMAGE = {
  type: 'image_url',
  image_url: { url: 'https://x.example/1.png', detail: 'auto' },
};

export function user(text: string): MessageItem {
  return {
    ...base('msg', null),
    type: 'message',
    role: 'user',
    content: [{ type: 'input_text', text }],
  };
}

export function says(text: string, round: number | null): MessageItem {
  const content = [{ type: 'output_text', text, annotations: [], logprobs: null }] as const;
  return { ...base('msg', round), type: 'message', role: 'assistant', content };
}

export function thinks(round: number | null): ReasoningItem {
  const content = [{ type: 'reasoning_text', text: 'Hm.' }] as const;
  return { ...base('rs', round), type: 'reasoning', content, summary: [], encryptedContent: null };
}

export function lists(): McpListToolsItem {
  const about = { serverLabel: 'a', serverUrl: 'https://mcp.example/', filter: null, error: null };
  return { ...base('mcpl', null), type: 'mcp_list_tools', ...about, tools: [] };
}

export function calls(
  callId: string,
  round: number | null,
  more: Partial<FunctionCallItem> = {},
): FunctionCallItem {
  const call = { callId, name: `f_${callId}`, arguments: '{}', error: null };
  return { ...base('fc', round), type: 'function_call', ...call, ...more };
}

export function outputs(callId: string, text: string, round: number | null = null): FunctionCallOutputItem {
  const content = [{ type: 'input_text', text }] as const;
  return { ...base('fco', round), type: 'function_call_output', callId, content };
}

export function searches(
  callId: string,
  round: number | null,
  more: Partial<WebSearchCallItem> = {},
): WebSearchCallItem {
  const call = { callId, calledAs: 'web_search', arguments: '{"query":"q"}', query: 'q', sources: [] };
  const outcome = { firstNumber: 1, output: `found by ${callId}`, error: null };
  return { ...base('ws', round), type: 'web_search_call', ...call, ...outcome, ...more };
}

export function callsMcp(callId: string, round: number | null, more: Partial<McpCallItem> = {}): McpCallItem {
  return {
    ...base('mcp', round),
    type: 'mcp_call',
    callId,
    serverLabel: 'a',
    name: 'the tool',
    calledAs: `a_${callId}`,
    arguments: '{"x":1}',
    started: true,
    content: [{ type: 'input_text', text: `given by ${callId}` }],
    error: null,
    approvalRequestId: null,
    ...more,
  };
}

export function asks(
  callId: string,
  round: number | null,
  more: Partial<McpApprovalRequestItem> = {},
): McpApprovalRequestItem {
  const server = { serverLabel: 'a', serverUrl: 'https://mcp.example/', name: 'the tool' };
  const call = { callId, calledAs: `a_${callId}`, arguments: '{"x":1}', error: null };
  return { ...base('mcpr', round), type: 'mcp_approval_request', ...server, ...call, ...more };
}

export function decides(
  request: Item,
  approve: boolean,
  reason: string | null = null,
): McpApprovalResponseItem {
  const decision = { approvalRequestId: request.id, approve, reason };
  return { ...base('mcpa', null), type: 'mcp_approval_response', ...decision };
}

/** The call that was made once `request` had been approved. */
export function carriesOut(request: McpApprovalRequestItem, more: Partial<McpCallItem> = {}): McpCallItem {
  return callsMcp(request.callId, null, { approvalRequestId: request.id, ...more });
}

function base(
  prefix: Parameters<typeof newItemId>[0],
  round: number | null,
): { readonly id: ItemId; readonly status: ItemStatus; readonly round: number | null } {
  return { id: newItemId(prefix), status: 'completed', round };
}

/** The conversation in short: `user Hi`, `assistant So [one two]`, `tool one: result`. */
export function brief(...context: readonly Item[]): readonly string[] {
  return toChatMessages(null, context).map((message) => {
    const content = typeof message.content === 'string' ? message.content : JSON.stringify(message.content);
    if (message.role === 'tool') return `tool ${message.tool_call_id}: ${content}`;
    const made = message.role === 'assistant' ? (message.tool_calls ?? []) : [];
    return `${message.role} ${content}${made.length > 0 ? ` [${made.map(({ id }) => id).join(' ')}]` : ''}`;
  });
}

/** What the model is told of the only call in this conversation. */
export function told(...context: readonly Item[]): unknown {
  const answers = toChatMessages(null, context).filter(({ role }) => role === 'tool');
  if (answers.length !== 1) throw new Error(`There are ${answers.length} tool messages, not one.`);
  return answers[0]?.content;
}
