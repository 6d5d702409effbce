import type { ResponseId } from '../protocol/ids.ts';
import type { Scope } from '../protocol/scope.ts';
import type { Tenants } from './database.ts';

/** Notes that somebody wants a response cancelled. Null if there is none; false if it has ended. */
export async function wishCancelled(tenants: Tenants, scope: Scope, id: ResponseId): Promise<boolean | null> {
  const [row] = await tenants.as(
    scope,
    (sql) => sql<{ isInFlight: boolean }[]>`
      with target as (
        select id, completed_at is null as in_flight from responses
        where id = ${id} and tenant = ${scope.tenant} and deleted_at is null for update),
      wished as (
        update responses r set cancel_requested_at = coalesce(r.cancel_requested_at, now())
        from target where r.id = target.id and target.in_flight)
      select in_flight as "isInFlight" from target`,
  );
  return row?.isInFlight ?? null;
}

/** Counts as somebody's following: the caller has just been told of it, and may be about to. */
export async function markFollowed(tenants: Tenants, scope: Scope, id: ResponseId): Promise<void> {
  await tenants.as(
    scope,
    (sql) => sql`
      update responses set followed_at = now()
      where id = ${id} and tenant = ${scope.tenant} and completed_at is null and not background`,
  );
}
