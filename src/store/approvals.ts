import type { ItemId } from '../protocol/ids.ts';
import type { McpApprovalRequestItem } from '../protocol/items.ts';
import type { Scope } from '../protocol/scope.ts';
import type { StoredItem } from '../protocol/stored.ts';
import type { Tenants } from './database.ts';
import { parseItem, toStoredItems } from './items.ts';

export interface ApprovalRequestRow {
  readonly request: McpApprovalRequestItem;
  /** True once a stored response has answered it. */
  readonly isAnswered: boolean;
}

/** Approval requests of the tenant, in whichever branch. */
export async function findApprovalRequests(
  tenants: Tenants,
  scope: Scope,
  ids: readonly ItemId[],
): Promise<ReadonlyMap<ItemId, ApprovalRequestRow>> {
  if (ids.length === 0) return new Map();
  const rows = await tenants.as(
    scope,
    (sql) => sql<{ body: string; isAnswered: boolean }[]>`
    select body, answered_by is not null as "isAnswered" from items
    where id = any(${ids}::text[]) and tenant = ${scope.tenant} and type = 'mcp_approval_request'`,
  );
  return new Map(
    rows.flatMap(({ body, isAnswered }) => {
      const request = parseItem(body);
      return request.type === 'mcp_approval_request' ? [[request.id, { request, isAnswered }] as const] : [];
    }),
  );
}

/** The answers that approval requests were given, on whichever branch. */
export async function approvalAnswers(
  tenants: Tenants,
  scope: Scope,
  requestIds: readonly ItemId[],
): Promise<ReadonlyMap<ItemId, StoredItem>> {
  const rows = await tenants.as(
    scope,
    (sql) => sql<{ id: ItemId; body: string; responseId: StoredItem['responseId'] }[]>`
    select request.id, answer.body, case when r.deleted_at is null then r.id end as "responseId"
    from items request
    join items answer on answer.response_id = request.answered_by and answer.direction = 'input'
      and answer.type = 'mcp_approval_response' and answer.call_key = to_json(request.id)::text
    join responses r on r.id = answer.response_id
    where request.id = any(${requestIds}::text[]) and request.tenant = ${scope.tenant}
      and (r.deleted_at is null or exists (select 1 from responses c where c.previous_response_id = r.id))`,
  );
  return toStoredItems(rows);
}
