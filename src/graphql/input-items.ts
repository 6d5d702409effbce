import { asResponseId, type ResponseId } from '../protocol/ids.ts';
import { formatPositionKey, parsePositionKey } from '../protocol/pages.ts';
import { builder } from './builder.ts';
import {
  type Connection,
  type PageArguments,
  pageArguments,
  toConnection,
  toPageRequest,
} from './connection.ts';
import type { Context } from './context.ts';
import { InputItemScope, SortOrder } from './enums.ts';
import type { ItemNode } from './item-node.ts';
import { ItemConnection } from './item-types.ts';

builder.queryFields((t) => ({
  inputItems: t.field({
    type: ItemConnection,
    nullable: true,
    description:
      'What the model was given for a response: its history and its own input. Null for an unknown id.',
    args: {
      responseId: t.arg.id({ required: true, description: 'The id of a response.' }),
      ...pageArguments(t.arg),
      order: t.arg({ type: SortOrder, required: true, defaultValue: 'desc', description: 'The order.' }),
      scope: t.arg({
        type: InputItemScope,
        required: true,
        defaultValue: 'all',
        description: 'How much of it.',
      }),
    },
    resolve: async (_root, { responseId, ...args }, context) => {
      const id = asResponseId(responseId);
      if (id === null) return null;
      const page = inputItemsOf(context, id, args);
      page.catch(() => {}); // of what is unknown nothing is wrong with the arguments either
      return (await context.load.response(id)) === null ? null : page;
    },
  }),
}));

type InputItemArguments = PageArguments & {
  readonly order: 'asc' | 'desc';
  readonly scope: 'all' | 'own';
};

/** A page of what the model was given for a response. */
export async function inputItemsOf(
  { load }: Context,
  responseId: ResponseId,
  { order, scope, ...args }: InputItemArguments,
): Promise<Connection<ItemNode>> {
  const page = toPageRequest(args, { order, parseKey: (cursor) => parsePositionKey(cursor, responseId) });
  return toConnection(await load.inputItems({ responseId, scope, page }), {
    edge: (row) => ({
      node: { item: row.item, responseId: row.responseId },
      cursor: formatPositionKey(row, responseId),
    }),
    count: () => load.inputItemCount({ responseId, scope }),
  });
}
