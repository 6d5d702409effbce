import type { SQL } from 'drizzle-orm';
import { and, asc, eq, sql } from 'drizzle-orm';
import type { ItemId, ResponseId } from '../protocol/ids.ts';
import type { Item } from '../protocol/items.ts';
import {
  type Page,
  type PageRequest,
  type PositionKey,
  readsDescending,
  startOf,
  toPage,
} from '../protocol/pages.ts';
import type { Scope } from '../protocol/scope.ts';
import type { StoredItem } from '../protocol/stored.ts';
import { type Database, isAnyOf } from './database.ts';
import { items } from './tables.ts';

/** A call id as a column can hold it: NUL characters and lone surrogates escaped. */
export function toCallKey(callId: string): string {
  return JSON.stringify(callId);
}

/** What an item belongs to a call by: its call id, or the approval request that it answers. */
export function callKeyOf(item: Item): string | null {
  if (item.type === 'mcp_approval_response') return toCallKey(item.approvalRequestId);
  return 'callId' in item ? toCallKey(item.callId) : null;
}

/** The output of ended responses, in order. */
export async function outputsOf(
  { orm }: Database,
  scope: Scope,
  ids: readonly ResponseId[],
): Promise<ReadonlyMap<ResponseId, readonly Item[]>> {
  const rows = await orm
    .select({ responseId: items.responseId, body: items.body })
    .from(items)
    .where(and(isAnyOf(items.responseId, ids), eq(items.tenant, scope.tenant), eq(items.direction, 'output')))
    .orderBy(asc(items.responseId), asc(items.position));
  return groupById(rows.map(({ responseId, body }) => [responseId, body]));
}

/** One item, of whichever response of the tenant. */
export async function findItems(
  { sql: query }: Database,
  scope: Scope,
  ids: readonly ItemId[],
): Promise<ReadonlyMap<ItemId, StoredItem>> {
  const rows = await query<{ id: ItemId; body: string; responseId: ResponseId | null }[]>`
    select i.id, i.body, case when r.deleted_at is null then r.id end as "responseId"
    from items i join responses r on r.id = i.response_id
    where i.id = any(${ids}::text[]) and i.tenant = ${scope.tenant}
      and (r.deleted_at is null or exists (select 1 from responses c where c.previous_response_id = r.id))`;
  return toStoredItems(rows);
}

export function toStoredItems(
  rows: readonly { readonly id: ItemId; readonly body: string; readonly responseId: ResponseId | null }[],
): ReadonlyMap<ItemId, StoredItem> {
  return new Map(rows.map(({ id, body, responseId }) => [id, { item: parseItem(body), responseId }]));
}

/**
 * What these ended responses wait for, in output order: function calls that no stored continuation has given an
 * output, and approval requests that nobody has answered. Only completed ones can be answered at all.
 */
export async function pendingItems(
  { sql: query }: Database,
  scope: Scope,
  ids: readonly ResponseId[],
): Promise<ReadonlyMap<ResponseId, readonly Item[]>> {
  const rows = await query<{ responseId: ResponseId; body: string }[]>`
    select call.response_id as "responseId", call.body from items call
    join responses r on r.id = call.response_id and r.status = 'completed'
    where call.response_id = any(${ids}::text[]) and call.tenant = ${scope.tenant} and call.direction = 'output'
      and (call.type = 'mcp_approval_request' and call.answered_by is null or call.type = 'function_call'
        and not exists (
          select 1 from items answer
          where answer.response_id = call.response_id and answer.direction = 'output'
            and answer.type = 'function_call_output' and answer.call_key = call.call_key)
        and not exists (
          select 1 from responses next join items answer on answer.response_id = next.id
          where next.previous_response_id = call.response_id and next.deleted_at is null
            and answer.direction = 'input' and answer.type = 'function_call_output'
            and answer.call_key = call.call_key))
    order by call.response_id, call.position`;
  const waiting = rows.map(({ responseId, body }) => [responseId, parseItem(body)] as const);
  return groupById(waiting.filter(([, { status }]) => status === 'completed'));
}

export interface BranchItem {
  readonly item: Item;
  /** False for what came out of a response that did not complete. */
  readonly isOfWhole: boolean;
}

/**
 * The context of a continuation of `id`: input and output of all its ancestors and its own, oldest first.
 * Deleted ancestors are still part of it; the branch needs what they said.
 */
export async function branchItems(
  { sql: query }: Database,
  scope: Scope,
  id: ResponseId,
): Promise<readonly BranchItem[]> {
  const rows = await query<{ body: string; isOfWhole: boolean }[]>`
    with recursive branch as (
      select id, previous_response_id, depth, status from responses where id = ${id} and tenant = ${scope.tenant}
      union all
      select r.id, r.previous_response_id, r.depth, r.status from responses r
      join branch on r.id = branch.previous_response_id)
    select i.body, branch.status = 'completed' or i.direction = 'input' as "isOfWhole"
    from branch join items i on i.response_id = branch.id
    order by branch.depth, i.position`;
  return rows.map(({ body, isOfWhole }) => ({ item: parseItem(body), isOfWhole }));
}

export interface InputItemQuery {
  readonly responseId: ResponseId;
  /** `own`: the request's own input. `all`: its history before it. */
  readonly scope: 'own' | 'all';
  readonly page: PageRequest<PositionKey>;
}

export type InputItemRow = StoredItem & PositionKey;

/** What the model was given for a response, a page of it. */
export async function inputItemsPage(
  db: Database,
  scope: Scope,
  query: InputItemQuery,
): Promise<Page<InputItemRow>> {
  const { page } = query;
  const descending = readsDescending(page);
  const direction = sql.raw(descending ? 'desc' : 'asc');
  const bounds: SQL[] = [];
  const [low, high] = page.order === 'asc' ? [page.after, page.before] : [page.before, page.after];
  if (low !== null) bounds.push(sql`and (branch.depth, i.position) > (${low.depth}, ${low.position})`);
  if (high !== null) bounds.push(sql`and (branch.depth, i.position) < (${high.depth}, ${high.position})`);
  const rows = await db.orm.execute<{
    body: string;
    response_id: ResponseId | null;
    depth: number;
    position: number;
  }>(
    sql`${inputOf(scope, query)}
    select i.body, case when branch.deleted_at is null then branch.id end as response_id, branch.depth, i.position
    from branch join items i on i.response_id = branch.id
    where (i.direction = 'input' or branch.id <> ${query.responseId}) ${sql.join(bounds, sql` `)}
    order by branch.depth ${direction}, i.position ${direction} limit ${page.limit + 1}`,
  );
  const read = rows.map(({ body, response_id: responseId, depth, position }) => {
    return { item: parseItem(body), responseId, depth, position };
  });
  return toPage(read, page, startOf(page) !== null); // items of a branch stay: its own cursor is in it
}

/** How many items `inputItemsPage` would go through, or null for more than `cap`. */
export async function countInputItems(
  db: Database,
  scope: Scope,
  query: Omit<InputItemQuery, 'page'> & { readonly cap: number },
): Promise<number | null> {
  const [row] = await db.orm.execute<{ count: number }>(
    sql`${inputOf(scope, query)}
    select count(*)::int as count from (
      select 1 from branch join items i on i.response_id = branch.id
      where i.direction = 'input' or branch.id <> ${query.responseId} limit ${query.cap + 1}) as counted`,
  );
  const count = row?.count ?? 0;
  return count > query.cap ? null : count;
}

function inputOf(scope: Scope, { responseId, scope: which }: Omit<InputItemQuery, 'page'>): SQL {
  const columns = (table: string) =>
    sql.raw(`${table}.id, ${table}.previous_response_id, ${table}.depth, ${table}.deleted_at`);
  return sql`with recursive branch as (
    select ${columns('r')} from responses r
    where r.id = ${responseId} and r.tenant = ${scope.tenant} and r.deleted_at is null
    union all
    select ${columns('r')} from responses r join branch on r.id = branch.previous_response_id
    where ${which === 'all'})`;
}

function groupById<Value>(
  pairs: readonly (readonly [ResponseId, Value])[],
): ReadonlyMap<ResponseId, Value[]> {
  const groups = new Map<ResponseId, Value[]>();
  for (const [id, value] of pairs) {
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [value]);
    else group.push(value);
  }
  return groups;
}

export function parseItem(body: string): Item {
  return JSON.parse(body); // written by this program alone
}

/** The response's own input. */
export async function ownInputOf({ sql: query }: Database, id: ResponseId): Promise<readonly Item[]> {
  const rows = await query<{ body: string }[]>`
    select body from items where response_id = ${id} and direction = 'input' order by position`;
  return rows.map(({ body }) => parseItem(body));
}
