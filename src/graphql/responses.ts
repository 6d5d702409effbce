import type { ResponseView } from '../engine/read-responses.ts';
import { asResponseId, type ResponseId } from '../protocol/ids.ts';
import { formatTimeKey, parseTimeKey } from '../protocol/pages.ts';
import type { ResponseFilter as Filter } from '../protocol/stored.ts';
import { builder } from './builder.ts';
import {
  type Connection,
  type Edge,
  type PageArguments,
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
async function responsesOf(
  { load }: Context,
  query: {
    /** Null: nothing can fit. */
    readonly filter: Filter | null;
    readonly order: 'asc' | 'desc';
    readonly args: PageArguments;
  },
): Promise<Connection<ResponseView>> {
  const { filter, order, args } = query;
  const page = toPageRequest(args, { order, parseKey: parseTimeKey });
  if (filter === null) return EMPTY;
  return toConnection(await load.responses({ filter, page }), {
    edge: toEdge,
    count: () => load.responseCount(filter),
  });
}

/** A page of the responses that continue one, oldest first. */
export async function continuationsOf(
  { load }: Context,
  responseId: ResponseId,
  args: PageArguments,
): Promise<Connection<ResponseView>> {
  const page = toPageRequest(args, { order: 'asc', parseKey: parseTimeKey });
  return toConnection(await load.continuations({ responseId, page }), {
    edge: toEdge,
    count: () => load.continuationCount(responseId),
  });
}

function toEdge(node: ResponseView): Edge<ResponseView> {
  return { node, cursor: formatTimeKey(node.base) };
}

const EMPTY: Connection<ResponseView> = {
  edges: [],
  hasNextPage: false,
  hasPreviousPage: false,
  count: async () => 0,
};
