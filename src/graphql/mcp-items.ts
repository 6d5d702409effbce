import type { ItemId } from '../protocol/ids.ts';
import type {
  McpApprovalRequestItem,
  McpApprovalResponseItem,
  McpCallItem,
  McpListToolsItem,
} from '../protocol/items.ts';
import type { McpTool as McpToolShape } from '../protocol/tools.ts';
import { builder, type Types } from './builder.ts';
import { ContentPart } from './content.ts';
import type { Context } from './context.ts';
import type { ItemNode } from './item-node.ts';
import { Item, outputOf, ToolError } from './item-types.ts';
import { Node } from './node.ts';

const McpTool = builder.objectRef<McpToolShape>('McpTool').implement({
  description: 'A tool as an MCP server lists it.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Its name, as the server calls it.' }),
    description: t.exposeString('description', { nullable: true, description: 'What it does.' }),
    inputSchema: t.field({
      type: 'JSON',
      description: 'A JSON schema of its arguments, as the server wrote it.',
      resolve: ({ inputSchema }) => inputSchema,
    }),
    annotations: t.field({
      type: 'JSONObject',
      nullable: true,
      description: 'What the server says of it, e.g. readOnlyHint.',
      resolve: ({ annotations }) => annotations,
    }),
  }),
});

builder.objectRef<ItemNode<McpListToolsItem>>('McpListTools').implement({
  description: 'The tools of an MCP server are listed. A server is asked once for a run.',
  interfaces: [Item, Node],
  fields: (t) => ({
    serverLabel: t.string({ description: 'The server.', resolve: ({ item }) => item.serverLabel }),
    tools: t.field({
      type: [McpTool],
      description: 'Its tools, those only that allowedTools leaves.',
      resolve: ({ item }) => item.tools,
    }),
    error: t.field({
      type: ToolError,
      nullable: true,
      description: 'Why they could not be listed, if so. The run goes on with the other tools.',
      resolve: ({ item }) => item.error,
    }),
  }),
});

/** What a call is, whether it is made or waits to be approved. */
function callFields<Kind extends McpCallItem | McpApprovalRequestItem>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, ItemNode<Kind>>,
) {
  return {
    serverLabel: t.string({ description: 'The server.', resolve: ({ item }) => item.serverLabel }),
    name: t.string({
      description: 'The tool, as the server calls it.',
      resolve: ({ item }) => item.name,
    }),
    arguments: t.string({
      description: 'The arguments as the model wrote them: JSON text, valid or not.',
      resolve: ({ item }) => item.arguments,
    }),
  };
}

/** Declared apart from their fields: the request names its answer, and the answer its request. */
const McpApprovalRequest = builder.objectRef<ItemNode<McpApprovalRequestItem>>('McpApprovalRequest');
const McpApprovalResponse = builder.objectRef<ItemNode<McpApprovalResponseItem>>('McpApprovalResponse');

builder.objectRef<ItemNode<McpCallItem>>('McpCall').implement({
  description:
    'The model calls a tool of an MCP server. This server makes the call and gives the model what comes.',
  interfaces: [Item, Node],
  fields: (t) => ({
    ...callFields(t),
    output: t.string({
      nullable: true,
      description: 'The text of what the tool gave, joined; null if it gave no text, or nothing yet.',
      resolve: ({ item }) => outputOf(item.content),
    }),
    content: t.field({
      type: [ContentPart],
      description: 'What the tool gave, piece by piece, images too; empty if it failed.',
      resolve: ({ item }) => item.content,
    }),
    error: t.field({
      type: ToolError,
      nullable: true,
      description: 'Why the call failed, if it did.',
      resolve: ({ item }) => item.error,
    }),
    approvalRequestId: t.id({
      nullable: true,
      description: 'The request that the client approved; null if the call needed no approval.',
      resolve: ({ item }) => item.approvalRequestId,
    }),
    approvalRequest: t.field({
      type: McpApprovalRequest,
      nullable: true,
      description: 'That request; null also if it cannot be read any more.',
      resolve: ({ item }, _args, context) => requestOf(item.approvalRequestId, context),
    }),
  }),
});

McpApprovalRequest.implement({
  description:
    'The model wants to call a tool of an MCP server that needs approval. The client continues with an mcpApprovalResponse.',
  interfaces: [Item, Node],
  fields: (t) => ({
    ...callFields(t),
    error: t.field({
      type: ToolError,
      nullable: true,
      description:
        'Why the request is not put to the client, with status FAILED: there is nothing to answer.',
      resolve: ({ item }) => item.error,
    }),
    answer: t.field({
      type: McpApprovalResponse,
      nullable: true,
      description: 'The answer, on whichever branch it was given; null while there is none.',
      resolve: ({ item }, _args, context) => answerTo(item.id, context),
    }),
  }),
});

McpApprovalResponse.implement({
  description: 'The answer of the client to an approval request. Part of an input, never of an output.',
  interfaces: [Item, Node],
  fields: (t) => ({
    approvalRequestId: t.id({
      nullable: true,
      description: 'The request that it answers.',
      resolve: ({ item }) => item.approvalRequestId,
    }),
    approvalRequest: t.field({
      type: McpApprovalRequest,
      nullable: true,
      description: 'That request; null if it cannot be read any more.',
      resolve: ({ item }, _args, context) => requestOf(item.approvalRequestId, context),
    }),
    approve: t.boolean({
      description: 'True: the call may be made.',
      resolve: ({ item }) => item.approve,
    }),
    reason: t.string({
      nullable: true,
      description: 'Why. The model is told, with a denial.',
      resolve: ({ item }) => item.reason,
    }),
  }),
});

async function requestOf(
  id: ItemId | null,
  { load }: Context,
): Promise<ItemNode<McpApprovalRequestItem> | null> {
  const stored = id === null ? null : await load.item(id);
  if (stored?.item.type !== 'mcp_approval_request') return null;
  return { item: stored.item, responseId: stored.responseId };
}

async function answerTo(id: ItemId, { load }: Context): Promise<ItemNode<McpApprovalResponseItem> | null> {
  const stored = await load.approvalAnswer(id);
  if (stored?.item.type !== 'mcp_approval_response') return null;
  return { item: stored.item, responseId: stored.responseId };
}
