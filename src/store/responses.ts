import {
  type Page,
  type PageRequest,
  readsDescending,
  startOf,
  type TimeKey,
  toPage,
} from '../protocol/pages.ts';
import type { Scope } from '../protocol/scope.ts';
import type { ResponseFilter } from '../protocol/stored.ts';
import { compiled } from './compiled.ts';
import type { Tenants } from './database.ts';
import { sql } from './drizzle.ts';
import { countUpTo } from './response-count.ts';
import type { Stretch } from './response-lists.ts';
import { type ResponseRow, ROW_COLUMNS, type RowColumns, toResponseRow } from './response-rows.ts';
import { chooseWalk } from './response-walk.ts';

/** A page of responses by the time of their creation. */
export async function responsesPage(
  tenants: Tenants,
  scope: Scope,
  { filter, page }: { readonly filter: ResponseFilter; readonly page: PageRequest<TimeKey> },
): Promise<Page<ResponseRow>> {
  const [low, high] = page.order === 'asc' ? [page.after, page.before] : [page.before, page.after];
  const descending = readsDescending(page);
  const stretch: Stretch = {
    bounds: [
      ...(low === null ? [] : [{ is: '>', key: low } as const]),
      ...(high === null ? [] : [{ is: '<', key: high } as const]),
    ],
    descending,
    limit: page.limit + 1,
  };
  const walk = await chooseWalk(tenants, { scope, filter }, stretch);
  const order = sql.raw(descending ? 'desc' : 'asc');
  // By their ids alone, from an array: however little the planner knows of the table, it walks once and reads these.
  const reading = tenants.as(
    scope,
    compiled<RowColumns>(sql`
      select ${sql.raw(ROW_COLUMNS)} from responses r
      where r.id = any(array(select id from (${walk(stretch)}) found))
      order by r.created_at ${order}, r.id ${order}`),
  );
  const start = startOf(page);
  if (start === null) return toPage((await reading).map(toResponseRow), page, false);
  // What was there when the cursor was given out may have been deleted since.
  const beyond = walk({
    bounds: [{ is: descending ? '>=' : '<=', key: start }],
    descending: !descending,
    limit: 1,
  });
  const [rows, behind] = await Promise.all([reading, tenants.as(scope, compiled(beyond))]);
  return toPage(rows.map(toResponseRow), page, behind.length > 0);
}

/** How many responses the filter leaves, or null for more than `cap`. */
export async function countResponses(
  tenants: Tenants,
  scope: Scope,
  { filter, cap }: { readonly filter: ResponseFilter; readonly cap: number },
): Promise<number | null> {
  const count = await countUpTo(tenants, { scope, filter }, cap + 1);
  return count > cap ? null : count;
}
