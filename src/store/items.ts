import type { ItemId, ResponseId } from '../protocol/ids.ts';
import type { Item } from '../protocol/items.ts';
import type { ResponseStatus } from '../protocol/response.ts';
import type { Scope } from '../protocol/scope.ts';
import type { StoredItem } from '../protocol/stored.ts';
import type { Tenants } from './database.ts';

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
  tenants: Tenants,
  scope: Scope,
  ids: readonly ResponseId[],
): Promise<ReadonlyMap<ResponseId, readonly Item[]>> {
  const rows = await tenants.as(
    scope,
    (sql) => sql<{ responseId: ResponseId; body: string }[]>`
    select response_id as "responseId", body from items
    where response_id = any(${ids}::text[]) and tenant = ${scope.tenant} and direction = 'output'
    order by response_id, position`,
  );
  return groupById(rows.map(({ responseId, body }) => [responseId, parseItem(body)]));
}

/** One item, of whichever response of the tenant. */
export async function findItems(
  tenants: Tenants,
  scope: Scope,
  ids: readonly ItemId[],
): Promise<ReadonlyMap<ItemId, StoredItem>> {
  const rows = await tenants.as(
    scope,
    (sql) => sql<{ id: ItemId; body: string; responseId: ResponseId | null }[]>`
    select i.id, i.body, case when r.deleted_at is null then r.id end as "responseId"
    from items i join responses r on r.id = i.response_id
    where i.id = any(${ids}::text[]) and i.tenant = ${scope.tenant}
      and (r.deleted_at is null or exists (select 1 from responses c where c.previous_response_id = r.id))`,
  );
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
  tenants: Tenants,
  scope: Scope,
  ids: readonly ResponseId[],
): Promise<ReadonlyMap<ResponseId, readonly Item[]>> {
  const rows = await tenants.as(
    scope,
    (sql) => sql<{ responseId: ResponseId; body: string }[]>`
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
    order by call.response_id, call.position`,
  );
  const waiting = rows.map(({ responseId, body }) => [responseId, parseItem(body)] as const);
  return groupById(waiting.filter(([, { status }]) => status === 'completed'));
}

export interface BranchItem {
  readonly item: Item;
  /** False for what came out of a response that did not complete. */
  readonly isOfWhole: boolean;
}

/** A response, and the context of what continues it. */
export interface Branch {
  readonly status: ResponseStatus;
  readonly depth: number;
  readonly isDeleted: boolean;
  /** Input and output of all its ancestors and its own, oldest first. */
  readonly items: readonly BranchItem[];
}

/**
 * The branch that ends with the response `id`; null if there is none. Deleted ancestors are still part of it: the
 * branch needs what they said.
 */
export async function findBranch(tenants: Tenants, scope: Scope, id: ResponseId): Promise<Branch | null> {
  const rows = await tenants.as(
    scope,
    (sql) => sql<
      {
        status: ResponseStatus;
        depth: number;
        isDeleted: boolean;
        direction: string | null;
        body: string | null;
      }[]
    >`
    with recursive branch as (
      select id, previous_response_id, depth, status, deleted_at from responses
      where id = ${id} and tenant = ${scope.tenant}
      union all
      select r.id, r.previous_response_id, r.depth, r.status, r.deleted_at from responses r
      join branch on r.id = branch.previous_response_id)
    select branch.status, branch.depth, branch.deleted_at is not null as "isDeleted", i.direction, i.body
    from branch left join items i on i.response_id = branch.id
    order by branch.depth, i.position`,
  );
  const last = rows.at(-1);
  if (last === undefined) return null;
  const items = rows.flatMap(({ status, direction, body }) => {
    const isOfWhole = status === 'completed' || direction === 'input';
    return body === null ? [] : [{ item: parseItem(body), isOfWhole }];
  });
  return { status: last.status, depth: last.depth, isDeleted: last.isDeleted, items };
}

/** The context of a continuation of `id`, which may have been deleted since that began. */
export async function branchItems(
  tenants: Tenants,
  scope: Scope,
  id: ResponseId,
): Promise<readonly BranchItem[]> {
  return (await findBranch(tenants, scope, id))?.items ?? [];
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
export async function ownInputOf(tenants: Tenants, scope: Scope, id: ResponseId): Promise<readonly Item[]> {
  const rows = await tenants.as(
    scope,
    (sql) => sql<{ body: string }[]>`
    select body from items where response_id = ${id} and direction = 'input' order by position`,
  );
  return rows.map(({ body }) => parseItem(body));
}
