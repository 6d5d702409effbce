import type { Item } from '../protocol/items.ts';
import type { StoredItem } from '../protocol/stored.ts';

/** An item as the schema sees it: with the response that it belongs to. */
export type ItemNode<Kind extends Item = Item> = StoredItem & { readonly item: Kind };

const TYPE_NAMES = {
  message: 'Message',
  function_call: 'FunctionCall',
  function_call_output: 'FunctionCallOutput',
  reasoning: 'Reasoning',
  web_search_call: 'WebSearchCall',
  mcp_list_tools: 'McpListTools',
  mcp_call: 'McpCall',
  mcp_approval_request: 'McpApprovalRequest',
  mcp_approval_response: 'McpApprovalResponse',
} as const satisfies { readonly [Type in Item['type']]: string };

/** The name of an item's type in the schema. */
export function itemTypeName(item: Item): string {
  return TYPE_NAMES[item.type];
}
