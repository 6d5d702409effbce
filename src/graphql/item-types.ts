import { type ContentPart as PartShape, textOf } from '../protocol/content.ts';
import type {
  FunctionCallItem,
  FunctionCallOutputItem,
  MessageItem,
  ReasoningItem,
  ToolError as ToolErrorShape,
} from '../protocol/items.ts';
import { builder } from './builder.ts';
import { type Connection, type Edge, PageInfo } from './connection.ts';
import { ContentPart } from './content.ts';
import { ItemStatus, MessageRole, ToolErrorType } from './enums.ts';
import { type ItemNode, itemTypeName } from './item-node.ts';
import { Node } from './node.ts';
import { Response } from './response-ref.ts';

export const Item = builder.interfaceRef<ItemNode>('Item').implement({
  description: 'What goes into a response or comes out of it: messages, calls, what they gave, reasoning.',
  interfaces: [Node],
  resolveType: ({ item }) => itemTypeName(item),
  fields: (t) => ({
    status: t.field({
      type: ItemStatus,
      description: 'Where the item stands.',
      resolve: ({ item }) => item.status,
    }),
    response: t.field({
      type: Response,
      nullable: true,
      description: 'The response whose input or output it is; null if that was deleted or not stored.',
      resolve: ({ responseId }, _args, { load }) => (responseId === null ? null : load.response(responseId)),
    }),
  }),
});

export const ToolError = builder.objectRef<ToolErrorShape>('ToolError').implement({
  description: 'Why a tool call or a listing failed.',
  fields: (t) => ({
    type: t.expose('type', { type: ToolErrorType, description: 'The kind of failure.' }),
    code: t.exposeInt('code', {
      nullable: true,
      description: 'An HTTP status or a JSON-RPC code, where there is one.',
    }),
    message: t.exposeString('message', {
      description: 'What happened, in a sentence. Of a call, the model is told the same.',
    }),
  }),
});

builder.objectRef<ItemNode<MessageItem>>('Message').implement({
  description: 'A message: of the user, the system, the developer or the model.',
  interfaces: [Item, Node],
  fields: (t) => ({
    role: t.field({ type: MessageRole, description: 'Who speaks.', resolve: ({ item }) => item.role }),
    content: t.field({
      type: [ContentPart],
      description: 'What is said, piece by piece.',
      resolve: ({ item }) => item.content,
    }),
    text: t.string({
      description: 'The text of every text part, joined.',
      resolve: ({ item }) => textOf(item.content),
    }),
  }),
});

builder.objectRef<ItemNode<FunctionCallItem>>('FunctionCall').implement({
  description: 'The model calls a function. The client runs it and continues with a functionCallOutput.',
  interfaces: [Item, Node],
  fields: (t) => ({
    callId: t.string({
      description: 'What the output names as the call that it answers.',
      resolve: ({ item }) => item.callId,
    }),
    name: t.string({ description: 'The function.', resolve: ({ item }) => item.name }),
    arguments: t.string({
      description: 'The arguments as the model wrote them: JSON text, valid or not.',
      resolve: ({ item }) => item.arguments,
    }),
    error: t.field({
      type: ToolError,
      nullable: true,
      description: 'Why the call failed, if it did.',
      resolve: ({ item }) => item.error,
    }),
  }),
});

/** The text of the text parts of what a tool gave, joined; null if it has none. */
export function outputOf(content: readonly PartShape[]): string | null {
  return content.some(({ type }) => type === 'input_text') ? textOf(content) : null;
}

builder.objectRef<ItemNode<FunctionCallOutputItem>>('FunctionCallOutput').implement({
  description: 'The answer to a function call.',
  interfaces: [Item, Node],
  fields: (t) => ({
    callId: t.string({ description: 'The call that it answers.', resolve: ({ item }) => item.callId }),
    output: t.string({
      nullable: true,
      description: "The text of the output's text parts, joined; null if it has none.",
      resolve: ({ item }) => outputOf(item.content),
    }),
    content: t.field({
      type: [ContentPart],
      description: 'The output, piece by piece.',
      resolve: ({ item }) => item.content,
    }),
  }),
});

const SummaryText = builder.objectRef<string>('SummaryText').implement({
  description: 'A piece of a summary of what the model thought.',
  fields: (t) => ({ text: t.string({ description: 'The text.', resolve: (text) => text }) }),
});

builder.objectRef<ItemNode<ReasoningItem>>('Reasoning').implement({
  description: 'What the model thought before it went on. Shown and stored, not sent back to the model.',
  interfaces: [Item, Node],
  fields: (t) => ({
    content: t.field({
      type: [ContentPart],
      description: 'The thoughts, piece by piece.',
      resolve: ({ item }) => item.content,
    }),
    summary: t.field({
      type: [SummaryText],
      description: 'A summary, if the item was given with one.',
      resolve: ({ item }) => item.summary,
    }),
    encryptedContent: t.string({
      nullable: true,
      description: 'Thoughts that only the provider can read.',
      resolve: ({ item }) => item.encryptedContent,
    }),
  }),
});

const ItemEdge = builder.objectRef<Edge<ItemNode>>('ItemEdge').implement({
  description: 'A place in a list of items.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', { description: 'Opaque; for `after` and `before`.' }),
    node: t.field({ type: Item, description: 'The item.', resolve: ({ node }) => node }),
  }),
});

export const ItemConnection = builder.objectRef<Connection<ItemNode>>('ItemConnection').implement({
  description: 'A page of a list of items.',
  fields: (t) => ({
    edges: t.field({
      type: [ItemEdge],
      description: 'The page, with cursors.',
      resolve: ({ edges }) => edges,
    }),
    nodes: t.field({
      type: [Item],
      description: 'The page, without cursors.',
      resolve: ({ edges }) => edges.map(({ node }) => node),
    }),
    pageInfo: t.field({
      type: PageInfo,
      description: 'Where the page stands in the list.',
      resolve: (connection) => connection,
    }),
    totalCount: t.int({
      nullable: true,
      description: 'How long the whole list is. Counted only when selected; null past 10000.',
      resolve: ({ count }) => count(),
    }),
  }),
});
