import type { EventDraft } from './events.ts';
import {
  type FunctionCallItem,
  type Item,
  type ItemStatus,
  isOpen,
  type McpCallItem,
  type MessageItem,
  type ReasoningItem,
} from './items.ts';
import type { ResponseState } from './response.ts';
import type { Usage } from './usage.ts';

/**
 * The events that close one open item with `status`: what its last part or its arguments came to, then the item.
 * Derived from the state alone, so that a run, and whoever clears up after one that died, close in the same way.
 */
export function closeItem(item: Item, outputIndex: number, status: ItemStatus): readonly EventDraft[] {
  const done: EventDraft = {
    type: 'response.output_item.done',
    itemId: item.id,
    outputIndex,
    item: { ...item, status },
  };
  switch (item.type) {
    case 'message':
    case 'reasoning':
      return [...closePart(item, outputIndex), done];
    case 'function_call':
      return [closeArguments(item, outputIndex), done];
    case 'mcp_call': // one that has started has told its arguments
      return item.status === 'in_progress' ? [closeMcpArguments(item, outputIndex, null), done] : [done];
    case 'function_call_output':
    case 'web_search_call':
    case 'mcp_list_tools':
    case 'mcp_approval_request':
    case 'mcp_approval_response':
      return [done];
    default:
      return item satisfies never;
  }
}

/** The events that close the last part of an open item; none if it has no part yet. */
export function closePart(item: MessageItem | ReasoningItem, outputIndex: number): readonly EventDraft[] {
  const part = item.content.at(-1);
  if (part === undefined) return [];
  const place = { itemId: item.id, outputIndex, contentIndex: item.content.length - 1 };
  switch (part.type) {
    case 'output_text':
      return [
        { type: 'response.output_text.done', ...place, text: part.text },
        { type: 'response.content_part.done', ...place, part },
      ];
    case 'refusal':
      return [
        { type: 'response.refusal.done', ...place, refusal: part.refusal },
        { type: 'response.content_part.done', ...place, part },
      ];
    case 'reasoning_text':
      return [
        { type: 'response.reasoning_text.done', ...place, text: part.text },
        { type: 'response.content_part.done', ...place, part },
      ];
    default:
      return []; // input parts come whole
  }
}

/**
 * The events that close every item still open, as INCOMPLETE: what a run that stops early owes its followers.
 * An open item's last part is always open too: a part is closed in the same append as what follows it.
 */
export function closeOpenItems(state: ResponseState): readonly EventDraft[] {
  return state.output.flatMap((item, index) => (isOpen(item) ? closeItem(item, index, 'incomplete') : []));
}

function closeArguments(item: FunctionCallItem, outputIndex: number): EventDraft {
  const { id: itemId, name } = item;
  return {
    type: 'response.function_call_arguments.done',
    itemId,
    outputIndex,
    name,
    arguments: item.arguments,
  };
}

/** The arguments of an MCP call are whole. With `start` the call follows as soon as that is committed. */
export function closeMcpArguments(
  { id: itemId, arguments: json }: McpCallItem,
  outputIndex: number,
  start: { readonly usage: Usage | null } | null,
): EventDraft {
  const mark = { starts: start !== null, usage: start?.usage ?? null };
  return { type: 'response.mcp_call_arguments.done', itemId, outputIndex, arguments: json, ...mark };
}
