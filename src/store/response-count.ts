import { eq, isNull, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { ResponseFilter } from '../protocol/stored.ts';
import { compiled } from './compiled.ts';
import type { Tenants } from './database.ts';
import {
  type Columns,
  hashOf,
  isGiven,
  type Listing,
  MAX_PAIRS,
  merged,
  NOTHING,
  ofRow,
  ofTime,
  ordered,
  pairsOf,
  type Stretch,
  sparsestFirst,
} from './response-lists.ts';
import { responseMetadata, responses } from './tables.ts';

/**
 * How many responses a filter leaves; counts no further than to `enough`.
 *
 * Each condition has its responses in an index of its own. The sparsest of these lists is read in batches, and each
 * batch is looked for in the others as a whole: where entries of it lie close together there, Postgres (17 and later)
 * reads on instead of looking each of them up. What one list has not is not looked for in the next.
 */
export async function countUpTo(tenants: Tenants, listing: Listing, enough: number): Promise<number> {
  const { scope, filter } = listing;
  if (pairsOf(filter).length > MAX_PAIRS) return 0;
  const lists = listsOf(listing);
  const stretch: Stretch = { bounds: [], descending: true, limit: enough };
  const bare = lists.map((list) => (part: Stretch) => entriesOf(list, part, timesOf(list, filter)));
  const order = await sparsestFirst(tenants, scope, { lists: bare, stretch });
  const [first, ...others] = order.flatMap((place) => lists[place] ?? []);
  if (first === undefined) return 0;
  const counting =
    others.length === 0
      ? sql`select count(*)::int as count from (${entriesOf(first, stretch, timesOf(first, filter))}) counted`
      : inBatches({ first, others, filter, enough });
  const [row] = await tenants.as(scope, compiled<{ count: number }>(counting));
  return Math.min(row?.count ?? 0, enough);
}

/** The responses that fulfil one condition, by the time of their creation, as one index has them. */
interface List {
  readonly from: SQLWrapper;
  readonly columns: Columns;
  /** Any of these: parts of the list that have nothing in common. */
  readonly parts: readonly (readonly SQL[])[];
}

function listsOf({ scope, filter }: Listing): readonly List[] {
  const { status: statuses, ...others } = filter;
  const standing = [eq(responses.tenant, scope.tenant), isNull(responses.deletedAt)];
  const ofResponses = (conditions: readonly (readonly SQL[])[]): List => ({
    from: responses,
    columns: { createdAt: responses.createdAt, id: responses.id },
    parts: conditions.map((condition) => [...standing, ...condition]),
  });
  const lists = [
    ...pairsOf(filter).map((pair) => ({
      from: responseMetadata,
      columns: { createdAt: responseMetadata.createdAt, id: responseMetadata.responseId },
      parts: [[sql`${responseMetadata.pair} = ${hashOf(scope, pair)}`]],
    })),
    ...(isGiven(statuses)
      ? [ofResponses([...new Set(statuses)].map((each) => [eq(responses.status, each)]))]
      : []),
    ...ofRow(others).map((condition) => ofResponses([[condition]])),
  ];
  return lists.length === 0 ? [ofResponses([[]])] : lists;
}

function entriesOf({ from, columns, parts }: List, stretch: Stretch, also: readonly SQL[]): SQL {
  return merged(
    parts.map((part) => ordered(from, columns, { ...stretch, where: [...part, ...also] })),
    stretch,
  );
}

function timesOf({ columns }: List, filter: ResponseFilter): readonly SQL[] {
  return ofTime(filter, columns.createdAt);
}

interface Counting {
  readonly first: List;
  readonly others: readonly List[];
  readonly filter: ResponseFilter;
  readonly enough: number;
}

/** The first batch may be enough. Larger ones cost less for each entry, but memory: some 200 bytes for each. */
const GROWTH = 4;

/**
 * One statement, so that all batches see the same responses. Each row of \`done\` is a batch: its last entry, null if the
 * list has ended with it, the size of the next, and how many responses have been counted so far.
 */
function inBatches({ first, others, filter, enough }: Counting): SQL {
  const { createdAt, id } = first.columns;
  const next = [...timesOf(first, filter), sql`(${createdAt}, ${id}) < (done.at, done.id)`];
  const batch = entriesOf(first, { bounds: [], descending: true, limit: sql`done.size` }, next);
  const names = others.map((_, place) => sql.raw(`left_by_${place + 1}`));
  const steps = others.map((list, place) => {
    const before = names[place - 1] ?? BATCH;
    return sql`, ${names[place]} as (${amongThose(before, list)})`;
  });
  return sql`
    with recursive done (at, id, size, total) as (
      select 'infinity'::timestamptz, ''::text, ${enough}::int, 0::bigint
      union all
      select batch.at, batch.id, ${GROWTH * enough}::int, done.total + batch.matches
      from done, lateral (
        with batch as materialized (${batch}) ${sql.join(steps)}
        select last.created_at::timestamptz as at, last.id, (select count(*) from ${names.at(-1)}) as matches
        from (select count(*) as size from batch) read
        left join (select created_at, id from batch order by 1, 2 limit 1) last on read.size = done.size
      ) batch
      where done.at is not null and done.total < ${enough}::int
    )
    select max(total)::int as count from done`;
}

const BATCH = sql.raw('batch');

/**
 * The entries of a list that are among those before. An index is asked for all their moments at once. What it has of
 * others of the same moment is sorted out behind \`offset 0\`, where the planner can make no join of it.
 */
function amongThose(before: SQL, { from, columns: { createdAt, id }, parts }: List): SQL {
  const near = parts.map(
    (part) => sql`select ${createdAt} as created_at, ${id} as id from ${from}
      where ${sql.join([...part], sql` and `)} and ${createdAt} = any(array(select created_at from ${before}))`,
  );
  if (near.length === 0) return NOTHING;
  return sql`select created_at, id from (${sql.join(near, sql` union all `)} offset 0) near
    where (id in (select id from ${before})) is true`;
}
