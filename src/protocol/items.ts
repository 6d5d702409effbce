import type { ContentPart, InputPart, OutputPart, ReasoningTextPart } from './content.ts';
import { textOf } from './content.ts';
import type { ItemId } from './ids.ts';
import type { McpTool, McpToolFilter } from './tools.ts';

/** What goes into a response and comes out of it, by the names of the Responses API. */
export type Item =
  | MessageItem
  | FunctionCallItem
  | FunctionCallOutputItem
  | ReasoningItem
  | WebSearchCallItem
  | McpListToolsItem
  | McpCallItem
  | McpApprovalRequestItem
  | McpApprovalResponseItem;

export type ItemType = Item['type'];

/** `searching` and `calling` are steps of a call that this server runs: it has been started and is not over. */
export type ItemStatus = 'in_progress' | 'searching' | 'calling' | 'completed' | 'incomplete' | 'failed';

interface ItemBase {
  readonly id: ItemId;
  readonly status: ItemStatus;
  /** The model call that this item came from, counted from 0 within its response; null for what came from none. */
  readonly round: number | null;
}

/** A call that the model made. Names and arguments are the model's own; `callId` is what its tool message names. */
interface ModelCall {
  readonly callId: string;
  /** JSON text as the model wrote it, valid or not. */
  readonly arguments: string;
}

export type MessageRole = 'user' | 'system' | 'developer' | 'assistant';

export interface MessageItem extends ItemBase {
  readonly type: 'message';
  readonly role: MessageRole;
  readonly content: readonly (InputPart | OutputPart)[];
}

export interface FunctionCallItem extends ItemBase, ModelCall {
  readonly type: 'function_call';
  readonly name: string;
  readonly error: ToolError | null;
}

export interface FunctionCallOutputItem extends ItemBase {
  readonly type: 'function_call_output';
  readonly callId: string;
  readonly content: readonly InputPart[];
}

export interface ReasoningItem extends ItemBase {
  readonly type: 'reasoning';
  readonly content: readonly ReasoningTextPart[];
  readonly summary: readonly string[];
  /** Reasoning that only its provider can read. */
  readonly encryptedContent: string | null;
}

export interface WebSearchCallItem extends ItemBase, ModelCall {
  readonly type: 'web_search_call';
  /** The name under which the model was offered the search. */
  readonly calledAs: string;
  /** Null until the search starts, and if the model gave none. */
  readonly query: string | null;
  readonly sources: readonly WebSearchSource[];
  /** The number under which the model is told the first source; the others follow. */
  readonly firstNumber: number;
  /** The results as the model is told them. */
  readonly output: string;
  readonly error: ToolError | null;
}

export interface WebSearchSource {
  readonly url: string;
  readonly title: string | null;
}

export interface McpListToolsItem extends ItemBase {
  readonly type: 'mcp_list_tools';
  readonly serverLabel: string;
  /** Null for a list that was given as input. */
  readonly serverUrl: string | null;
  /** The filter that `tools` went through. */
  readonly filter: McpToolFilter | null;
  readonly tools: readonly McpTool[];
  readonly error: ToolError | null;
}

export interface McpCallItem extends ItemBase, ModelCall {
  readonly type: 'mcp_call';
  readonly serverLabel: string;
  /** As the server calls the tool. */
  readonly name: string;
  /** The name under which the model was offered it. */
  readonly calledAs: string;
  /** True once the call has been committed as started: from then on nobody may make it again. */
  readonly started: boolean;
  /** What the tool gave; empty if it failed. */
  readonly content: readonly InputPart[];
  readonly error: ToolError | null;
  /** The request that the client approved, if the call needed that. Then `callId` is the request's. */
  readonly approvalRequestId: ItemId | null;
}

export interface McpApprovalRequestItem extends ItemBase, ModelCall {
  readonly type: 'mcp_approval_request';
  readonly serverLabel: string;
  readonly serverUrl: string;
  readonly name: string;
  readonly calledAs: string;
  /** Why it is not put to the client, with status `failed`. */
  readonly error: ToolError | null;
}

export interface McpApprovalResponseItem extends ItemBase {
  readonly type: 'mcp_approval_response';
  readonly approvalRequestId: ItemId;
  readonly approve: boolean;
  readonly reason: string | null;
}

/** Why a tool call or a listing failed. The message is safe to show and is what the model is told. */
export interface ToolError {
  readonly type: ToolErrorType;
  /** An HTTP status or a JSON-RPC code, where the failure has one. */
  readonly code: number | null;
  readonly message: string;
}

/**
 * - `blocked`: the address or the tool is not allowed
 * - `invalid_arguments`: the arguments are no JSON object, or not what the tool needs; nothing was called
 * - `unknown_tool`: a name that the model was never offered
 * - `protocol`: the server answered, but not as its protocol says, or with an error of that protocol
 * - `execution`: the tool itself says that it failed
 * - `http`: the server could not be reached, or answered with an HTTP status that is an error
 * - `timeout`: it took too long
 * - `limit`: `maxToolCalls` was reached and nothing was called, or the result was too much to keep
 * - `interrupted`: the process that made the call died; it is not made again, and nobody knows what came of it
 * - `credentials_lost`: the secrets of the server went with the process that had them
 */
export type ToolErrorType =
  | 'blocked'
  | 'invalid_arguments'
  | 'unknown_tool'
  | 'protocol'
  | 'execution'
  | 'http'
  | 'timeout'
  | 'limit'
  | 'interrupted'
  | 'credentials_lost';

/** True while an item may still change. */
export function isOpen({ status }: Item): boolean {
  return status === 'in_progress' || status === 'searching' || status === 'calling';
}

/** The text of every output message, joined. */
export function outputTextOf(output: readonly Item[]): string {
  let text = '';
  for (const item of output) if (item.type === 'message') text += textOf(item.content);
  return text;
}

/** About the size of an item, in characters: what can grow in it. */
export function sizeOfItem(item: Item): number {
  switch (item.type) {
    case 'message':
    case 'function_call_output':
    case 'reasoning':
      return sizeOfContent(item.content);
    case 'mcp_call':
      return item.arguments.length + sizeOfContent(item.content);
    case 'function_call':
    case 'mcp_approval_request':
      return item.arguments.length;
    case 'web_search_call':
      return item.arguments.length + 2 * item.output.length;
    case 'mcp_list_tools':
      return item.tools.length === 0 ? 0 : JSON.stringify(item.tools).length;
    case 'mcp_approval_response':
      return item.reason?.length ?? 0;
    default:
      return item satisfies never;
  }
}

export function sizeOfContent(content: readonly ContentPart[]): number {
  let size = 0;
  for (const part of content) {
    if (part.type === 'input_image') size += part.imageUrl.length;
    else if (part.type === 'input_file') size += (part.fileData ?? part.fileUrl ?? '').length;
    else size += (part.type === 'refusal' ? part.refusal : part.text).length;
  }
  return size;
}
