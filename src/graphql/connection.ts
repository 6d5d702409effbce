import type { ArgBuilder } from '@pothos/core';
import type { Page, PageRequest } from '../protocol/pages.ts';
import { AppError } from '../util/errors.ts';
import { builder, type Types } from './builder.ts';

/** A page of a list as https://relay.dev/graphql/connections.htm has it. */
export interface Connection<Node> {
  readonly edges: readonly Edge<Node>[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  /** The length of the whole list; null if it is too long to count. */
  readonly count: () => Promise<number | null>;
}

export interface Edge<Node> {
  readonly cursor: string;
  readonly node: Node;
}

export function toConnection<Row, Node>(
  { rows, ...page }: Page<Row>,
  to: { readonly edge: (row: Row) => Edge<Node>; readonly count: () => Promise<number | null> },
): Connection<Node> {
  return { ...page, edges: rows.map(to.edge), count: to.count };
}

export const PageInfo = builder.objectRef<Connection<unknown>>('PageInfo').implement({
  description: 'Where a page stands in its list.',
  fields: (t) => ({
    startCursor: t.string({
      nullable: true,
      description: 'The cursor of the first edge; null on an empty page.',
      resolve: ({ edges }) => edges[0]?.cursor ?? null,
    }),
    endCursor: t.string({
      nullable: true,
      description: 'The cursor of the last edge; null on an empty page.',
      resolve: ({ edges }) => edges.at(-1)?.cursor ?? null,
    }),
    hasNextPage: t.exposeBoolean('hasNextPage', {
      description: 'True if the list goes on after this page; with `first` and `before`, up to `before`.',
    }),
    hasPreviousPage: t.exposeBoolean('hasPreviousPage', {
      description:
        'True if the list has something before this page; with `last` and `after`, down to `after`.',
    }),
  }),
});

/** The longest page that there is. */
export const MAX_PAGE = 100;
/** The length of a page that names none. */
export const DEFAULT_PAGE = 20;

/** The arguments of every connection. */
export function pageArguments(arg: ArgBuilder<Types>) {
  return {
    first: arg.int({
      description: `The page is the first so many after \`after\`: 1 to ${MAX_PAGE}, 20 by default.`,
    }),
    after: arg.string({ description: 'A cursor: the page begins behind it.' }),
    last: arg.int({ description: `The page is the last so many before \`before\`: 1 to ${MAX_PAGE}.` }),
    before: arg.string({ description: 'A cursor: the page ends before it.' }),
  };
}

export interface PageArguments {
  readonly first?: number | null;
  readonly after?: string | null;
  readonly last?: number | null;
  readonly before?: string | null;
}

/**
 * @throws AppError INVALID_INPUT, naming the argument, for a size out of range, `first` and `last` together, and
 *   a cursor that is none.
 */
export function toPageRequest<Key>(
  { first, after, last, before }: PageArguments,
  { order, parseKey }: { readonly order: 'asc' | 'desc'; readonly parseKey: (cursor: string) => Key },
): PageRequest<Key> {
  if (isGiven(first) && isGiven(last)) {
    throw new AppError('INVALID_INPUT', 'Give first or last, not both.');
  }
  return {
    limit: sizeOf('first', first) ?? sizeOf('last', last) ?? DEFAULT_PAGE,
    backward: isGiven(last),
    after: isGiven(after) ? keyOf('after', after, parseKey) : null,
    before: isGiven(before) ? keyOf('before', before, parseKey) : null,
    order,
  };
}

function isGiven<Value>(value: Value | null | undefined): value is Value {
  return value !== null && value !== undefined;
}

function sizeOf(name: string, size: number | null | undefined): number | null {
  if (!isGiven(size)) return null;
  if (size >= 1 && size <= MAX_PAGE) return size;
  throw new AppError('INVALID_INPUT', `${name} must be from 1 to ${MAX_PAGE}.`);
}

function keyOf<Key>(name: string, cursor: string, parseKey: (cursor: string) => Key): Key {
  try {
    return parseKey(cursor);
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    throw new AppError(cause.code, `${name}: ${cause.message}`, { cause });
  }
}
