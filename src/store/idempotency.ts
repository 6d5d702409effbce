import type { ResponseId } from '../protocol/ids.ts';
import type { Scope } from '../protocol/scope.ts';
import type { Tenants } from './database.ts';

export interface UsedKey {
  readonly inputHash: string;
  /** Null once the response has been deleted. */
  readonly responseId: ResponseId | null;
}

/** What a key was used for, if it was. */
export async function findIdempotencyKey(
  tenants: Tenants,
  scope: Scope,
  key: string,
): Promise<UsedKey | null> {
  const [row] = await tenants.as(
    scope,
    (sql) => sql<UsedKey[]>`
    select k.input_hash as "inputHash", r.id as "responseId" from idempotency_keys k
    left join responses r on r.id = k.response_id and r.tenant = k.tenant and r.deleted_at is null
    where k.tenant = ${scope.tenant} and k.key = ${key}`,
  );
  return row ?? null;
}
