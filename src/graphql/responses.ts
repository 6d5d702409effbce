import type { ResponseView } from '../engine/read-responses.ts';
import { asResponseId } from '../protocol/ids.ts';
import { formatTimeKey, parseTimeKey } from '../protocol/pages.ts';
import type { ResponseFilter as Filter } from '../protocol/stored.ts';
import { builder } from './builder.ts';
import {
  type Connection,
  type Edge,
  PageInfo,
  pageArguments,
  toConnection,
  toPageRequest,
} from './connection.ts';
import type { Context } from './context.ts';
import { SortOrder } from './enums.ts';
import { ResponseFilter, toFilter } from './response-filter.ts';
import { Response } from './response-ref.ts';

const ResponseEdge = builder.objectRef<Edge<ResponseView>>('ResponseEdge').implement({
  description: 'A place in a list of responses.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', { description: 'Opaque; for `after` and `before`.' }),
    node: t.field({ type: Response, description: 'The response.', resolve: ({ node }) => node }),
  }),
});

export const ResponseConnection = builder
  .objectRef<Connection<ResponseView>>('ResponseConnection')
  .implement({
    description: 'A page of a list of responses.',
    fields: (t) => ({
      edges: t.field({
        type: [ResponseEdge],
        description: 'The page, with cursors.',
        resolve: ({ edges }) => edges,
      }),
      nodes: t.field({
        type: [Response],
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

builder.queryFields((t) => ({
  response: t.field({
    type: Response,
    nullable: true,
    description: 'The response of this id; null if there is none.',
    args: { id: t.arg.id({ required: true, description: 'The id of a response.' }) },
    resolve: (_root, { id }, { load }) => {
      const responseId = asResponseId(id);
      return responseId === null ? null : load.response(responseId);
    },
  }),
  responses: t.field({
    type: ResponseConnection,
    nullable: true,
    description: 'Stored responses, newest first. Those in flight are among them.',
    args: {
      ...pageArguments(t.arg),
      filter: t.arg({ type: ResponseFilter, description: 'Which ones; all of them without it.' }),
      order: t.arg({
        type: SortOrder,
        required: true,
        defaultValue: 'desc',
        description: 'By time of creation.',
      }),
    },
    resolve: (_root, { filter, order, ...args }, context) =>
      responsesOf(context, { filter: toFilter(filter ?? {}), order, args }),
  }),
}));

/** A page of the responses that a filter leaves. */
export async function responsesOf(
  { engine, scope }: Context,
  query: {
    /** Null: nothing can fit. */
    readonly filter: Filter | null;
    readonly order: 'asc' | 'desc';
    readonly args: Parameters<typeof toPageRequest>[0];
  },
): Promise<Connection<ResponseView>> {
  const { filter, order, args } = query;
  const page = toPageRequest(args, { order, parseKey: parseTimeKey });
  if (filter === null) return EMPTY;
  return toConnection(await engine.responsesPage(scope, { filter, page }), {
    edge: (node) => ({ node, cursor: formatTimeKey({ createdAt: node.base.createdAt, id: node.base.id }) }),
    count: () => engine.countResponses(scope, filter),
  });
}

const EMPTY: Connection<ResponseView> = {
  edges: [],
  hasNextPage: false,
  hasPreviousPage: false,
  count: async () => 0,
};
