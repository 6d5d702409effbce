import type { ResponseView } from '../engine/read-responses.ts';
import { asItemId, asResponseId } from '../protocol/ids.ts';
import { AppError } from '../util/errors.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { type ItemNode, itemTypeName } from './item-node.ts';

/** Of one call of `nodes`. */
const MAX_IDS = 1000;

type AnyNode = ResponseView | ItemNode;

/** Ids are the engine's own, prefixed ones: the prefix names the type. */
export const Node = builder.interfaceRef<AnyNode>('Node').implement({
  description: 'Anything with an id of its own.',
  resolveType: (node) => ('item' in node ? itemTypeName(node.item) : 'Response'),
  fields: (t) => ({
    id: t.id({
      description:
        'A global id. Its prefix names the type: resp_, msg_, fc_, fco_, rs_, ws_, mcpl_, mcp_, mcpr_ or mcpa_.',
      resolve: (node) => ('item' in node ? node.item.id : node.base.id),
    }),
  }),
});

builder.queryFields((t) => ({
  node: t.field({
    type: Node,
    nullable: true,
    description: 'The response or item of this id; null if there is none.',
    args: { id: t.arg.id({ required: true, description: 'A global id.' }) },
    resolve: (_root, { id }, context) => findNode(id, context),
  }),
  nodes: t.field({
    type: [Node],
    nullable: { list: false, items: true },
    description: 'The responses and items of these ids, in the order asked for; null where there is none.',
    args: { ids: t.arg.idList({ required: true, description: `Global ids, at most ${MAX_IDS}.` }) },
    resolve: (_root, { ids }, context) => {
      if (ids.length > MAX_IDS)
        throw new AppError('INVALID_INPUT', `ids must hold at most ${MAX_IDS} entries.`);
      return Promise.all(ids.map((id) => findNode(id, context)));
    },
  }),
}));

async function findNode(id: string, { load }: Context): Promise<AnyNode | null> {
  const responseId = asResponseId(id);
  if (responseId !== null) return load.response(responseId);
  const itemId = asItemId(id);
  return itemId === null ? null : load.item(itemId);
}
