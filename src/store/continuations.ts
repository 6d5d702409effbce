import type { ResponseId } from '../protocol/ids.ts';
import { type Page, type PageRequest, type TimeKey, toPage } from '../protocol/pages.ts';
import type { Scope } from '../protocol/scope.ts';
import type { Tenants } from './database.ts';
import { type AlikePages, boundsOf, readAlike } from './many-pages.ts';
import { toViewRow, type ViewColumns, type ViewRow, viewColumns } from './view-rows.ts';

/** A page of the responses that continue one. */
export interface ContinuationsQuery {
  readonly responseId: ResponseId;
  readonly page: PageRequest<TimeKey>;
}

/** Pages of continuations by the time of their creation, one for each query. */
export function continuationPages(
  tenants: Tenants,
  scope: Scope,
  queries: readonly ContinuationsQuery[],
): Promise<readonly Page<ViewRow>[]> {
  return readAlike(queries, (alike) => readPages(tenants, scope, alike));
}

type Row = { readonly nth: number; readonly isBehind: boolean } & (ViewColumns | { readonly id: null });

async function readPages(
  tenants: Tenants,
  scope: Scope,
  { queries, descending }: AlikePages<ContinuationsQuery>,
): Promise<readonly Page<ViewRow>[]> {
  const bounds = queries.map(boundsOf);
  const low = toColumns(
    bounds.map((each) => each.low),
    '-infinity',
  );
  const high = toColumns(
    bounds.map((each) => each.high),
    'infinity',
  );
  // What was there when the cursor was given out may have been deleted since: whether anything is behind is looked up.
  const start = toColumns(
    bounds.map((each) => each.start),
    null,
  );
  const rows = await tenants.as(scope, (sql) => {
    const continuing = sql`
    from responses r
    where r.previous_response_id = q.response_id and r.tenant = ${scope.tenant} and r.deleted_at is null`;
    const order = descending ? sql`desc` : sql`asc`;
    const beyond = descending ? sql`>=` : sql`<=`;
    return sql<Row[]>`
    select q.nth::int, behind."isBehind", page.*
    from unnest(${queries.map(({ responseId }) => responseId)}::text[], ${queries.map(({ page }) => page.limit)}::int[],
      ${low.times}::text[]::timestamptz[], ${low.ids}::text[], ${high.times}::text[]::timestamptz[], ${high.ids}::text[],
      ${start.times}::text[]::timestamptz[], ${start.ids}::text[]) with ordinality
      as q (response_id, size, low_time, low_id, high_time, high_id, start_time, start_id, nth)
    cross join lateral (select q.start_id is not null and exists (
      select 1 ${continuing} and (r.created_at, r.id) ${beyond} (q.start_time, q.start_id)) as "isBehind") behind
    left join lateral (
      select ${viewColumns(sql)} ${continuing}
        and (r.created_at, r.id) > (q.low_time, q.low_id) and (r.created_at, r.id) < (q.high_time, q.high_id)
      order by r.created_at ${order}, r.id ${order} limit q.size + 1) page on true
    order by q.nth, page."createdAt" ${order}, page.id ${order}`;
  });
  const found = queries.map(() => ({ read: Array.of<ViewRow>(), isBehind: false }));
  for (const row of rows) {
    const page = found[row.nth - 1];
    if (page === undefined) continue;
    page.isBehind = row.isBehind;
    if (row.id !== null) page.read.push(toViewRow(row));
  }
  return queries.map(({ page }, index) => {
    const { read, isBehind } = found[index] ?? { read: [], isBehind: false };
    return toPage(read, page, isBehind);
  });
}

function toColumns(keys: readonly (TimeKey | null)[], open: string | null) {
  return {
    times: keys.map((key) => (key === null ? open : new Date(key.createdAt).toISOString())),
    ids: keys.map((key) => key?.id ?? (open === null ? null : '')),
  };
}

/** How many responses continue these, each counted up to one more than `cap`. Those that none continues are absent. */
export async function countContinuations(
  tenants: Tenants,
  scope: Scope,
  { ids, cap }: { readonly ids: readonly ResponseId[]; readonly cap: number },
): Promise<ReadonlyMap<ResponseId, number>> {
  const rows = await tenants.as(
    scope,
    (sql) => sql<{ id: ResponseId; count: number }[]>`
    select parent.id, counted.count from unnest(${ids}::text[]) as parent (id)
    cross join lateral (select count(*)::int as count from (
      select 1 from responses r
      where r.previous_response_id = parent.id and r.tenant = ${scope.tenant} and r.deleted_at is null
      limit ${cap + 1}) one) counted`,
  );
  return new Map(rows.map(({ id, count }) => [id, count]));
}
