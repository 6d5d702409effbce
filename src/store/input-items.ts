import type { Fragment, Sql } from 'postgres';
import type { ResponseId } from '../protocol/ids.ts';
import { type Page, type PageRequest, type PositionKey, toPage } from '../protocol/pages.ts';
import type { Scope } from '../protocol/scope.ts';
import type { StoredItem } from '../protocol/stored.ts';
import type { Tenants } from './database.ts';
import { parseItem } from './items.ts';
import { type AlikePages, boundsOf, readAlike } from './many-pages.ts';

/** What the model was given for a response. `own`: the request's own input. `all`: its history before it. */
export interface InputReach {
  readonly responseId: ResponseId;
  readonly scope: 'own' | 'all';
}

/** A page of that. */
export interface InputItemQuery extends InputReach {
  readonly page: PageRequest<PositionKey>;
}

export type InputItemRow = StoredItem & PositionKey;

/** Pages of what the model was given, one for each query. */
export function inputItemPages(
  tenants: Tenants,
  scope: Scope,
  queries: readonly InputItemQuery[],
): Promise<readonly Page<InputItemRow>[]> {
  return readAlike(queries, (alike) => readPages(tenants, scope, alike));
}

interface Row extends PositionKey {
  readonly nth: number;
  readonly body: string;
  readonly responseId: ResponseId | null;
}

/** Before and after every place in a branch. */
const FIRST: PositionKey = { depth: -1, position: -1 };
const LAST: PositionKey = { depth: 2 ** 31 - 1, position: 0 };

async function readPages(
  tenants: Tenants,
  scope: Scope,
  { queries, descending }: AlikePages<InputItemQuery>,
): Promise<readonly Page<InputItemRow>[]> {
  const bounds = queries.map(boundsOf);
  const low = bounds.map((each) => each.low ?? FIRST);
  const high = bounds.map((each) => each.high ?? LAST);
  const rows = await tenants.as(scope, (sql) => {
    // Every turn has an item of its own: so many turns of a history, counted from where the page begins, are enough.
    const [floor, ceiling] = descending
      ? [sql`greatest(q.low_depth, least(r.depth, q.high_depth) - q.size - 1)`, sql`q.high_depth`]
      : [sql`q.low_depth`, sql`least(q.low_depth + q.size + 1, q.high_depth)`];
    const order = descending ? sql`desc` : sql`asc`;
    return sql<Row[]>`
    select q.nth::int, page.*
    from unnest(${queries.map(({ responseId }) => responseId)}::text[], ${queries.map((query) => query.scope)}::text[],
      ${queries.map(({ page }) => page.limit)}::int[],
      ${low.map(({ depth }) => depth)}::int[], ${low.map(({ position }) => position)}::int[],
      ${high.map(({ depth }) => depth)}::int[], ${high.map(({ position }) => position)}::int[]) with ordinality
      as q (response_id, reach, size, low_depth, low_position, high_depth, high_position, nth)
    cross join lateral (
      with recursive branch as (${branchFrom(sql, scope, floor)})
      select i.body, case when branch.deleted_at is null then branch.id end as "responseId", branch.depth, i.position
      from branch join items i on i.response_id = branch.id
      where (i.direction = 'input' or branch.id <> q.response_id) and (q.reach = 'own' or branch.depth <= ${ceiling})
        and (branch.depth, i.position) > (q.low_depth, q.low_position)
        and (branch.depth, i.position) < (q.high_depth, q.high_position)
      order by branch.depth ${order}, i.position ${order} limit q.size + 1) page`;
  });
  const read = queries.map((): InputItemRow[] => []);
  for (const { nth, body, responseId, depth, position } of rows) {
    read[nth - 1]?.push({ item: parseItem(body), responseId, depth, position });
  }
  // Postgres promises no order of the whole, and to sort there would carry all bodies along.
  const sign = descending ? -1 : 1;
  for (const rowsOfPage of read)
    rowsOfPage.sort((one, other) => sign * (one.depth - other.depth || one.position - other.position));
  // Items of a branch stay: if the page starts from a cursor, its place is still there.
  return queries.map(({ page }, index) => toPage(read[index] ?? [], page, bounds[index]?.start !== null));
}

/** The responses whose items are asked for by `q`: `r` is the one in hand. */
function branchFrom(sql: Sql, { tenant }: Scope, floor: Fragment) {
  return sql`
    select r.id, r.previous_response_id, r.depth, r.deleted_at, ${floor} as floor from responses r
    where r.id = q.response_id and r.tenant = ${tenant} and r.deleted_at is null
    union all
    select r.id, r.previous_response_id, r.depth, r.deleted_at, branch.floor from responses r
    join branch on r.id = branch.previous_response_id
    where q.reach = 'all' and r.depth >= branch.floor`;
}

/** How many items there are for each of these, counted up to one more than `cap`, in the order asked for. */
export async function countInputItems(
  tenants: Tenants,
  scope: Scope,
  { queries, cap }: { readonly queries: readonly InputReach[]; readonly cap: number },
): Promise<readonly number[]> {
  const rows = await tenants.as(
    scope,
    (sql) => sql<{ nth: number; count: number }[]>`
    select q.nth::int, counted.count
    from unnest(${queries.map(({ responseId }) => responseId)}::text[], ${queries.map((query) => query.scope)}::text[])
      with ordinality as q (response_id, reach, nth)
    cross join lateral (
      with recursive branch as (${branchFrom(sql, scope, sql`0`)})
      select count(*)::int as count from (
        select 1 from branch join items i on i.response_id = branch.id
        where i.direction = 'input' or branch.id <> q.response_id limit ${cap + 1}) one) counted`,
  );
  const counts = new Map(rows.map(({ nth, count }) => [nth, count]));
  return queries.map((_, index) => counts.get(index + 1) ?? 0);
}
