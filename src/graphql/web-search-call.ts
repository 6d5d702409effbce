import type { WebSearchSource as SourceShape, WebSearchCallItem } from '../protocol/items.ts';
import { builder } from './builder.ts';
import type { ItemNode } from './item-node.ts';
import { Item, ToolError } from './item-types.ts';
import { Node } from './node.ts';

const WebSearchSource = builder.objectRef<SourceShape>('WebSearchSource').implement({
  description: 'A page that a search found.',
  fields: (t) => ({
    url: t.exposeString('url', { description: 'Where it is.' }),
    title: t.exposeString('title', { nullable: true, description: 'Its title.' }),
  }),
});

builder.objectRef<ItemNode<WebSearchCallItem>>('WebSearchCall').implement({
  description: 'The model searches the web. This server runs the search and gives the model what it finds.',
  interfaces: [Item, Node],
  fields: (t) => ({
    query: t.string({
      nullable: true,
      description: 'What is searched for; null until the search starts, and if the model gave none.',
      resolve: ({ item }) => item.query,
    }),
    sources: t.field({
      type: [WebSearchSource],
      description: 'What was found, in the order in which the model was given it.',
      resolve: ({ item }) => item.sources,
    }),
    error: t.field({
      type: ToolError,
      nullable: true,
      description: 'Why the search failed, if it did.',
      resolve: ({ item }) => item.error,
    }),
  }),
});
