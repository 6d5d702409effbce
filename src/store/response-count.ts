import type { SQL, SQLWrapper } from 'drizzle-orm';
import { compiled } from './compiled.ts';
import type { Tenants } from './database.ts';
import { eq, isNull, sql } from './drizzle.ts';
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

/** A list with fewer entries than this between two of another has several of them on each page of its index. */
const NEAR = 32;

/**
 * How many responses a filter leaves; counts no further than to `enough`.
 *
 * Each condition has its responses in an index of its own. The sparsest of these lists is read. In those that are much
 * longer its entries are looked up one by one. In others they lie close together: there they are looked for in batches,
 * and Postgres (17 and later) reads on from one to the next.
 */
export async function countUpTo(tenants: Tenants, listing: Listing, enough: number): Promise<number> {
  const { scope, filter } = listing;
  if (pairsOf(filter).length > MAX_PAIRS) return 0;
  const lists = listsOf(listing);
  const bare = lists.map((list) => (stretch: Stretch) => entriesOf(list, stretch));
  const probed = await sparsestFirst(tenants, scope, { lists: bare, stretch: { ...ALL, limit: enough } });
  const [first, ...others] = probed.flatMap(({ place, span }) => {
    const list = lists[place];
    return list === undefined ? [] : [{ list, span }];
  });
  if (first === undefined) return 0;
  const isNear = ({ list, span }: { readonly list: List; readonly span: number | null }) =>
    span !== null && first.span !== null && first.span < span * NEAR * list.parts.length;
  const near = others.filter(isNear).map(({ list }) => list);
  const far = others.filter((each) => !isNear(each)).map(({ list }) => list);
  const counting = near.length === 0 ? oneByOne : inBatches;
  const [row] = await tenants.as(
    scope,
    compiled<{ count: number }>(counting({ first: first.list, near, far, enough })),
  );
  return Math.min(row?.count ?? 0, enough);
}

const ALL = { bounds: [], descending: true, limit: sql`all` } as const;

/** The responses that fulfil one condition, by the time of their creation, as one index has them. */
interface List {
  readonly from: SQLWrapper;
  readonly columns: Columns;
  /** Any of these: parts of the list that have nothing in common. */
  readonly parts: readonly (readonly SQL[])[];
  /** Also asked of each part, where the list itself is read. */
  readonly times: readonly SQL[];
}

function listsOf({ scope, filter }: Listing): readonly List[] {
  const { status: statuses, ...others } = filter;
  const standing = [eq(responses.tenant, scope.tenant), isNull(responses.deletedAt)];
  const ofResponses = (conditions: readonly (readonly SQL[])[]): List => ({
    from: responses,
    columns: { createdAt: responses.createdAt, id: responses.id },
    parts: conditions.map((condition) => [...standing, ...condition]),
    times: ofTime(filter, responses.createdAt),
  });
  const lists = [
    ...pairsOf(filter).map((pair) => ({
      from: responseMetadata,
      columns: { createdAt: responseMetadata.createdAt, id: responseMetadata.responseId },
      parts: [[sql`${responseMetadata.pair} = ${hashOf(scope, pair)}`]],
      times: ofTime(filter, responseMetadata.createdAt),
    })),
    ...(isGiven(statuses)
      ? [ofResponses([...new Set(statuses)].map((each) => [eq(responses.status, each)]))]
      : []),
    ...ofRow(others).map((condition) => ofResponses([[condition]])),
  ];
  return lists.length === 0 ? [ofResponses([[]])] : lists;
}

function entriesOf({ from, columns, parts, times }: List, stretch: Stretch, after: readonly SQL[] = []): SQL {
  return merged(
    parts.map((part) => ordered(from, columns, { ...stretch, where: [...part, ...times, ...after] })),
    stretch,
  );
}

interface Counting {
  readonly first: List;
  readonly near: readonly List[];
  readonly far: readonly List[];
  readonly enough: number;
}

function oneByOne({ first, far, enough }: Counting): SQL {
  return sql`select count(*)::int as count from (
    select from (${entriesOf(first, ALL)}) entry ${whereIn(far)} limit ${enough}) counted`;
}

/** Which entries a list has, looked up one by one; in this form the planner joins nothing. */
function whereIn(lists: readonly List[]): SQL {
  const checks = lists.map(({ from, columns: { createdAt, id }, parts }) => {
    const lookUps = parts.map(
      (part) => sql`(select true from ${from}
        where ${sql.join([...part], sql` and `)} and ${createdAt} = entry.created_at and ${id} = entry.id)`,
    );
    return lookUps.length === 0 ? sql`false` : sql`(${sql.join(lookUps, sql` or `)})`;
  });
  return checks.length === 0 ? sql`` : sql`where ${sql.join(checks, sql` and `)}`;
}

/** The first batch may be enough. Larger ones cost less for each entry, but memory: some 200 bytes for each. */
const GROWTH = 4;

/**
 * One statement, so that all batches see the same responses. Each row of `done` is a batch: its last entry, null if the
 * list has ended with it, the size of the next, and how many responses have been counted so far.
 */
function inBatches({ first, near, far, enough }: Counting): SQL {
  const { createdAt, id } = first.columns;
  const next = sql`(${createdAt}, ${id}) < (done.at, done.id)`;
  const batch = entriesOf(first, { ...ALL, limit: sql`done.size` }, [next]);
  const names = near.map((_, place) => sql.raw(`left_by_${place + 1}`));
  const steps = near.map((list, place) => {
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
        select last.created_at::timestamptz as at, last.id, (select count(*) from ${names.at(-1)} entry ${whereIn(far)}) as matches
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
 * others of the same moment is sorted out behind `offset 0`, where the planner can make no join of it.
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
